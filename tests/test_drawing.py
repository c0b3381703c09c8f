"""A drawing says what its cell computes: the wiring, carried out, gives the cell's own numbers."""

import json

import mxnet as mx
import numpy as np
import pytest
from book import BOOK
from mxnet import autograd, nd

from gluon_rnn import (
    RNN,
    Bidirectional,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    NARXCell,
    ResidualCell,
    Stacked,
    TDNNCell,
)


@pytest.fixture(scope="module", autouse=True)
def drawing():
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(BOOK)
    import drawing

    yield drawing
    patch.undo()


H, C = 2, 3
CELLS = {
    "elman": lambda: ElmanCell(H, "relu", C),
    "jordan": lambda: JordanCell(H, 2, "sigmoid", "tanh", C),
    "residual, input": lambda: ResidualCell(H, recurrent=False, input_size=C),
    "residual": lambda: ResidualCell(H, input_size=C),
    "tdnn": lambda: TDNNCell(H, taps=3, input_size=C),
    "narx": lambda: NARXCell(H, 2, 2, 3, C),
    "gru": lambda: GRUCell(H, input_size=C),
    "gru, reset after": lambda: GRUCell(H, reset_after=True, input_size=C),
    "lstm": lambda: LSTMCell(H, input_size=C),
    "lstm, identity": lambda: LSTMCell(H, output_activation="identity", input_size=C),
    "lstm, peepholes": lambda: LSTMCell(H, peephole=True, input_size=C),
}
FUNCTIONS = {
    "σ": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "ReLU": lambda a: np.maximum(a, 0),
    "": lambda a: a,
}


def weights(cell):
    """The matrix, or the vector of a peephole, behind each name on a drawing."""
    found = {letter: getattr(cell, p).data().asnumpy() for letter, p in cell.letters.items()
             if p in cell._reg_params}  # fmt: skip
    if cell.gates:
        for letter in "WU":
            rows = np.split(found[letter], len(cell.gates))
            found |= {f"{letter}_{g}": row for g, row in zip(cell.gates, rows, strict=True)}
    delayed = {"W": 1, "U": 1} if "W_0" in found else {}
    for letter, first in delayed.items():
        if letter in found:
            width = C if letter == "W" else 2
            taps = np.split(found[letter], found[letter].shape[1] // width, axis=1)
            found |= {f"{letter}_{k}": tap for k, tap in enumerate(taps, first)}
    return found


def given(cell, x, states):
    """x_t and what the states hold, under the names of a drawing."""
    if isinstance(cell, (TDNNCell, NARXCell)):
        named = {"x": x}
        for letter, line, width in zip("xy", states, (C, 2), strict=False):
            parts = np.split(line, len(line) // width)
            named |= {f"{letter}-{k}": part for k, part in enumerate(parts, 1)}
        return named
    letters = {JordanCell: "y"}.get(type(cell), "hc")
    return {"x": x} | {f"{a}-1": s for a, s in zip(letters, states, strict=False)}


def carried_out(boxes, w, values):
    """Every box from what goes into it; biases are zero."""
    for name, (kind, sources) in boxes.items():
        parts = []
        for source, weight in sources:
            value, letter = values[source], weight.rstrip("!")
            if letter == "1−z":
                value = 1 - value
            elif letter:
                value = w[letter] * value if w[letter].ndim == 1 else w[letter] @ value
            parts.append(value)
        if kind == "⊙":
            values[name] = np.prod(parts, axis=0)
        else:
            values[name] = FUNCTIONS["" if kind == "+" else kind](np.sum(parts, axis=0))
    return values


@pytest.mark.parametrize("name", CELLS)
def test_a_wiring_carried_out_is_the_cell(name, drawing):
    cell, draw = CELLS[name](), np.random.RandomState(0)
    cell.initialize(mx.init.Normal(0.7))
    cell.cast("float64")
    for parameter in cell.collect_params().values():
        if parameter.name.endswith("bias"):
            parameter.set_data(nd.zeros(parameter.shape))
    x = draw.normal(size=C)
    states = [draw.normal(size=s["shape"][1]) for s in cell.state_info()]
    on_device = [nd.array(a[None], dtype="float64") for a in (x, *states)]
    output, new = cell(on_device[0], on_device[1:])
    boxes = drawing.parse(drawing.wiring(cell))
    values = carried_out(boxes, weights(cell), given(cell, x, states))
    assert values[list(boxes)[-1]] == pytest.approx(output.asnumpy()[0], abs=1e-12)
    if isinstance(cell, LSTMCell):
        assert values["c"] == pytest.approx(new[1].asnumpy()[0], abs=1e-12)


LAYERS = {
    "stack": lambda: Stacked(RNN(GRUCell(3)), RNN(LSTMCell(3)), RNN(ElmanCell(3))),
    "pair": lambda: Bidirectional(RNN(GRUCell(3)), RNN(GRUCell(3))),
    "both": lambda: Stacked(Bidirectional(RNN(GRUCell(3)), RNN(GRUCell(3))), RNN(ElmanCell(3))),
    "pairs": lambda: Stacked(*(Bidirectional(RNN(GRUCell(3)), RNN(GRUCell(3))) for _ in "ab")),
}


@pytest.mark.parametrize("name", LAYERS)
def test_arrows_lead_where_a_layer_looks(name, drawing):
    """Output t depends on input s exactly where the drawing has a way from x_s to o_t."""
    layer, T = LAYERS[name](), 4
    layer.initialize(mx.init.Uniform(0.9))
    rows, last = drawing.levels(layer)
    reached = np.zeros((len(rows) + 1, T, T), dtype=bool)  # level, step, input
    reached[0] = np.eye(T, dtype=bool)
    for r, (_, _, way, reads) in enumerate(rows, 1):
        for t in range(T)[::way]:
            for low in reads:
                reached[r, t] |= reached[low, t]
            if 0 <= t - way < T:
                reached[r, t] |= reached[r, t - way]
    ways = np.any([reached[r] for r in last], axis=0)
    x = nd.random.normal(shape=(1, T, 2))
    x.attach_grad()
    for t in range(T):
        with autograd.record():
            value = layer(x)[0][0, t].sum()
        value.backward()
        assert ((abs(x.grad.asnumpy()).sum(axis=(0, 2)) > 0) == ways[t]).all()


@pytest.mark.parametrize("name", CELLS)
def test_a_drawing_has_room(name, drawing):
    """No two boxes touch, no line leaves the paper, and a phone shows it."""
    boxes = drawing.parse(drawing.wiring(CELLS[name]()))
    at, row = drawing.places(boxes)
    spots = [at[n, r] for n, r in row.items()]
    for k, (x, y) in enumerate(spots):
        for x0, y0 in spots[:k]:
            assert abs(x - x0) >= 0.45 or abs(y - y0) >= 0.8
    width = np.ptp([x for x, _ in at.values()]) + 1.3
    assert width <= 6.9  # inches


def test_what_is_shown_has_a_picture_and_a_text(drawing, monkeypatch):
    seen = []
    monkeypatch.setattr(drawing, "display", lambda data, raw: seen.append(data))
    drawing.draw_cell(GRUCell(3))
    drawing.draw_layers(LAYERS["both"](), steps=2)
    assert all(set(data) == {"image/png", "text/plain"} for data in seen)
    assert "⊙n: ⊙ = n, z 1−z" in seen[0]["text/plain"]
    assert seen[1]["text/plain"].splitlines()[-1] == "o reads (3,)"
    assert len(json.dumps(seen)) < 200_000


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda d: d.draw_cell(TDNNCell(2, 7, 1)), ValueError, "delays: .* at most 6 .*received 7"),
        (lambda d: d.draw_cell(NARXCell(2, 1, 2, 30, 1)), ValueError, "delays: .* received 30"),
        (lambda d: d.draw_cell(mx.gluon.rnn.GRUCell(3)), TypeError, "cell: .* received GRUCell"),
        (lambda d: d.draw_layers(LAYERS["pair"](), 7), ValueError, "steps: expected 1 to 6"),
        (lambda d: d.draw_layers(LAYERS["pair"](), 0), ValueError, "steps: .* received 0"),
        (
            lambda d: d.draw_layers(Stacked(*(RNN(GRUCell(2)) for _ in range(7)))),
            ValueError,
            "layers: expected 1 to 6",
        ),
        (lambda d: d.draw_layers(GRUCell(3)), TypeError, "layer: .* received GRUCell"),
    ],
)
def test_what_cannot_be_drawn_says_so(call, error, words, drawing):
    with pytest.raises(error, match=words):
        call(drawing)
