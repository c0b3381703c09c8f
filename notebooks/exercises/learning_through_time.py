"""The checks of notebook 04: RTRL, a loss at the end, a window that suffices."""

import numpy as np
from answers import Wrong, array, case, close, fresh, run, tutor, whole

from gluon_rnn.gradients import Parameters, bptt, rtrl

SIZES = (5, 3, 2, 2), (7, 4, 5, 3)  # T, H, C, Q
# Networks, T and share on which other norms, other gradients and the first window give other K.
WINDOWS = (15, 9, 0.1), (24, 9, 0.2), (4, 14, 0.2), (28, 14, 0.2), (7, 16, 0.1)


def _network(*key, T, H, C, Q):
    """Parameters, inputs, targets; the same for the same key."""
    draw = fresh("learning_through_time", *key).normal
    shapes = (H, H), (H, C), H, (Q, H), H
    net = Parameters(*(draw(0, 0.6, shape) for shape in shapes))
    return net, draw(size=(T, C)), draw(size=(T, Q))


@tutor
def exercise_1(step_W):
    """∂h_t/∂W (H, H, C) from ∂h_{t-1}/∂W, x_t (C,), f'(z_t) (H,) and U (H, H)."""
    for T, H, C, Q in SIZES:
        net, x, _ = _network(1, T=T, H=H, C=C, Q=Q)
        h, S = net.h0, np.zeros((H, H, C))
        for t, step in enumerate(rtrl(net, x, np.zeros((T, Q)))):
            h = np.tanh(net.U @ h + net.W @ x[t] + net.b)
            with case(f"at step {t + 1} of {T}"):
                S = array("step_W(…)", run(step_W, S, x[t], 1 - h**2, net.U))  # it gets it back
                close("step_W(…)", S, step.sensitivity["W"], tolerance=1e-9)
    return "and the same step serves b, with x_t = (1)"


@tutor
def exercise_2(last_symbol_gradients):
    """∂L/∂U and ∂L/∂V of L = -log softmax(V h_T)[d], for tanh and h_0 = 0."""
    for T, H, C, Q in SIZES:
        net, x, _ = _network(2, T=T, H=H, C=C, Q=Q)
        net, d = net._replace(h0=np.zeros(H)), Q - 2

        def rule(t, s, last=T - 1, d=d):
            p = np.exp(s - s.max())
            return (t == last) * (p / p.sum() - np.eye(len(s))[d])

        whole_gradient = bptt(net, x, rule)
        answer = run(last_symbol_gradients, net.U, net.W, net.b, net.V, x, d)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            raise Wrong("last_symbol_gradients(...) must return two arrays, dU, dV")
        close("dV", answer[1], whole_gradient.V, tolerance=1e-9)
        close("dU", answer[0], whole_gradient.U, tolerance=1e-9)


@tutor
def exercise_3(sufficient_window):
    """The smallest K from which on every window's ∂L/∂W is off by less than `share`."""
    for key, T, share in WINDOWS:
        net, x, target = _network(3, key, T=T, H=4, C=3, Q=2)

        def rule(t, y_t, target=target):
            return y_t - target[t]

        every = np.array([bptt(net, x, rule, window=K).W for K in range(1, T + 1)])
        off = np.linalg.norm(every - every[-1], axis=(1, 2)) / np.linalg.norm(every[-1])
        expected = max((K for K in range(1, T + 1) if off[K - 1] >= share), default=0) + 1
        answer = whole("sufficient_window(...)", run(sufficient_window, net, x, rule, share))
        if answer == expected:
            continue
        if not 1 <= answer <= T:
            raise Wrong(f"a window of {answer} makes no sense for {T} steps")
        if off[answer - 1] >= share:
            raise Wrong(f"a window of {answer} is off by {share:g} or more on some network")
        if answer < expected:
            raise Wrong(f"a window wider than {answer} is off by {share:g} or more again")
        raise Wrong(f"on some network a window smaller than {answer} suffices")
