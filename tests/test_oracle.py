"""Every cell against its equations, written in NumPy from the documents and not from the code.

A step takes the input, the states and the parameters by name, in the shapes that the docstrings
give, and returns the output and the next states. Vectors stand upright in the equations; here they
are rows of a batch, so U h reads ``h @ U.T``. Activations take complex numbers: the imaginary part
of the loss at w + iε is ε ∂L/∂w to the last bit, so these gradients need no choice of a step.
"""

import numpy as np
import pytest
from table import ROWS, assert_same, build, loop, random_states, record, sample, weights

from gluon_rnn import RNN


def σ(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.where(a.real > 0, a, 0)


def identity(a):
    return a


def elman(f):
    """Document 000, eq. 5; 001: z_t = U h_{t-1} + W x_t + b, h_t = f(z_t)."""

    def step(x, states, p):
        (h,), W, U = states, p["i2h_weight"], p["h2h_weight"]
        z = h @ U.T + x @ W.T + p["i2h_bias"] + p["h2h_bias"]
        return f(z), [f(z)]

    return step


def jordan(f, g):
    """Jordan 1986: the hidden layer sees the last output, y_t = g(V h_t + c)."""

    def step(x, states, p):
        (y,), W, U, V = states, p["i2h_weight"], p["o2h_weight"], p["h2o_weight"]
        h = f(x @ W.T + y @ U.T + p["i2h_bias"])
        y = g(h @ V.T + p["h2o_bias"])
        return y, [y]

    return step


def residual(f, recurrent):
    """Document 001, last section: h_t = h_{t-1} + g(x_t), or h_{t-1} + g(x_t, h_{t-1})."""

    def step(x, states, p):
        (h,) = states
        z = x @ p["i2h_weight"].T + p["i2h_bias"]
        if recurrent:
            z = z + h @ p["h2h_weight"].T + p["h2h_bias"]
        h = h + f(z)
        return h, [h]

    return step


def delayed(weight, line, K):
    """Σ_k W_k x_{t-k} for k = 1 … K, where weight and line have x_{t-1} first; and the parts."""
    W, past = np.split(weight, K, axis=1), np.split(line, K, axis=1)
    return sum(past[k - 1] @ W[k - 1].T for k in range(1, K + 1)), past


def tdnn(f, K):
    """Document 001: a layer over the present input and K past ones."""

    def step(x, states, p):
        total, past = delayed(p["d2h_weight"], states[0], K)
        h = f(x @ p["i2h_weight"].T + total + p["i2h_bias"])
        return h, [np.hstack([x, *past[: K - 1]])]

    return step


def narx(f, Kx, Ky, C, open_loop=False):
    """Document 001: past inputs and past outputs; in open loop the true ones, given beside x."""

    def step(x, states, p):
        x, truth = x[:, :C], x[:, C:]
        inputs, xs = delayed(p["d2h_weight"], states[0], Kx)
        outputs, ys = delayed(p["o2h_weight"], states[1], Ky)
        h = f(x @ p["i2h_weight"].T + inputs + outputs + p["i2h_bias"])
        y = h @ p["h2o_weight"].T + p["h2o_bias"]
        newest = truth if open_loop else y
        return y, [np.hstack([x, *xs[: Kx - 1]]), np.hstack([newest, *ys[: Ky - 1]])]

    return step


def by_gate(order, p):
    """W, U and the two biases as dictionaries by gate; rows are stacked in this order."""
    names = ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias")
    return [dict(zip(order, np.split(p[name], len(order)), strict=True)) for name in names]


def gru(reset_after):
    """Document 003; reset_after is the form of Cho et al. 2014, arXiv v1, and of cuDNN."""

    def step(x, states, p):
        (h,), (W, U, b, bu) = states, by_gate("rzn", p)
        r, z = (σ(x @ W[k].T + h @ U[k].T + b[k] + bu[k]) for k in "rz")
        if reset_after:
            n = np.tanh(x @ W["n"].T + b["n"] + r * (h @ U["n"].T + bu["n"]))
        else:
            n = np.tanh(x @ W["n"].T + (r * h) @ U["n"].T + b["n"] + bu["n"])
        h = z * h + (1 - z) * n
        return h, [h]

    return step


def lstm(g, peephole):
    """Documents 000 (eq. 6-10) and 003; Gers et al. 2002: i and f see c_{t-1}, o sees c_t."""

    def step(x, states, p):
        (h, c), (W, U, b, bu) = states, by_gate("ifgo", p)
        a = {k: x @ W[k].T + h @ U[k].T + b[k] + bu[k] for k in "ifgo"}
        P = {k: p[f"c2{k}_weight"] if peephole else 0 for k in "ifo"}
        i, f = σ(a["i"] + P["i"] * c), σ(a["f"] + P["f"] * c)
        c = f * c + i * np.tanh(a["g"])
        h = σ(a["o"] + P["o"] * c) * g(c)
        return h, [h, c]

    return step


STEPS = {
    "elman-tanh": elman(np.tanh),
    "elman-relu": elman(relu),
    "elman-sigmoid": elman(σ),
    "elman-identity": elman(identity),
    "jordan": jordan(np.tanh, identity),
    "jordan-sigmoid": jordan(relu, σ),
    "tdnn": tdnn(np.tanh, 3),
    "tdnn-1": tdnn(σ, 1),
    "narx": narx(np.tanh, 2, 3, 4),
    "narx-open": narx(np.tanh, 1, 1, 4, open_loop=True),
    "residual": residual(np.tanh, True),
    "residual-input": residual(σ, False),
    "gru": gru(False),
    "gru-after": gru(True),
    "lstm": lstm(np.tanh, False),
    "lstm-peephole": lstm(np.tanh, True),
    "lstm-linear": lstm(identity, False),
    "lstm-both": lstm(identity, True),
}


def run(name, x, states, p):
    """Outputs, last states and the loss that ``record`` takes."""
    outputs = []
    for x_t in x.swapaxes(0, 1):
        y, states = STEPS[name](x_t, states, p)
        outputs.append(y)
    seen = {"outputs": np.stack(outputs, axis=1)}
    seen |= {f"states[{k}]": s for k, s in enumerate(states)}
    loss = sum((weights(k, a.shape) * a).sum() for k, a in enumerate(seen.values()))
    return seen | {"loss": loss.reshape(1)}


def oracle(name, x, states, p):
    """What ``record`` gives, from the equations."""
    ε, free = 1e-30, {"inputs": x, **{f"states[{k}]": s for k, s in enumerate(states)}, **p}
    x, states, p = x + 0j, [s + 0j for s in states], {key: a + 0j for key, a in p.items()}
    moved = dict(zip(free, (x, *states, *p.values()), strict=True))
    seen = {key: a.real for key, a in run(name, x, states, p).items()}
    for key, array in moved.items():
        seen[f"d {key}"] = np.empty(array.shape)
        for at in np.ndindex(array.shape):
            array[at] += ε * 1j
            seen[f"d {key}"][at] = run(name, x, states, p)["loss"][0].imag / ε
            array[at] = free[key][at]
    return seen


def test_every_row_has_its_equations():
    assert STEPS.keys() == ROWS.keys()


@pytest.mark.parametrize("T", [1, 5])
@pytest.mark.parametrize("name", STEPS)
def test_a_cell_is_its_equations(name, T):
    """Outputs, last states and the gradients of parameters, inputs and begin states."""
    cell, x = build(name), sample(name, T=T)
    states = random_states(cell, 3)
    p = {key: parameter.data().asnumpy() for key, parameter in cell._reg_params.items()}
    expected = oracle(name, x.asnumpy(), [s.asnumpy() for s in states], p)
    for key, gradient in expected.items():
        assert np.abs(gradient).max() > 1e-3, f"{key} is too small to tell anything"
    assert_same(record(loop(cell), cell, x, states), expected, 1e-12)
    assert_same(record(RNN(cell), cell, x, states), expected, 1e-12)
