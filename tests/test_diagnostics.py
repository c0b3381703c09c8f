"""Diagnostics of every cell, against the hand-written gradients, restarts and differences."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from mxnet import autograd, nd
from table import ROWS, C, H, build, random_states, sample

from gluon_rnn import RNN, Classifier, ElmanCell, TDNNCell
from gluon_rnn import diagnostics as see
from gluon_rnn.gradients import Parameters, bptt, deltas, forward

mpl.use("Agg")
every_cell = pytest.mark.parametrize("name", ROWS)
GRUS = [name for name in ROWS if name.startswith("gru")]
LSTMS = [name for name in ROWS if name.startswith("lstm")]


@pytest.fixture(autouse=True)
def _no_open_figures():
    yield
    plt.close("all")


def elman(f):
    """A Gluon cell and its parameters in the book's letters, V = I."""
    cell = build(f"elman-{f}")
    q = {name: p.data().asnumpy() for name, p in cell._reg_params.items()}
    b = q["i2h_bias"] + q["h2h_bias"]
    return cell, Parameters(q["h2h_weight"], q["i2h_weight"], b, np.eye(H), np.zeros(H))


def weigh(outputs):
    """A loss to which every output matters, and none enters linearly."""
    weights = nd.arange(1, outputs.shape[1] + 1, dtype="float64").reshape((1, -1, 1))
    return nd.broadcast_mul(weights, outputs**2)


# --- ∂L/∂h_t


@pytest.mark.parametrize("f", ["tanh", "relu", "sigmoid", "identity"])
def test_state_gradients_are_the_books(f):
    (cell, p), x = elman(f), sample("elman-tanh", N=1)
    (received,) = see.state_gradients(cell, x, lambda o: (o**2).sum() / 2)
    x = x.asnumpy()[0]
    δ = deltas(p, x, lambda t, y: y, f)
    h = forward(p, x, f)[1]
    later = np.vstack([δ.sum(axis=0) @ p.U, np.zeros(H)])  # Uᵀ Σ_t δ_{t,k+1}
    own = np.vstack([np.zeros(H), h[1:]])  # ∂L_k/∂h_k
    np.testing.assert_allclose(received[:, 0], own + later, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(
        received[0, 0], bptt(p, x, lambda t, y: y, f).h0, rtol=1e-12, atol=1e-13
    )
    assert np.abs(received).max() > 1e-2


@every_cell
def test_state_gradients_are_those_of_a_network_that_starts_there(name):
    """∂L/∂s_t: start in s_t, and add what the output o_t gets if it is a state."""
    cell, x, states = build(name), sample(name), random_states(build(name), 3)
    received = see.state_gradients(cell, x, weigh, states)
    outputs, trajectory = see.run(cell, x, states)
    T = x.shape[1]
    assert [len(r) for r in received] == [T + 1] * len(states)
    for t in range(T + 1):
        start = [s.copy() for s in trajectory[t]]
        for s in start:
            s.attach_grad()
        with autograd.record():
            ends = list(outputs[:t])
            if t and np.array_equal(ends[-1].asnumpy(), start[0].asnumpy()):
                ends[-1] = start[0]
            ends += see.run(cell, x[:, t:], start)[0] if t < T else []
            loss = weigh(nd.stack(*ends, axis=1)).sum() + sum(0 * s.sum() for s in start)
        loss.backward()
        for r, s in zip(received, start, strict=True):
            np.testing.assert_allclose(r[t], s.grad.asnumpy(), rtol=1e-11, atol=1e-13)
    assert max(np.abs(r[:-1]).max() for r in received) > 1e-2


@pytest.mark.parametrize("name", ["gru", "lstm", "jordan"])
def test_a_hybridized_cell_says_the_same(name):
    cell, x = build(name), sample(name)
    imperative = see.state_gradients(cell, x, weigh)
    cell.hybridize()
    for a, b in zip(see.state_gradients(cell, x, weigh), imperative, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_any_task_is_a_loss_of_the_outputs():
    cell, x = build("lstm", "float32"), sample("lstm", dtype="float32")
    model = Classifier(RNN(cell), classes=2)
    model.decoder.initialize()
    head = model.decoder(RNN(cell)(x)[0][:, -1])
    np.testing.assert_allclose(model(x).asnumpy(), head.asnumpy(), rtol=1e-5)
    h, c = see.state_gradients(cell, x, lambda o: model.decoder(o[:, -1])[:, 0])
    weight = model.decoder.weight.data().asnumpy()[0]
    np.testing.assert_allclose(h[-1], np.tile(weight, (3, 1)), rtol=1e-5)
    assert not c[-1].any()  # nothing comes after c_T
    assert np.abs(c[-2]).max() > 1e-4


def test_zero_where_the_loss_does_not_reach():
    (g,) = see.state_gradients(build("gru"), sample("gru"), lambda o: o[:, 2])
    reached = np.abs(g).max(axis=(1, 2)) > 0
    assert reached.tolist() == [True] * 4 + [False] * 3


# --- Jacobians


@every_cell
def test_jacobians_are_central_differences_of_a_step(name):
    cell, x, states = build(name), sample(name), random_states(build(name), 3)
    J = see.jacobians(cell, x, states)
    _, trajectory = see.run(cell, x, states)
    widths = [s.shape[1] for s in states]
    assert J.shape == (x.shape[1], 3, sum(widths), sum(widths))

    def step(t, joined):
        parts = np.split(joined, np.cumsum(widths)[:-1], axis=1)
        _, after = cell(x[:, t], [nd.array(a, dtype="float64") for a in parts])
        return np.concatenate([s.asnumpy() for s in after], axis=1)

    for t in (0, x.shape[1] - 1):
        s = np.concatenate([a.asnumpy() for a in trajectory[t]], axis=1)
        for j in range(s.shape[1]):
            e = 1e-6 * np.eye(s.shape[1])[j]
            column = (step(t, s + e) - step(t, s - e)) / 2e-6
            np.testing.assert_allclose(J[t, :, :, j], column, rtol=0, atol=1e-8)
    one_delay = name in ("tdnn-1", "narx-open")  # of the line nothing is left after a step
    assert np.abs(J).max() == 0 if one_delay else np.abs(J).max() > 1e-2


@pytest.mark.parametrize("f", ["tanh", "sigmoid"])
def test_jacobians_are_the_books(f):
    (cell, p), x = elman(f), sample("elman-tanh", N=1)
    h = forward(p, x.asnumpy()[0], f)[1][1:]
    slope = 1 - h**2 if f == "tanh" else h * (1 - h)
    expected = slope[:, :, None] * p.U  # diag(f'(z_t)) U
    np.testing.assert_allclose(see.jacobians(cell, x)[:, 0], expected, rtol=1e-12, atol=1e-15)


@every_cell
def test_a_gradient_is_a_product_of_jacobians(name):
    """With a loss at the end only, ∂L/∂s_{t-1} = Jᵀ ∂L/∂s_t."""
    cell, x = build(name), sample(name, T=5)
    received = see.state_gradients(cell, x, lambda o: o[:, -1] ** 2)
    g, J = np.concatenate(received, axis=-1), see.jacobians(cell, x)
    for t in range(x.shape[1] - 1):  # the last step may reach the output past the states
        expected = np.einsum("ni,nij->nj", g[t + 1], J[t])
        np.testing.assert_allclose(g[t], expected, rtol=1e-11, atol=1e-14)


def test_a_dead_unit_has_no_gradient_of_its_state():
    """A silent ReLU delay network: its output and its line are both zeros, not one array."""
    cell = TDNNCell(2, 1, 2, "relu")
    cell.set_weights(W_0=np.eye(2), W=np.eye(2), b=[-1, -1], dtype="float64")
    received = see.state_gradients(
        cell, nd.zeros((1, 3, 2), dtype="float64"), lambda o: (o - 1) ** 2
    )
    assert not np.any(received)


def test_singular_values_of_a_rotation_times_rho():
    Q = np.linalg.qr(np.random.RandomState(0).normal(size=(H, H)))[0]
    cell = ElmanCell(H, "identity", input_size=C)
    cell.initialize()
    cell.cast("float64")
    cell.h2h_weight.set_data(nd.array(0.9 * Q, dtype="float64"))
    values = see.singular_values(see.jacobians(cell, sample("elman-tanh")))
    np.testing.assert_allclose(values, np.full((6, 3, H), 0.9), rtol=1e-12)
    (g,) = see.state_gradients(cell, sample("elman-tanh"), lambda o: o[:, -1])
    norms = see.norms_by_lag(g)
    np.testing.assert_allclose(norms, norms[0] * 0.9 ** np.arange(7), rtol=1e-12)


def test_a_norm_is_small_before_it_is_zero():
    gradients = np.full((2, 1, 4), 1e-30, dtype="float32")
    np.testing.assert_allclose(see.norms_by_lag(gradients), 2e-30, rtol=1e-6)


# --- gates


@pytest.mark.parametrize("name", GRUS)
def test_the_gates_of_a_gru_give_its_states(name):
    cell, x, states = build(name), sample(name), random_states(build(name), 3)
    trace = see.gate_traces(cell, x, states)
    outputs, _ = see.run(cell, x, states)
    h = np.stack([o.asnumpy() for o in outputs], axis=1)
    past = np.concatenate([states[0].asnumpy()[:, None], h[:, :-1]], axis=1)
    z = trace["z"]
    np.testing.assert_allclose(z * past + (1 - z) * trace["n"], h, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(trace["h"], h)
    p = {n: q.data().asnumpy() for n, q in cell._reg_params.items()}
    a = x.asnumpy() @ p["i2h_weight"][:H].T + past @ p["h2h_weight"][:H].T
    r = 1 / (1 + np.exp(-a - p["i2h_bias"][:H] - p["h2h_bias"][:H]))
    np.testing.assert_allclose(trace["r"], r, rtol=1e-12)


@pytest.mark.parametrize("name", LSTMS)
def test_the_gates_of_an_lstm_give_its_states(name):
    cell, x, states = build(name), sample(name), random_states(build(name), 3)
    i, f, g, o, c, h = see.gate_traces(cell, x, states).values()
    outputs, trajectory = see.run(cell, x, states)
    np.testing.assert_array_equal(h, np.stack([a.asnumpy() for a in outputs], axis=1))
    np.testing.assert_array_equal(c[:, -1], trajectory[-1][1].asnumpy())
    past = np.concatenate([states[1].asnumpy()[:, None], c[:, :-1]], axis=1)
    np.testing.assert_allclose(f * past + i * g, c, rtol=1e-12, atol=1e-14)
    squashed = c if name in ("lstm-linear", "lstm-both") else np.tanh(c)
    np.testing.assert_allclose(o * squashed, h, rtol=1e-12, atol=1e-14)


# --- plots


def test_plot_norms_by_lag():
    norms = np.array([1.0, 0.1, 0.01, 0.0])
    ax = see.plot_norms_by_lag(norms, label="tanh", color="C1", linestyle="--")
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[0, 1], [1, 0.1], [2, 0.01]]
    assert (ax.get_yscale(), line.get_linestyle(), line.get_color()) == ("log", "--", "C1")
    (text,) = ax.texts
    assert (text.get_text(), text.xy, text.get_color()) == ("tanh", (2, 0.01), "C1")
    right, up = text.get_position()  # beside the end of its line, in view wherever that is
    assert (right > 0, up, text.get_va(), text.get_annotation_clip()) == (True, 0, "center", False)
    assert "" not in (ax.get_xlabel(), ax.get_ylabel())
    first, _ = plt.subplots(2)[1]
    assert see.plot_norms_by_lag(norms, ax=first) is first
    assert first.texts[0].get_text() == ""
    with pytest.raises(ValueError, match="norms: expected one that is not zero"):
        see.plot_norms_by_lag(np.zeros(3))


def test_plot_singular_values():
    values = np.array([[2.0, 1, 0.5], [3, 1, 0.1]])
    ax, current = plt.subplots(2)[1]
    assert see.plot_singular_values(values, ax) is ax
    assert see.plot_singular_values(values) is current
    *drawn, one = ax.lines
    assert all(list(line.get_xdata()) == [1, 2] for line in drawn)  # steps are counted from 1
    assert (set(one.get_ydata()), one.get_linewidth() > 0) == ({1}, True)
    drawn = [line.get_ydata() for line in ax.lines]
    assert any(list(d) == [2, 3] for d in drawn)
    assert any(list(d) == [0.5, 0.1] for d in drawn)
    assert ax.get_yscale() == "log"
    assert "" not in (ax.get_xlabel(), ax.get_ylabel())
    with pytest.raises(ValueError, match=r"values: expected axes \(T, S\)"):
        see.plot_singular_values(values[0], ax)


def test_plot_gates():
    trace = np.array([[0.125, 0.75], [0.25, 0.5], [0.75, 0.25]])  # (T, H)
    ax = see.plot_gates(trace, "update gate z")
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), trace.T)
    assert image.get_clim() == (0, 1)
    assert tuple(image.get_extent()) == (0.5, 3.5, 2.5, 0.5)  # steps and units counted from 1
    assert ax.get_aspect() == "auto"
    assert ax.get_xlabel() == "step t"
    assert [a.get_ylabel() for a in ax.figure.axes] == ["unit", "update gate z"]
    with plt.rc_context({"axes.grid": True}):
        first, _ = plt.subplots(2)[1]
        assert see.plot_gates(trace, ax=first, low=-1) is first
    assert first.images[0].get_clim() == (-1, 1)
    assert not any(line.get_visible() for line in first.get_xgridlines())
    assert first.figure.axes[-1].get_ylabel() == "gate"
    with pytest.raises(ValueError, match=r"trace: expected axes \(T, H\)"):
        see.plot_gates(trace[None])


# --- bad input


@pytest.mark.parametrize("look", [see.run, see.jacobians, see.gate_traces])
def test_bad_input_is_named(look):
    cell, x = build("gru"), sample("gru")
    with pytest.raises(ValueError, match="inputs: expected axes"):
        look(cell, x[0])
    with pytest.raises(ValueError, match="inputs: expected width"):
        look(cell, x[:, :, :2])
    with pytest.raises(TypeError, match="inputs: expected a NDArray"):
        look(cell, x.asnumpy())
    with pytest.raises(TypeError, match="cell: expected a "):
        look(RNN(cell), x)
    with pytest.raises(ValueError, match="states"):
        look(cell, x, random_states(cell, 2))


def test_a_cell_without_gates_has_no_gate_traces():
    with pytest.raises(TypeError, match="cell: expected a GRUCell or LSTMCell, received ElmanCell"):
        see.gate_traces(build("elman-tanh"), sample("elman-tanh"))
