"""docs/notation.md says what is so: parameters, gates, conventions, where a word is explained."""

import re

import nbformat
import numpy as np
import pytest
from book import BOOK, ROOT
from mxnet import gluon, nd

from gluon_rnn import cells
from gluon_rnn.cells import GRUCell, LSTMCell

PAGE = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))


def table(header):
    """The rows, as lists of cells, of the table whose header begins so."""
    _, _, rest = PAGE.partition(f"| {header} ")
    rows = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def markdown(path):
    nb = nbformat.read(path, as_version=4)
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def test_axes_are_those_of_the_rules():
    rules = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("\n", " ")
    for letter, axis in table("letter | axis"):
        assert f"{letter} {re.split(':| of| units', axis)[0]}" in rules


def test_symbols_are_the_cells_letters():
    said = {name: {} for name in set(cells.__all__) - {"Cell"}}
    for symbol, _, parameter, names in table("symbol | what"):
        for name in said if names == "all" else names.split(", "):
            said[name][symbol] = parameter.strip("`")
    assert said == {name: getattr(cells, name).letters for name in said}


def test_gates_are_in_the_order_of_the_parameters():
    for name, gates in table("cell | gates"):
        assert getattr(cells, name).gates == "".join(g.split()[0] for g in gates.split(", "))


def gru_step(W, U, b, x, h, reset, z_keeps):
    """A step of either convention, from rows of the page and not from the package's code."""
    (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n) = (np.split(a, 3) for a in (W, U, b))
    r, z = (1 / (1 + np.exp(-a)) for a in (W_r @ x + U_r @ h + b_r, W_z @ x + U_z @ h + b_z))
    n = np.tanh(W_n @ x + b_n + (U_n @ (r * h) if reset == "before" else r * (U_n @ h)))
    return z * h + (1 - z) * n if z_keeps else (1 - z) * h + z * n


@pytest.mark.parametrize("who", ["this book", "MXNet"])
def test_whose_gru_it_is(who):
    (row,) = [row for row in table("GRU of | reset") if who in row[0]]
    draw = np.random.RandomState(0)
    W, U, b, x, h = (draw.normal(size=s) for s in ((6, 3), (6, 2), 6, 3, 2))
    expected = gru_step(W, U, b, x, h, row[1].split()[0], row[2].startswith("keeps"))
    cell = GRUCell(2, input_size=3) if who == "this book" else gluon.rnn.GRUCell(2, input_size=3)
    cell.initialize("zeros")
    cell.cast("float64")
    for name, value in (("i2h_weight", W), ("h2h_weight", U), ("i2h_bias", b)):
        getattr(cell, name).set_data(nd.array(value, dtype="float64"))
    _, (state,) = cell(nd.array([x], dtype="float64"), [nd.array([h], dtype="float64")])
    assert abs(state.asnumpy()[0] - expected).max() < 1e-12
    others = [
        gru_step(W, U, b, x, h, reset, keeps)
        for reset in ("before", "after")
        for keeps in (True, False)
    ]
    assert sum(abs(other - expected).max() > 1e-3 for other in others) == 3


def test_the_books_lstm_has_gluons_order():
    ours, theirs = LSTMCell(2, input_size=3), gluon.rnn.LSTMCell(2, input_size=3)
    for cell in (ours, theirs):
        cell.initialize("zeros")
        cell.i2h_bias.set_data(nd.arange(8))
    x, states = nd.ones((1, 3)), [nd.ones((1, 2)), nd.ones((1, 2))]
    assert np.array_equal(ours(x, states)[0].asnumpy(), theirs(x, states)[0].asnumpy())


ORDINARY = {"state", "unit", "cell", "gate", "lag", "truncated", "ablation", "padding"}
ORDINARY |= {"chance", "label", "residual"}
WORDS = [(word, number) for word, _, number in table("word | meaning")]


@pytest.mark.parametrize(("word", "number"), WORDS)
def test_a_word_is_explained_where_it_first_occurs(word, number):
    plural = re.sub(r"y$", "(?:y|ies)", word) + "s?"
    for path in NOTEBOOKS:
        text = markdown(path)
        if path.stem[:2] == number:
            emphasised = re.search(rf"(?<!\w)\*{{1,2}}{plural}\*{{1,2}}(?!\w)", text, re.IGNORECASE)
            assert emphasised, f"{path.name} explains *{word}*, so there it stands in italics"
            return
        early = re.search(rf"\b{plural}\b", text, re.IGNORECASE)
        assert word in ORDINARY or not early, f"{word!r} in {path.name}, before it is explained"
    pytest.fail(f"no notebook {number}")


def test_words_that_the_book_does_not_use():
    for path in NOTEBOOKS:
        for word in ("blame", "blamed", "blames"):
            assert not re.search(rf"\b{word}\b", markdown(path), re.IGNORECASE), (
                f"{word!r} in {path.name}"
            )
