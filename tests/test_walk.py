"""A walk through a step: each equation gives the number beside it, each number is autograd's."""

import mxnet as mx
import numpy as np
import pytest
from book import BOOK
from mxnet import autograd, nd

from gluon_rnn import ElmanCell, GRUCell, LSTMCell


@pytest.fixture(scope="module", autouse=True)
def walk():
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(BOOK)
    import walk

    yield walk
    patch.undo()


CELLS = {"srn": ElmanCell, "gru": GRUCell, "lstm": LSTMCell}


def begun(name, H=2, C=1):
    mx.random.seed(3)
    cell, draw = CELLS[name](H, input_size=C), np.random.RandomState(4)
    cell.initialize(mx.init.Normal(0.8))
    cell.cast("float64")
    for p in cell.collect_params().values():
        p.set_data(nd.array(draw.normal(size=p.shape), dtype="float64"))
    states = [draw.normal(size=H) for _ in cell.state_info()]
    return cell, draw.normal(size=C), states, [draw.normal(size=H) for _ in states]


FUNCTIONS = {"σ": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh}


@pytest.mark.parametrize("size", [(2, 1), (3, 2)])
@pytest.mark.parametrize("name", CELLS)
def test_every_equation_gives_its_number(name, size, walk):
    from drawing import carried_out

    cell, x, states, later = begun(name, *size)
    values = walk.values_of(cell, x, states, later)
    steps = walk.steps_of(cell)
    for step in steps:
        got, shown = carried_out(step, values, FUNCTIONS), np.asarray(values[walk.name_of(step)])
        shown = shown[:, None] if shown.ndim == 1 else shown
        assert got.shape == shown.shape, step
        assert got == pytest.approx(shown, abs=1e-12), step
    named = {walk.name_of(step) for step in steps}
    assert len(named) == len(steps)
    gates = {"srn": [""], "gru": ["_r", "_z", "_n"], "lstm": ["_i", "_f", "_g", "_o"]}[name]
    assert {f"d{letter}{g}" for letter in "WUb" for g in gates} <= named
    assert {"∂L/∂x", "∂L/∂h₋"} <= named


@pytest.mark.parametrize("name", CELLS)
def test_the_numbers_are_the_cells_and_autograds(name, walk):
    """Watching changes nothing: the plain step, and its gradients, are the same."""
    cell, x, states, later = begun(name)
    values = walk.values_of(cell, x, states, later)
    plain = [nd.array(a[None], dtype="float64") for a in (x, *states)]
    for a in plain:
        a.attach_grad()
    with autograd.record():
        _, new = cell(plain[0], plain[1:])
        pairs = zip(new, later, strict=True)
        loss = sum((s * nd.array(a[None], dtype="float64")).sum() for s, a in pairs)
    loss.backward()
    names = ["h₋", "c₋"][: len(states)]
    assert values["∂L/∂x"] == pytest.approx(plain[0].grad.asnumpy()[0], abs=1e-14)
    for n, a in zip(names, plain[1:], strict=True):
        assert values[f"∂L/∂{n}"] == pytest.approx(a.grad.asnumpy()[0], abs=1e-14)
    assert values["h"] == pytest.approx(new[0].asnumpy()[0], abs=1e-14)
    for letter, parameter in (("W", "i2h_weight"), ("U", "h2h_weight"), ("b", "i2h_bias")):
        gates = [f"_{g}" for g in cell.gates] or [""]
        whole = np.concatenate([values[f"d{letter}{g}"] for g in gates])
        expected = getattr(cell, parameter).grad().asnumpy()
        assert whole == pytest.approx(expected, abs=1e-14)
        assert abs(expected).max() > 1e-3


@pytest.mark.parametrize("name", CELLS)
def test_every_step_is_a_picture_of_its_own(name, walk):
    cell, x, states, later = begun(name)
    values = walk.values_of(cell, x, states, later)
    count = len(walk.steps_of(cell))
    pictures = {walk.png(cell, values, step) for step in (0, 1, count // 2, count)}
    assert len(pictures) == 4
    said = walk.in_text(cell, values).splitlines()
    assert len(said) == count + 1 + len(states)
    assert not any("nan" in line for line in said)


@pytest.fixture
def panel(walk, monkeypatch):
    """The widgets of a walk through a GRU: slider, what to change, to what, note, image."""
    shown = []
    monkeypatch.setattr(walk, "display", lambda data, raw: shown.append(data))
    boxes, make = [], walk.widgets.VBox
    monkeypatch.setattr(walk.widgets, "VBox", lambda rows: boxes.append(make(rows)) or boxes[-1])
    cell, x, states, later = begun("gru")
    walk.walk(cell, x, states, later)
    slider, row, note, image = boxes[0].children
    return cell, slider, *row.children, note, image, shown


def test_a_slider_moves_and_a_weight_is_changed(panel):
    cell, slider, what, to, note, image, shown = panel
    assert set(shown[0]) >= {"image/png", "text/plain"}
    last = image.value
    slider.value = 3
    assert image.value != last
    third = image.value
    what.value = "U_n 2 1"
    assert float(to.value.replace("−", "-")) == pytest.approx(
        cell.h2h_weight.data()[5, 0].asscalar(), rel=1e-4
    )
    to.value = "0.5"
    assert cell.h2h_weight.data()[5, 0].asscalar() == 0.5
    slider.value = 4
    fourth = image.value
    to.value = "−2"
    assert image.value != fourth
    assert third != fourth
    what.value = "x 1"
    to.value = "0.25"
    assert note.value == ""


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "1e308", "-1001"])
def test_what_is_no_number_changes_nothing(text, panel):
    cell, _, what, to, note, image, _ = panel
    before, weights = image.value, cell.h2h_weight.data().asnumpy().copy()
    what.value = "U_r 1 1"
    to.value = text
    assert repr(text) in note.value
    assert image.value == before
    assert np.array_equal(cell.h2h_weight.data().asnumpy(), weights)
    to.value = "0.125"
    assert note.value == ""


@pytest.mark.parametrize(
    "cell",
    [ElmanCell(2, "relu"), GRUCell(2, reset_after=True), LSTMCell(2, peephole=True)],
    ids=repr,
)
def test_a_cell_without_a_walk_says_so(cell, walk):
    with pytest.raises(TypeError, match="cell: expected an ElmanCell with tanh"):
        walk.steps_of(cell)


def test_too_many_units_to_read_says_so(walk):
    with pytest.raises(ValueError, match="hidden_size: expected at most 3 to read, received 4"):
        walk.walk(*begun("gru", H=4))


def given_by_hand():
    """The network of notebook 03."""
    arrays = {"h₀": [1, 2], "x₁": [1, 0, 0], "x₂": [0, 1, 0], "U": [[-1, 0], [2, 1]]}
    arrays |= {"W": [[1, 2, 3], [4, 5, 6]], "b": [-2, 2], "V": [[1, 0], [2, -1], [3, 1]]}
    return {name: np.array(a, dtype="float64") for name, a in arrays.items()}


def test_a_number_of_notebook_03_is_changed_and_all_others_follow(walk):
    """As autograd has them; and changed back, all is as it was."""
    import drawing

    from gluon_rnn import gradients

    values = given_by_hand()
    numbers = drawing.changes(values)
    assert len(numbers) == 3 + 3 + 2 + 4 + 6 + 2 + 6
    for name, new in (("h₀ 1", 3.0), ("W 2 1", -1.5), ("V 3 2", 0.25), ("x₂ 3", 2.0)):
        get, put = numbers[name]
        old = get()
        put(new)
        p = gradients.Parameters(*(values[n] for n in ("U", "W", "b", "V", "h₀")))
        x = [values["x₁"], values["x₂"]]
        _, h, y = gradients.forward(p, x, "relu")
        d = gradients.bptt(p, x, lambda t, y_t: y_t, "relu")
        assert values["L"] == pytest.approx((y**2).sum() / 2)
        assert values["h₂"] == pytest.approx(h[2])
        for field, own in zip(d, ("dU", "dW", "db", "dV", "∂L/∂h₀"), strict=True):
            assert values[own] == pytest.approx(field), (name, own)
        assert drawing.png(values, 18, equation=True)
        put(old)
    assert values["L"] == 389
    assert values["dU"].tolist() == [[0, 0], [54, 448]]
    assert values["∂L/∂h₀"].tolist() == [108, 54]
