"""The checks of notebook 09: an LSTM set by hand, taken from elsewhere, and walked backwards."""

import numpy as np
from answers import Wrong, array, close, fresh, run, tutor
from workbench import central_differences, sigmoid


def _lstm(W, b, x, peepholes=(0, 0, 0)):
    """h and c, (T,) each, of one unit with U = 0; W (4, C), b (4,) in the order i f g o."""
    (p_i, p_f, p_o), c, states = peepholes, 0.0, []
    for x_t in x:
        i, f, g, o = W @ x_t + b
        c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
        states.append((sigmoid(o + p_o * c) * np.tanh(c), c))
    return np.array(states).T


@tutor
def exercise_1(W_count, b_count):
    """A unit whose cell state is the ups minus the downs since the last reset, within 0.01."""
    W, b = array("W_count", W_count, (4, 3)), array("b_count", b_count, (4,))
    up, down, reset = 0, 1, 2
    draw = fresh("lstm", 1)
    mixed = [draw.choice(3, size=T, p=(0.5, 0.45, 0.05)) for T in (60, 500)]
    for what, symbols in {
        "one up": [up],
        "seven ups": [up] * 7,
        "six ups and ten downs": [up] * 6 + [down] * 10,
        "five hundred ups": [up] * 500,
        "five ups and a reset": [up] * 5 + [reset],
        "five ups, a reset and two downs": [up] * 5 + [reset, down, down],
        "four hundred ups and a reset": [up] * 400 + [reset],
        "four hundred downs, a reset and an up": [down] * 400 + [reset, up],
        "60 symbols at random": mixed[0],
        "500 symbols at random": mixed[1],
    }.items():
        depth = 0
        for s in symbols:
            depth = 0 if s == reset else depth + (1 if s == up else -1)
        if not abs(_lstm(W, b, np.eye(3)[symbols])[1, -1] - depth) <= 0.01:
            raise Wrong(f"after {what} the cell state is not within 0.01 of the count")
    return "g counts and f wipes out: a state that only adds ±1 at a step could not"


@tutor
def exercise_2(blinker):
    """b_f, p_f, b_o, p_o: dark for K steps (h < 0.02), lit for K (h > 0.98), and so on."""
    for K in range(3, 13):
        given = array(f"blinker({K})", run(blinker, K))
        b_f, p_f, b_o, p_o = array(f"blinker({K})", np.ravel(given), (4,))  # ([b_f], …), too
        x, b = np.zeros((6 * K, 1)), np.array([50, b_f, 50, b_o])
        h, _ = _lstm(np.zeros((4, 1)), b, x, (0, p_f, p_o))
        for t, h_t in enumerate(h, 1):
            lit = (t - 1) // K % 2 == 1
            if not (h_t > 0.98 if lit else abs(h_t) < 0.02):
                asked = "lit, h > 0.98" if lit else "dark, h < 0.02"
                raise Wrong(f"for K = {K}, step {t} must be {asked}, and h = {h_t:.2f}")


@tutor
def exercise_3(from_onnx):
    """Weights in the order i o f c with two biases, as W, U, b in the order i f g o."""
    for H, C in ((3, 2), (5, 4)):
        draw = fresh("lstm", 3, H).normal
        W, R, B = draw(size=(4 * H, C)), draw(size=(4 * H, H)), draw(size=8 * H)
        given = run(from_onnx, W, R, B)
        if not (isinstance(given, tuple | list) and len(given) == 3):
            raise Wrong("from_onnx(W, R, B) must return three arrays: W, U, b")
        order = np.concatenate([np.arange(k * H, (k + 1) * H) for k in (0, 2, 3, 1)])
        for name, value, expected in zip(
            ("W", "U", "b"),
            given,
            (W[order], R[order], (B[: 4 * H] + B[4 * H :])[order]),
            strict=True,
        ):
            close(name, value, expected)


@tutor
def exercise_4(step_back):
    """∂L/∂ what stands inside i, f, g, o, (4, H), and ∂L/∂c_{t-1} along the direct path, (H,)."""
    for H in (3, 5):
        draw = fresh("lstm", 4, H).normal
        a, c_before, dh, dc = draw(size=(4, H)), draw(size=H), draw(size=H), draw(size=H)

        def gates(a):
            return sigmoid(a[0]), sigmoid(a[1]), np.tanh(a[2]), sigmoid(a[3])

        def loss(a, c_before, dh=dh, dc=dc):
            i, f, g, o = gates(a)
            c = f * c_before + i * g
            return dh @ (o * np.tanh(c)) + dc @ c

        i, f, g, o = gates(a)
        c = f * c_before + i * g
        given = run(step_back, i, f, g, o, c_before, c, dh, dc)
        if not (isinstance(given, tuple | list) and len(given) == 2):
            raise Wrong("step_back(...) must return two arrays: da, dc_before")
        expected = central_differences(loss, a, c_before)
        for k, gate in enumerate(("input gate", "forget gate", "candidate", "output gate")):
            close(f"da[{k}] ({gate})", array("da", given[0], (4, H))[k], expected[0][k])
        close("dc_before", given[1], expected[1])
    return "the whole backward pass is this step in a loop, from the last one to the first"
