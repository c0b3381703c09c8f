"""Limiting cases: where two networks must be one, and what a gate must do when it is shut."""

import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from table import C, H, Q, assert_same, build, fill, loop, random_states, record, sample

from gluon_rnn import (
    RNN,
    Bidirectional,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    NARXCell,
    ResidualCell,
    TDNNCell,
)

SHUT, OPEN = -800.0, 800.0  # σ is 0 and 1 to the last bit of float64


def pair(*made, dtype="float64"):
    """Cells with random parameters, those of equal name and shape shared."""
    known = {}
    for k, cell in enumerate(made):
        fill(cell, seed=k)
        cell.cast(dtype)
        for name, p in cell._reg_params.items():
            if known.setdefault((name, p.shape), p) is not p:
                p.set_data(known[name, p.shape].data())
    return made


def rows(parameter, k):
    """The k-th gate's rows of a parameter, to read or to overwrite."""
    return slice(k * H, (k + 1) * H)


def fix_gate(cell, k, level):
    """Hold gate k at σ(level), whatever comes in."""
    for name in ("i2h_weight", "h2h_weight", "h2h_bias", "i2h_bias"):
        parameter = cell._reg_params[name]
        data = parameter.data()
        data[rows(parameter, k)] = level if name == "i2h_bias" else 0
        parameter.set_data(data)


def outputs_of(cell, x, states=None):
    return RNN(cell)(x, states)[0].asnumpy()


def test_reset_gate_open_joins_both_grus():
    before, after = pair(GRUCell(H, input_size=C), GRUCell(H, reset_after=True, input_size=C))
    x = sample("gru")
    assert np.abs(outputs_of(before, x) - outputs_of(after, x)).max() > 1e-3
    for cell in (before, after):
        fix_gate(cell, 0, OPEN)
    assert outputs_of(before, x) == pytest.approx(outputs_of(after, x), abs=1e-15)


@pytest.mark.parametrize("reset_after", [False, True])
def test_update_gate_open_copies_the_state(reset_after):
    (cell,) = pair(GRUCell(H, reset_after, input_size=C))
    fix_gate(cell, 1, OPEN)
    h = random_states(cell, 3)
    outputs = outputs_of(cell, sample("gru"), h)
    assert np.array_equal(outputs, np.repeat(h[0].asnumpy()[:, None], 6, axis=1))


@pytest.mark.parametrize("reset_after", [False, True])
def test_update_gate_shut_is_the_simple_network_or_none(reset_after):
    """z = 0, r = 1 is the SRN; z = 0, r = 0 forgets everything."""
    cell, srn = pair(GRUCell(H, reset_after, input_size=C), ElmanCell(H, input_size=C))
    for name, p in srn._reg_params.items():
        p.set_data(cell._reg_params[name].data()[rows(p, 2)])
    fix_gate(cell, 1, SHUT)
    fix_gate(cell, 0, OPEN)
    x, h = sample("gru"), random_states(cell, 3)
    assert outputs_of(cell, x, h) == pytest.approx(outputs_of(srn, x, h), abs=1e-14)
    fix_gate(cell, 0, SHUT)
    bias = srn.i2h_bias.data() + (0 if reset_after else srn.h2h_bias.data())
    W = srn.i2h_weight.data()
    memoryless = nd.tanh(nd.FullyConnected(x, W, bias, num_hidden=H, flatten=False))
    assert outputs_of(cell, x, h) == pytest.approx(memoryless.asnumpy(), abs=1e-14)


def test_negating_the_update_gate_is_the_other_convention():
    """z → 1 − z is a change of sign in the gate's rows: σ(−a) = 1 − σ(a)."""
    ours, negated = pair(GRUCell(H, input_size=C), GRUCell(H, input_size=C))
    for p in negated._reg_params.values():
        data = p.data()
        data[rows(p, 1)] = -data[rows(p, 1)]
        p.set_data(data)
    x, (h,) = sample("gru")[:, 0], random_states(ours, 3)
    out, _ = negated(x, [h])
    W, U = (
        nd.split(negated.i2h_weight.data(), 3, axis=0),
        nd.split(negated.h2h_weight.data(), 3, axis=0),
    )
    b = nd.split(negated.i2h_bias.data() + negated.h2h_bias.data(), 3, axis=0)
    linear = [nd.dot(x, W[k].T) + b[k] for k in range(3)]
    r, z = (nd.sigmoid(linear[k] + nd.dot(h, U[k].T)) for k in range(2))
    n = nd.tanh(linear[2] + nd.dot(r * h, U[2].T))
    chung = (1 - z) * h + z * n  # Chung et al. 2014 with these very weights
    assert ours(x, [h])[0].asnumpy() == pytest.approx(chung.asnumpy(), abs=1e-14)
    assert np.abs((out - chung).asnumpy()).max() > 1e-2


def test_zero_peepholes_are_the_lstm():
    plain, peephole = pair(LSTMCell(H, input_size=C), LSTMCell(H, peephole=True, input_size=C))
    x = sample("lstm")
    assert np.abs(outputs_of(plain, x) - outputs_of(peephole, x)).max() > 1e-3
    for name in ("c2i_weight", "c2f_weight", "c2o_weight"):
        peephole._reg_params[name].set_data(nd.zeros(H))
    assert outputs_of(peephole, x) == pytest.approx(outputs_of(plain, x), abs=1e-15)


@pytest.mark.parametrize("gate", ["i", "f", "o"])
def test_each_peephole_reaches_its_own_gate(gate):
    """With all else at zero, a gate is σ(p c): c_{t-1} for i and f, c_t for o."""
    cell = LSTMCell(H, peephole=True, input_size=C)
    cell.initialize()
    cell.cast("float64")
    for p in cell.collect_params().values():
        p.set_data(nd.zeros(p.shape))
    p = np.linspace(0.5, 1.5, H)
    cell._reg_params[f"c2{gate}_weight"].set_data(nd.array(p))
    g_bias = np.zeros(4 * H)
    g_bias[2 * H : 3 * H] = 0.3
    cell.i2h_bias.set_data(nd.array(g_bias))
    h0, c0 = random_states(cell, 2)
    h, (_, c) = cell(nd.zeros((2, C), dtype="float64"), [h0, c0])
    sigma = dict.fromkeys("ifo", 0.5)
    c0 = c0.asnumpy()
    logistic = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    if gate in "if":
        sigma[gate] = logistic(p.astype("float32") * c0)
    expected_c = sigma["f"] * c0 + sigma["i"] * np.tanh(np.float32(0.3).astype("float64"))
    if gate == "o":
        sigma["o"] = logistic(p.astype("float32") * expected_c)
    assert c.asnumpy() == pytest.approx(expected_c, abs=1e-7)
    assert h.asnumpy() == pytest.approx(sigma["o"] * np.tanh(expected_c), abs=1e-7)


def test_forget_gate_open_and_input_gate_shut_copy_the_cell():
    (cell,) = pair(LSTMCell(H, input_size=C))
    fix_gate(cell, 0, SHUT)
    fix_gate(cell, 1, OPEN)
    h, c = random_states(cell, 3)
    _, (_, last) = RNN(cell)(sample("lstm"), [h, c])
    assert np.array_equal(last.asnumpy(), c.asnumpy())


@pytest.mark.parametrize("bias", [0.0, 1.0, 2.5])
def test_the_forget_bias_is_where_it_should_be(bias):
    cell = LSTMCell(H, forget_bias=bias)
    cell.initialize()
    gates = cell.i2h_bias.data().asnumpy().reshape(4, H)
    assert gates.tolist() == [[0] * H, [bias] * H, [0] * H, [0] * H]
    default = LSTMCell(H)
    default.initialize()
    assert default.i2h_bias.data().asnumpy().reshape(4, H).tolist()[1] == [1] * H


def test_narx_without_feedback_is_a_tdnn_with_a_readout():
    narx, tdnn = pair(NARXCell(H, Q, 3, 2, C), TDNNCell(H, 3, C))
    x = sample("tdnn")
    V, c = narx.h2o_weight.data(), narx.h2o_bias.data()

    def readout():
        h = nd.array(outputs_of(tdnn, x), dtype="float64")
        return nd.FullyConnected(h, V, c, num_hidden=Q, flatten=False).asnumpy()

    assert np.abs(outputs_of(narx, x) - readout()).max() > 1e-3
    narx.o2h_weight.set_data(nd.zeros((H, 2 * Q)))
    assert outputs_of(narx, x) == pytest.approx(readout(), abs=1e-14)


def test_linear_narx_is_arx():
    """In open loop a linear NARX is a regression on lagged inputs and outputs: lstsq finds it."""
    (cell,) = pair(NARXCell(3, 1, 2, 2, 1, "identity", open_loop=True))
    draw = np.random.RandomState(0)
    data = draw.normal(size=(1, 60, 2))  # x_t beside the true y_t
    outputs = outputs_of(cell, nd.array(data, dtype="float64"))[0, 2:, 0]
    x, y = data[0].T
    lags = np.stack([x[2:], x[1:-1], x[:-2], y[1:-1], y[:-2], np.ones(58)], axis=1)
    w, *_ = np.linalg.lstsq(lags, outputs, rcond=None)
    assert lags @ w == pytest.approx(outputs, abs=1e-6)  # nothing is left over
    V = cell.h2o_weight.data().asnumpy()
    U = np.hstack(
        [cell._reg_params[n].data().asnumpy() for n in ("i2h_weight", "d2h_weight", "o2h_weight")]
    )
    assert w[:5] == pytest.approx((V @ U)[0], abs=1e-6)


def test_both_loops_of_narx_are_one_network():
    """Fed its own outputs as if they were the truth, the open loop is the closed loop."""
    closed = NARXCell(H, Q, 2, 3, C)
    open_loop = NARXCell(H, Q, 2, 3, C, open_loop=True, params=closed.params)
    (closed,) = pair(closed)
    x = sample("narx")
    y = nd.array(outputs_of(closed, x), dtype="float64")
    both = nd.concat(x, y, dim=2)
    assert outputs_of(open_loop, both) == pytest.approx(y.asnumpy(), abs=1e-14)
    both[:, 2, C:] = 9  # a true output other than its own is seen from the next step on
    changed = np.abs(outputs_of(open_loop, both) - y.asnumpy()).max(axis=(0, 2)) > 1e-6
    assert changed.tolist() == [False] * 3 + [True] * 3


def test_tdnn_is_a_causal_convolution():
    (cell,) = pair(TDNNCell(H, 3, C, "sigmoid"))
    x = sample("tdnn", T=9)
    conv = gluon.nn.Conv1D(H, 4, in_channels=C)
    conv.initialize()
    conv.cast("float64")
    taps = nd.concat(cell.i2h_weight.data(), cell.d2h_weight.data(), dim=1)
    taps = nd.array(taps.asnumpy().reshape(H, 4, C).transpose(0, 2, 1)[:, :, ::-1], dtype="float64")
    conv.weight.set_data(taps)
    conv.bias.set_data(cell.i2h_bias.data())
    padded = nd.concat(nd.zeros((3, 3, C), dtype="float64"), x, dim=1).swapaxes(1, 2)
    convolved = nd.sigmoid(conv(padded)).swapaxes(1, 2).asnumpy()
    assert outputs_of(cell, x) == pytest.approx(convolved, abs=1e-14)


@pytest.mark.parametrize("taps", [1, 2, 4])
def test_tdnn_forgets_after_its_taps(taps):
    (cell,) = pair(TDNNCell(H, taps, C))
    pulse = np.zeros((1, 8, C))
    pulse[0, 0] = 1
    silence = outputs_of(cell, nd.zeros((1, 8, C), dtype="float64"))
    response = np.abs(outputs_of(cell, nd.array(pulse, dtype="float64")) - silence).max(axis=(0, 2))
    assert (response > 0).tolist() == [t <= taps for t in range(8)]


def test_jordan_with_the_identity_as_output_is_elman():
    jordan, elman = pair(JordanCell(H, H, input_size=C), ElmanCell(H, input_size=C))
    elman.h2h_weight.set_data(jordan.o2h_weight.data())
    elman.h2h_bias.set_data(nd.zeros(H))
    x, h = sample("jordan"), random_states(elman, 3)
    assert np.abs(outputs_of(jordan, x, h) - outputs_of(elman, x, h)).max() > 1e-2
    jordan.h2o_weight.set_data(nd.eye(H))
    jordan.h2o_bias.set_data(nd.zeros(H))
    assert outputs_of(jordan, x, h) == pytest.approx(outputs_of(elman, x, h), abs=1e-14)


@pytest.mark.parametrize("recurrent", [True, False])
def test_residual_with_nothing_to_add_is_the_identity(recurrent):
    cell = ResidualCell(H, recurrent, input_size=C)
    cell.initialize()
    cell.cast("float64")
    for p in cell.collect_params().values():
        p.set_data(nd.zeros(p.shape))
    (h,) = random_states(cell, 3)
    outputs = outputs_of(cell, sample("residual"), [h])
    assert np.array_equal(outputs, np.repeat(h.asnumpy()[:, None], 6, axis=1))


def jacobian(cell, x, h):
    """∂h_t/∂h_{t-1} of one step, row by row, for a batch of one."""
    h.attach_grad()
    table = []
    for k in range(H):
        with autograd.record():
            out, _ = cell(x, [h])
            out[0, k].backward()
        table.append(h.grad.asnumpy()[0].copy())
    return np.array(table)


def test_residual_passes_the_gradient_whole_when_g_sees_only_x():
    x, h = sample("residual", N=1)[:, 0], nd.array(np.linspace(-1, 1, H)[None], dtype="float64")
    assert np.array_equal(jacobian(build("residual-input"), x, h), np.eye(H))
    assert np.abs(jacobian(build("residual"), x, h) - np.eye(H)).max() > 1e-2


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("lengths", [None, (6, 2, 4)])
def test_bidirectional_is_symmetric_in_time(merge, lengths):
    """Turn the input around and swap the directions: the output turns around."""
    one, other = RNN(build("gru", seed=1)), RNN(build("gru", seed=2))
    x = sample("gru")
    turned = x.asnumpy()
    for n, T in enumerate(lengths or (6, 6, 6)):
        turned[n, :T] = turned[n, :T][::-1]
    outputs, (s1, s2) = Bidirectional(one, other, merge)(x, None, lengths)
    mirror, (m1, m2) = Bidirectional(other, one, merge)(
        nd.array(turned, dtype="float64"), None, lengths
    )
    mirror = mirror.asnumpy()
    for n, T in enumerate(lengths or (6, 6, 6)):
        mirror[n, :T] = mirror[n, :T][::-1]
    if merge == "concat":
        mirror = np.concatenate([mirror[..., H:], mirror[..., :H]], axis=2)
    assert mirror == pytest.approx(outputs.asnumpy(), abs=1e-15)
    assert np.array_equal(s1.asnumpy(), m2.asnumpy())
    assert np.array_equal(s2.asnumpy(), m1.asnumpy())
    assert np.abs((s1 - s2).asnumpy()).max() > 1e-2


def test_parameters_count_one_three_four():
    def count(cell):
        cell.initialize()
        return sum(int(np.prod(p.shape)) for p in cell.collect_params().values())

    srn, gru, lstm = (count(cell(H, input_size=C)) for cell in (ElmanCell, GRUCell, LSTMCell))
    assert (gru / srn, lstm / srn) == (3, 4)
    assert srn == H * C + H * H + 2 * H


def test_the_loop_and_the_layer_see_the_same_law():
    """The laws run on layers; one of them on bare steps, so that they speak of cells."""
    cell, x = build("gru"), sample("gru")
    fix_gate(cell, 1, OPEN)
    h = random_states(cell, 3)
    assert_same(record(loop(cell), cell, x, h), record(RNN(cell), cell, x, h), 1e-14)
