"""Every cell against every property. The rows are in ``table.py``."""

import mxnet as mx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import autograd, gluon, nd
from table import (
    ROWS,
    TWIN_LAYERS,
    TWINS,
    C,
    H,
    assert_same,
    build,
    loop,
    random_states,
    record,
    sample,
    short,
    unroll,
)

from gluon_rnn import RNN, cells

every_cell = pytest.mark.parametrize("name", ROWS)


def test_every_public_cell_has_a_row():
    public = {getattr(cells, name) for name in cells.__all__} - {cells.Cell}
    assert public == {type(row.make()) for row in ROWS.values()}


def test_every_public_cell_is_documented():
    parts = ("Source:", "Symbols:", "Parameters:", "Inputs and outputs:", "Raises:", "Differs from")
    for name in set(cells.__all__) - {"Cell"}:
        doc = getattr(cells, name).__doc__
        assert ".. math::" in doc, name
        assert [part for part in parts if part not in doc] == [], name
        cell = getattr(cells, name)
        steps = getattr(cell, "gate_values", cell.hybrid_forward).__code__
        parameters = steps.co_varnames[4 : steps.co_argcount]
        assert [p for p in parameters if p not in doc] == [], name


@every_cell
def test_unroll_is_a_loop_of_steps(name):
    cell, x = build(name), sample(name)
    states = random_states(cell, 3)
    assert_same(record(unroll(cell), cell, x, states), record(loop(cell), cell, x, states), 1e-14)


@every_cell
def test_hybridized_is_imperative(name):
    cell, x = build(name), sample(name)
    states = random_states(cell, 3)
    imperative = record(loop(cell), cell, x, states)
    cell.hybridize()
    assert_same(record(loop(cell), cell, x, states), imperative, 1e-14)


@every_cell
def test_both_layouts_are_one_computation(name):
    cell, x = build(name), sample(name)
    states = random_states(cell, 3)
    ntc = record(unroll(cell, "NTC"), cell, x, states)

    def turned(x, states):
        outputs, states = unroll(cell, "TNC")(x.swapaxes(0, 1), states)
        return outputs.swapaxes(0, 1), states

    assert_same(record(turned, cell, x, states), ntc, 1e-14)


@every_cell
@pytest.mark.parametrize("lengths", [None, (1, 6, 4)])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_engine_is_the_loop(name, lengths, dtype):
    """Fused = unrolled = imperative: outputs, states and all gradients, padded or not."""
    cell, x = build(name, dtype), sample(name, dtype=dtype)
    states = random_states(cell, 3, dtype)

    def alone(x, states):
        """Every sequence by itself, without padding."""
        outputs, last = [], []
        for n, T in enumerate(lengths or (6, 6, 6)):
            o, s = loop(cell)(x[n : n + 1, :T], [s[n : n + 1] for s in states])
            rest = nd.zeros((1, 6 - T, o.shape[2]), dtype=dtype) if T < 6 else None
            outputs.append(o if rest is None else nd.concat(o, rest, dim=1))
            last.append(s)
        return nd.concat(*outputs, dim=0), [nd.concat(*s, dim=0) for s in zip(*last, strict=True)]

    expected = record(alone, cell, x, states)
    layers = {"auto": RNN(cell), "unrolled": RNN(cell, "unrolled"), "imperative": RNN(cell)}
    layers["imperative"].hybridize(False)
    for layer in layers.values():
        received = record(lambda x, s, layer=layer: layer(x, s, lengths), cell, x, states)
        assert_same(received, expected, 1e-12 if dtype == "float64" else 3e-6)


@every_cell
@pytest.mark.parametrize("T", [1, 2, 6])
def test_a_layer_that_begins_in_zeros_has_the_cells_gradients(name, T):
    """The begin states want no gradient, as in training: that must not change the others."""
    gradients = []
    for engine in ("auto", "unrolled", "stepwise"):
        cell, x = build(name), sample(name, T=T)
        x.attach_grad()
        with autograd.record():
            stepwise = engine == "stepwise"
            h, _ = cell.unroll(T, x, merge_outputs=True) if stepwise else RNN(cell, engine)(x)
            (h * nd.arange(h.size, dtype=x.dtype).reshape(h.shape)).sum().backward()
        gradients.append({"x": x.grad, **{n: p.grad() for n, p in cell._reg_params.items()}})
    for found in gradients[:2]:
        for key, expected in gradients[2].items():
            error = abs(found[key] - expected).max().asscalar()
            assert error < 1e-9, f"{name}, {key}: off by {error}"


@every_cell
def test_gradients_are_central_differences(name):
    cell, x = build(name), sample(name, N=2, T=4)
    states = random_states(cell, 2)
    layer = RNN(cell)
    gradients = record(layer, cell, x, states)
    checked = {"d inputs": x, **{f"d states[{k}]": s for k, s in enumerate(states)}}
    for p in cell.collect_params().values():
        checked[f"d {short(p, cell.prefix)}"] = p.data()
    eps, draw = 1e-6, np.random.RandomState(3)
    for label, array in checked.items():
        assert np.abs(gradients[label]).max() > 1e-3, f"{label} is too small to tell anything"
        for k in draw.permutation(array.size)[:8]:
            index = np.unravel_index(k, array.shape)
            kept, losses = array[index].asscalar(), []
            for step in (eps, -eps):
                array[index] = kept + step
                losses.append(record(layer, cell, x, states)["loss"].item())
            array[index] = kept
            expected = (losses[0] - losses[1]) / (2 * eps)
            received = gradients[label][index]
            message = f"{name}, {label}{list(index)}: received {received}, expected {expected}"
            assert received == pytest.approx(expected, rel=1e-6, abs=1e-7), message


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_gluons_cell_is_the_same_by_name(name, dtype, tolerance):
    cell, x = build(name, dtype), sample(name, dtype=dtype)
    twin = ROWS[name].twin()
    twin.initialize()
    twin.cast(dtype)
    states = random_states(cell, 3, dtype)
    twin(x[:, 0], states)  # settles the deferred sizes
    for key, parameter in cell._collect_params_with_prefix().items():
        twin._collect_params_with_prefix()[key].set_data(parameter.data())
    ours = record(unroll(cell), cell, x, states)
    assert_same(record(unroll(twin), twin, x, states), ours, tolerance)


@pytest.mark.parametrize("name", TWIN_LAYERS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_gluons_layer_is_the_same_by_name(name, dtype, tolerance):
    if name == "elman-relu" and dtype == "float64":
        tolerance = 1e-6  # the fused operator rounds its ReLU to float32
    cell, x = build(name, dtype), sample(name, dtype=dtype)
    twin = ROWS[name].twin_layer()
    twin.initialize()
    twin.cast(dtype)
    states = random_states(cell, 3, dtype)
    twin(x.swapaxes(0, 1), [s.expand_dims(0) for s in states])
    theirs = {short(p, twin.prefix): p for p in twin.collect_params().values()}
    for p in cell.collect_params().values():
        theirs[short(p, cell.prefix)].set_data(p.data())

    def run(x, states):
        outputs, last = twin(x.swapaxes(0, 1), [s.expand_dims(0) for s in states])
        return outputs.swapaxes(0, 1), [s[0] for s in last]

    ours = record(RNN(cell), cell, x, states)
    assert_same(record(run, twin, x, states), ours, tolerance)


@every_cell
def test_gluons_containers_take_it(name):
    cell, x = build(name), sample(name)
    stack = gluon.rnn.HybridSequentialRNNCell()
    stack.add(cell)
    stack.add(gluon.rnn.DropoutCell(0.5))  # silent outside training
    states = random_states(cell, 3)
    plain, last = unroll(cell)(x, states)
    stacked, stacked_last = unroll(stack)(x, states)
    assert np.array_equal(stacked.asnumpy(), plain.asnumpy())
    assert np.array_equal(stacked_last[0].asnumpy(), last[0].asnumpy())

    other = build(name, seed=7)
    both = gluon.rnn.BidirectionalCell(cell, other)
    outputs, _ = both.unroll(6, x, states + states, merge_outputs=True)
    ahead, back = nd.split(outputs, num_outputs=2, axis=2)
    turned, _ = unroll(other)(nd.flip(x, axis=1), states)
    assert np.array_equal(ahead.asnumpy(), plain.asnumpy())
    assert np.array_equal(back.asnumpy(), nd.flip(turned, axis=1).asnumpy())


@every_cell
def test_parameters_survive_a_file(name, tmp_path):
    layer, x = RNN(build(name)), sample(name)
    file = str(tmp_path / "cell.params")
    layer.save_parameters(file)
    other = RNN(build(name, seed=9))
    before = other(x)[0].asnumpy()
    other.load_parameters(file)
    assert np.array_equal(other(x)[0].asnumpy(), layer(x)[0].asnumpy())
    assert not np.array_equal(other(x)[0].asnumpy(), before)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.deferred])
def test_the_first_input_settles_the_width(name):
    x = sample(name, dtype="float32")
    for first in (lambda c: c(x[:, 0], c.begin_state(3)), lambda c: RNN(c)(x)):
        cell = ROWS[name].make()
        assert cell.input_size == 0
        cell.initialize()
        first(cell)
        assert cell.input_size == x.shape[2]
        assert cell.i2h_weight.data().shape[1] == x.shape[2]


@every_cell
def test_cast_changes_what_a_layer_computes_in(name):
    layer, x = RNN(build(name, "float32")), sample(name, dtype="float32")
    single = layer(x)[0]
    layer.cast("float64")
    double, states = layer(x.astype("float64"))
    assert {a.dtype for a in (double, *states)} == {np.float64}
    assert double.asnumpy() == pytest.approx(single.asnumpy(), abs=1e-5)
    assert np.abs(double.asnumpy() - single.asnumpy()).max() > 0  # it did change


@every_cell
def test_a_second_backward_gives_the_same(name):
    layer, x = RNN(build(name)), sample(name)
    x.attach_grad()
    with autograd.record():
        outputs, _ = layer(x)
        loss = (outputs**2).sum()
    loss.backward(retain_graph=True)
    first = x.grad.asnumpy().copy()
    x.grad[:] = 0
    loss.backward()
    assert np.abs(first).max() > 0
    assert np.array_equal(x.grad.asnumpy(), first)


@every_cell
def test_two_calls_in_one_loss(name):
    """The compiled graph keeps what the first call needs when it is called a second time."""
    cell, x = build(name), sample(name)
    states = random_states(cell, 3)
    layer = RNN(cell)

    def halves(x, states):
        first, states = layer(x[:, :3], states)
        second, states = layer(x[:, 3:], states)
        return nd.concat(first, second, dim=1), states

    assert_same(record(halves, cell, x, states), record(layer, cell, x, states), 1e-13)


@every_cell
@settings(max_examples=5, deadline=None, derandomize=True)
@given(N=st.integers(1, 4), T=st.integers(1, 7), data=st.data())
def test_any_shape(name, N, T, data):
    """N = 1 and T = 1 among them; lengths drawn at random."""
    cell, x = build(name), sample(name, N, T)
    lengths = data.draw(st.lists(st.integers(1, T), min_size=N, max_size=N))
    states = random_states(cell, N)
    fast, slow = RNN(cell), RNN(cell, "unrolled")
    slow.hybridize(False)
    expected = record(lambda x, s: slow(x, s, lengths), cell, x, states)
    assert_same(record(lambda x, s: fast(x, s, lengths), cell, x, states), expected, 1e-12)
    assert expected["outputs"].shape[:2] == (N, T)


@every_cell
def test_no_parameter_of_a_test_is_zero(name):
    """The guard of the guards: a parameter left at zero would hide an error in its share."""
    for p in build(name).collect_params().values():
        assert np.abs(p.data().asnumpy()).min() > 0, p.name


@every_cell
def test_names_and_states_are_as_gluon_asks(name):
    cell = ROWS[name].make(prefix="mine_")
    assert {p.name for p in cell.collect_params().values()} == {
        f"mine_{n}" for n in cell._reg_params
    }
    for batch, info in ((0, cell.state_info()), (3, cell.state_info(3))):
        assert [(s["shape"][0], s["__layout__"]) for s in info] == [(batch, "NC")] * len(info)


@every_cell
def test_every_parameter_has_an_initializer_of_its_own(name):
    size = {"input_size": ROWS[name].width} if ROWS[name].deferred else {}
    plain = ROWS[name].make(**size)
    plain.initialize(mx.init.One())
    for k, (key, p) in enumerate(plain._reg_params.items()):
        if not (name.startswith("lstm") and key == "i2h_bias"):  # its forget gate's begins at 1
            assert {*p.data().asnumpy().flat} == {len(p.shape) - 1}, key  # a vector at 0
        one = ROWS[name].make(**size, **{f"{key}_initializer": mx.init.Constant(k + 2)})
        one.initialize(mx.init.One())
        constant = [n for n, q in one._reg_params.items() if (q.data() == k + 2).min().asscalar()]
        assert constant == [key]


@every_cell
def test_gluons_unroll_takes_lengths(name):
    cell, x, states = build(name), sample(name), random_states(build(name), 3)
    lengths = nd.array([2, 6, 1])

    def run(x, states):
        outputs, last = RNN(cell)(x, states, lengths)
        return nd.SequenceMask(outputs, lengths, True, axis=1), last

    def gluons(x, states):
        return cell.unroll(6, x, states, merge_outputs=True, valid_length=lengths)

    assert_same(record(gluons, cell, x, states), record(run, cell, x, states), 1e-12)
    zeros = [nd.zeros_like(s) for s in states]
    begun = cell.unroll(6, x, merge_outputs=True)[0].asnumpy()
    assert np.array_equal(begun, unroll(cell)(x, zeros)[0].asnumpy())


@every_cell
def test_weights_are_set_by_the_letters_of_the_equations(name):
    """Read by parameter, set by letter in another cell: the same step; every parameter has one."""
    cell, other = build(name), ROWS[name].make()
    p = {n: q.data().asnumpy() / 3 for n, q in cell._reg_params.items()}  # no numbers of float32
    assert {other.letters[k] for k in other.letters} >= set(p)
    letters = {k: p[n] for k, n in other.letters.items() if n in p}
    other.set_weights(dtype="float64", **{k: v.tolist() for k, v in letters.items()})
    assert all(np.array_equal(q.data().asnumpy(), p[n]) for n, q in other._reg_params.items())
    single = ROWS[name].make().set_weights(**letters)  # without a dtype the cell keeps its own
    assert {q.data().dtype for q in single._reg_params.values()} == {np.float32}


@pytest.mark.parametrize(("name", "gates"), [("gru", "rzn"), ("lstm", "ifgo")])
def test_weights_are_set_gate_by_gate_in_any_order(name, gates):
    cell = ROWS[name].make()
    W = {k: np.full((H, C), ord(k)) for k in reversed(gates)}
    cell.set_weights(W=W, b={k: [float(ord(k))] * H for k in gates})
    assert cell.i2h_weight.data()[:, 0].asnumpy().tolist() == [
        ord(k) for k in gates for _ in range(H)
    ]
    assert cell.i2h_bias.data().asnumpy().tolist() == [ord(k) for k in gates for _ in range(H)]
    assert cell.h2h_bias.data().asnumpy().tolist() == [0] * (len(gates) * H)


def test_a_bias_is_the_whole_bias():
    cell = build("elman-tanh")
    cell.set_weights(b=np.arange(H))
    assert cell.i2h_bias.data().asnumpy().tolist() == list(range(H))
    assert cell.h2h_bias.data().asnumpy().tolist() == [0] * H
    U = cell.h2h_weight.data().asnumpy()
    cell.set_weights(b_h=np.ones(H))
    assert cell.i2h_bias.data().asnumpy().tolist() == list(range(H))
    assert np.array_equal(cell.h2h_weight.data().asnumpy(), U)


def test_what_is_not_named_keeps_the_initializer_that_waits_for_a_width():
    cell = ROWS["gru"].make()
    cell.initialize(mx.init.One())
    cell.set_weights(b=np.zeros(3 * H))
    cell(nd.ones((1, C)), cell.begin_state(1))
    assert (cell.i2h_weight.data() == 1).asnumpy().all()
    assert not cell.i2h_bias.data().asnumpy().any()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"Q": 1}, "letter: expected one of W, U, b, b_h, received 'Q'"),
        ({"p_i": np.ones(H)}, "letter: expected one of W, U, b, b_h, received 'p_i'"),
        ({"U": np.ones((4 * H, H + 1))}, r"U: expected shape \(20, 5\), received \(20, 6\)"),
        ({"b": 1.0}, r"b: expected shape \(20,\), received \(\)"),
        ({"W": {"i": [1]}}, "W: expected the gates i, f, g, o, received i"),
        ({"b": np.ones(4 * H), "U": 3}, "U: expected shape"),
    ],
)
def test_weights_that_do_not_fit_change_nothing(weights, message):
    cell = build("lstm")
    before = {n: q.data().asnumpy() for n, q in cell._reg_params.items()}
    with pytest.raises(ValueError, match=message):
        cell.set_weights(**weights)
    assert all(np.array_equal(q.data().asnumpy(), before[n]) for n, q in cell._reg_params.items())
