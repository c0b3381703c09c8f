"""Cells and layers × faults: every message names the argument, the expected and the received."""

from unittest.mock import Mock

import numpy as np
import pytest
from mxnet import gluon, nd
from table import ROWS, build, random_states, sample

from gluon_rnn import RNN, Bidirectional, Stacked, cells

STEP_FAULTS = {
    # fault: (change to x and states, error, words of the message)
    "rank 3": (lambda x, s: (x.expand_dims(1), s), ValueError, "inputs: expected axes (N, C)"),
    "rank 1": (lambda x, s: (x[0], s), ValueError, "inputs: expected axes (N, C)"),
    "width": (lambda x, s: (x[:, 1:], s), ValueError, "inputs: expected width"),
    "batch": (lambda x, s: (x[1:], s), ValueError, "states[0]: expected shape (2, "),
    "state width": (
        lambda x, s: (x, [s[0][:, 1:], *s[1:]]),
        ValueError,
        "states[0]: expected shape",
    ),
    "state rank": (lambda x, s: (x, [s[0].expand_dims(0), *s[1:]]), ValueError, "states[0]"),
    "a state more": (lambda x, s: (x, [*s, s[0]]), ValueError, "states: expected"),
    "a state less": (lambda x, s: (x, s[1:]), ValueError, "states: expected"),
    "no list": (lambda x, s: (x, s[0]), TypeError, "states: expected a list"),
    "inputs' dtype": (lambda x, s: (x.astype("float64"), s), TypeError, "inputs: expected dtype"),
    "states' dtype": (
        lambda x, s: (x, [s[0].astype("float64"), *s[1:]]),
        TypeError,
        "states[0]: expected dtype float32, received float64",
    ),
    "no states": (lambda x, s: (x, [None] * len(s)), TypeError, "states[0]: expected a NDArray"),
    "a number": (lambda x, s: (x, [3, *s[1:]]), TypeError, "states[0]: expected a NDArray"),
    "NumPy": (lambda x, s: (x.asnumpy(), s), TypeError, "inputs: expected a NDArray"),
    "mx.np": (lambda x, s: (x.as_np_ndarray(), s), TypeError, "inputs: expected an array of mx.nd"),
}


@pytest.mark.parametrize("hybridized", [False, True])
@pytest.mark.parametrize("fault", STEP_FAULTS)
@pytest.mark.parametrize("name", ROWS)
def test_a_step(name, fault, hybridized):
    cell, x = build(name, "float32"), sample(name, dtype="float32")[:, 0]
    cell.hybridize(hybridized)
    states = random_states(cell, 3, "float32")
    expected, _ = cell(x, states)
    change, error, words = STEP_FAULTS[fault]
    with pytest.raises(error) as caught:
        cell(*change(x, states))
    assert words in str(caught.value)
    assert "received" in str(caught.value)
    assert np.array_equal(cell(x, states)[0].asnumpy(), expected.asnumpy())  # nothing is lost


LAYERS = {
    "rnn": lambda name: RNN(build(name, "float32")),
    "unrolled": lambda name: RNN(build(name, "float32"), "unrolled"),
    "bidirectional": lambda name: Bidirectional(
        RNN(build(name, "float32")), RNN(build(name, "float32", seed=1))
    ),
    "stacked": lambda name: Stacked(RNN(build(name, "float32"))),
}
LENGTH = "valid_length: expected whole numbers from 1 to 6, received"
LAYER_FAULTS = {
    "rank 2": (lambda x, s: (x[:, 0], s), ValueError, "inputs: expected axes (N, T, C)"),
    "rank 4": (lambda x, s: (x.expand_dims(0), s), ValueError, "inputs: expected axes (N, T, C)"),
    "width": (lambda x, s: (x[:, :, 1:], s), ValueError, "inputs: expected width"),
    "batch": (lambda x, s: (x[1:], s), ValueError, "states[0]: expected shape (2, "),
    "TNC": (lambda x, s: (x.swapaxes(0, 1), s), ValueError, "states[0]: expected shape (6, "),
    "state width": (lambda x, s: (x, [s[0][:, 1:], *s[1:]]), ValueError, "states[0]"),
    "a state more": (lambda x, s: (x, [*s, s[0]]), ValueError, "states: expected"),
    "a state less": (lambda x, s: (x, s[1:]), ValueError, "states: expected"),
    "inputs' dtype": (lambda x, s: (x.astype("float64"), s), TypeError, "inputs: expected dtype"),
    "states' dtype": (
        lambda x, s: (x, [s[0].astype("float64"), *s[1:]]),
        TypeError,
        "states[0]: expected dtype float32, received float64",
    ),
    "NumPy": (lambda x, s: (x.asnumpy(), s), TypeError, "inputs: expected a NDArray"),
    "mx.np": (lambda x, s: (x.as_np_ndarray(), s), TypeError, "inputs: expected an array of mx.nd"),
    "no states": (lambda x, s: (x, [None] * len(s)), TypeError, "states[0]: expected a NDArray"),
    "a number": (lambda x, s: (x, [3, *s[1:]]), TypeError, "states[0]: expected a NDArray"),
    "length > T": (lambda x, s: (x, s, [1, 7, 6]), ValueError, f"{LENGTH} [7.0]"),
    "length 0": (lambda x, s: (x, s, [0, 6, 6]), ValueError, f"{LENGTH} [0.0]"),
    "negative length": (lambda x, s: (x, s, [-1, 6, 6]), ValueError, f"{LENGTH} [-1.0]"),
    "fraction": (lambda x, s: (x, s, nd.array([2.5, 6, 6])), ValueError, f"{LENGTH} [2.5]"),
    "NaN": (lambda x, s: (x, s, nd.array([np.nan, 6, 6])), ValueError, f"{LENGTH} [nan]"),
    "too few": (lambda x, s: (x, s, [6, 6]), ValueError, "valid_length: expected shape (3,)"),
    "words": (lambda x, s: (x, s, "abc"), TypeError, "valid_length: expected whole numbers"),
    "no list": (lambda x, s: (x, 5), TypeError, "states: expected a"),
}


@pytest.mark.parametrize("fault", LAYER_FAULTS)
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(
    "name", ["elman-tanh", "jordan", "tdnn", "narx", "residual", "gru", "lstm"]
)
def test_a_layer(name, layer, fault):
    layer, x = LAYERS[layer](name), sample(name, dtype="float32")
    states = random_states(layer, 3, "float32")
    expected, _ = layer(x, states)
    change, error, words = LAYER_FAULTS[fault]
    with pytest.raises(error) as caught:
        layer(*change(x, states))
    assert words in str(caught.value)
    assert "received" in str(caught.value)
    assert np.array_equal(layer(x, states)[0].asnumpy(), expected.asnumpy())


def test_every_public_cell_is_in_the_table_of_layers():
    (mark,) = (m for m in test_a_layer.pytestmark if m.args[0] == "name")
    assert {type(ROWS[name].make()) for name in mark.args[1]} == {
        type(r.make()) for r in ROWS.values()
    }


@pytest.mark.parametrize("name", ROWS)
def test_gluons_unroll(name):
    """The cells' ``unroll`` checks the lengths that MXNet would read memory by."""
    cell, x = build(name, "float32"), sample(name, dtype="float32")
    for lengths in ([7, 1, 1], [0, 1, 1], [-1, 1, 1], [1.5, 1, 1]):
        with pytest.raises(ValueError, match="valid_length: expected whole numbers from 1 to 6"):
            cell.unroll(6, x, valid_length=nd.array(lengths))
    with pytest.raises(ValueError, match="length: expected 6, the inputs' T, received 5"):
        cell.unroll(5, x)
    listed = [x[:, t] for t in range(6)]
    for lengths in ([7, 1, 1], [0, 1, 1], [1, 2]):
        with pytest.raises(ValueError, match="valid_length: expected"):
            cell.unroll(6, listed, valid_length=nd.array(lengths))
        both = gluon.rnn.BidirectionalCell(cell, build(name, "float32", seed=4))
        with pytest.raises(ValueError, match="valid_length: expected"):
            both.unroll(6, listed, valid_length=nd.array(lengths))
    with pytest.raises(ValueError, match="length: expected 6, the inputs' T, received 5"):
        cell.unroll(5, listed)
    with pytest.raises(TypeError, match="inputs: expected dtype float32, received float64"):
        cell.unroll(6, [*listed[:5], listed[5].astype("float64")])
    merged = cell.unroll(6, listed, valid_length=nd.array([6, 1, 3]), merge_outputs=True)[0]
    whole = cell.unroll(6, x, valid_length=nd.array([6, 1, 3]), merge_outputs=True)[0]
    assert np.array_equal(merged.asnumpy(), whole.asnumpy())
    with pytest.raises(ValueError, match=r"inputs: expected axes \(N, T, C\)"):
        cell.unroll(6, x[:, 0])
    with pytest.raises(ValueError, match="layout: expected one of"):
        cell.unroll(6, x, layout="NCT")


def test_no_axis_may_be_empty():
    """MXNet itself reads a length of 0 as "unknown"; the check must not depend on that."""
    empty = Mock(spec=nd.NDArray, ndim=3, shape=(2, 0, 4))
    with pytest.raises(
        ValueError, match=r"inputs: expected no axis of length 0, received \(2, 0, 4\)"
    ):
        build("gru").check_inputs(empty, "NTC")


CONSTRUCTION = [  # what is made, error, words
    *[
        (
            lambda cls=cls, bad=bad: cls(bad),
            ValueError,
            f"hidden_size: expected at least 1, received {bad}",
        )
        for cls in (cells.ElmanCell, cells.ResidualCell, cells.GRUCell, cells.LSTMCell)
        for bad in (0, -1)
    ],
    (lambda: cells.JordanCell(0, 2), ValueError, "hidden_size: expected at least 1"),
    (lambda: cells.JordanCell(2, 0), ValueError, "output_size: expected at least 1"),
    (lambda: cells.TDNNCell(0, 1, 1), ValueError, "hidden_size: expected at least 1"),
    (lambda: cells.TDNNCell(2, 0, 1), ValueError, "taps: expected at least 1, received 0"),
    (lambda: cells.TDNNCell(2, 1, 0), ValueError, "input_size: expected at least 1, received 0"),
    (lambda: cells.NARXCell(0, 1, 1, 1, 1), ValueError, "hidden_size: expected at least 1"),
    (lambda: cells.NARXCell(2, 0, 1, 1, 1), ValueError, "output_size: expected at least 1"),
    (lambda: cells.NARXCell(2, 1, 0, 1, 1), ValueError, "input_taps: expected at least 1"),
    (lambda: cells.NARXCell(2, 1, 1, -2, 1), ValueError, "output_taps: expected at least 1"),
    (lambda: cells.NARXCell(2, 1, 1, 1, 0), ValueError, "input_size: expected at least 1"),
    (lambda: cells.ElmanCell(2.5), TypeError, "hidden_size: expected a whole number, received 2.5"),
    (lambda: cells.GRUCell("2"), TypeError, "hidden_size: expected a whole number, received '2'"),
    (
        lambda: cells.LSTMCell(True),
        TypeError,
        "hidden_size: expected a whole number, received True",
    ),
    (lambda: cells.GRUCell(2, input_size=-1), ValueError, "input_size: expected at least 0"),
    (lambda: cells.ElmanCell(2, "gelu"), ValueError, "activation: expected one of 'tanh', 'relu'"),
    (lambda: cells.JordanCell(2, 2, "gelu"), ValueError, "activation: expected one of"),
    (
        lambda: cells.JordanCell(2, 2, "tanh", "softmax"),
        ValueError,
        "output_activation: expected one",
    ),
    (lambda: cells.TDNNCell(2, 1, 1, "gelu"), ValueError, "activation: expected one of"),
    (lambda: cells.NARXCell(2, 1, 1, 1, 1, "gelu"), ValueError, "activation: expected one of"),
    (lambda: cells.ResidualCell(2, activation=None), ValueError, "activation: expected one of"),
    (
        lambda: cells.LSTMCell(2, output_activation="relu"),
        ValueError,
        "output_activation: expected one",
    ),
    (
        lambda: cells.ElmanCell(2, i2h_wait_initializer=0),
        TypeError,
        "received 'i2h_wait_initializer'",
    ),
    (lambda: RNN(cells.GRUCell(2), engine="cudnn"), ValueError, "engine: expected one of 'auto'"),
    (lambda: RNN(RNN(cells.GRUCell(2))), TypeError, "cell: expected a Cell, received RNN"),
    (lambda: Bidirectional(cells.GRUCell(2), None), TypeError, "forward: expected a Layer"),
    (lambda: Bidirectional(RNN(cells.GRUCell(2)), None), TypeError, "backward: expected a Layer"),
    (
        lambda: Bidirectional(RNN(cells.GRUCell(2)), RNN(cells.GRUCell(2)), "mean"),
        ValueError,
        "merge: expected one of 'concat', 'sum'",
    ),
    (lambda: Stacked(), ValueError, "layers: expected at least one layer"),
    (lambda: Stacked(RNN(cells.GRUCell(2)), 3), TypeError, "layers[1]: expected a Layer"),
    (lambda: Stacked(RNN(cells.GRUCell(2)), dropout=1), ValueError, "dropout: expected at least 0"),
]


@pytest.mark.parametrize(("make", "error", "words"), CONSTRUCTION)
def test_construction(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


@pytest.mark.parametrize("hybridized", [False, True])
@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.deferred])
def test_a_call_that_fails_settles_no_width(name, hybridized):
    cell = ROWS[name].make()
    cell.hybridize(hybridized)
    states = cell.begin_state(2)
    for run in (lambda: RNN(cell)(nd.ones((2, 3, 9))), lambda: cell(nd.ones((2, 9)), states)):
        with pytest.raises(RuntimeError, match="has not been initialized"):
            run()
        assert cell.input_size == 0
    cell.initialize()
    RNN(cell)(nd.ones((2, 3, 4)))
    assert cell.input_size == 4
