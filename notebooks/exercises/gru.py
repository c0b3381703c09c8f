"""The checks of notebook 08: a GRU over a sequence, its size, and one set by hand."""

import numpy as np
from answers import Wrong, array, close, fresh, run, same, tutor
from mxnet import gluon, nd
from workbench import sigmoid


@tutor
def exercise_1(gru_states):
    """The states of Gluon's GRU, reset after the product, over a sequence."""
    for T, C, H in ((4, 3, 2), (7, 2, 5)):
        draw = fresh(T, C, H).normal
        x, h_0 = draw(size=(T, C)), draw(size=H)
        weights = [draw(size=s) for s in ((3 * H, C), (3 * H, H), 3 * H, 3 * H)]
        cell = gluon.rnn.GRUCell(H, input_size=C)
        cell.initialize()
        cell.cast("float64")
        names = "i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"
        for name, value in zip(names, weights, strict=True):
            getattr(cell, name).set_data(nd.array(value, dtype="float64"))
        start = [nd.array(h_0[None], dtype="float64")]
        inputs = nd.array(x[None], dtype="float64")
        expected = cell.unroll(T, inputs, start, merge_outputs=True)[0].asnumpy()[0]  # (T, H)
        close("gru_states(...)", run(gru_states, x, h_0, *weights), expected)
    return "these are the states of Gluon's own cell"


def _count(G, C, H, Q):
    """Parameters of a layer of G parts, two biases each, and of its readout."""
    return G * (H * C + H * H + 2 * H) + Q * H + Q


@tutor
def exercise_2(srn_units):
    """The most units of an SRN with no more parameters than a GRU of 32; C = 10, Q = 30."""
    limit = _count(3, 10, 32, 30)
    same("srn_units", srn_units, max(k for k in range(1, 200) if _count(1, 10, k, 30) <= limit))


@tutor
def exercise_3(W_max, U_max, b_max, V_max):
    """One GRU unit (r, z, n) that holds the largest input so far, inputs in (0, 1)."""
    weights = {"W_max": W_max, "U_max": U_max, "b_max": b_max}
    weights = [array(k, np.reshape(array(k, v), -1), (3,)) for k, v in weights.items()]
    (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n) = weights
    V = array("V_max", V_max, ()).item()
    for count, T in ((50, 20), (20, 200)):
        x = fresh(T).uniform(0, 1, (count, T))
        h, right = np.zeros(count), np.maximum.accumulate(x, axis=1)
        for t in range(T):
            r = sigmoid(W_r * x[:, t] + U_r * h + b_r)
            z = sigmoid(W_z * x[:, t] + U_z * h + b_z)
            h = z * h + (1 - z) * np.tanh(W_n * x[:, t] + U_n * r * h + b_n)
            off = abs(V * h - right[:, t]).max()
            if not off <= 0.01:
                raise Wrong(f"at step {t + 1} of a sequence the answer is off by {off:.2g}")
