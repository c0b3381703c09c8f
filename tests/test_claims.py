"""A measured number beside its claim: printed right, compared right, stored only where it holds."""

import re
import sys
from fractions import Fraction

import nbformat
import numpy as np
import pytest
from book import (
    BOOK,
    METADATA,
    alter_numbers,
    claims_in,
    compare,
    copied,
    execute,
    missed_claims,
    normalise,
    store,
    text,
)
from mxnet import nd
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(BOOK))
from workbench import claim, claim_all


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (claim(4.754, 4.3, 5.2), "4.75 ∈ [4.3, 5.2]"),
        (claim(5.3, 4.3, 5.2), "5.3 ∉ [4.3, 5.2]"),
        (claim(np.float32(0.5), 0, 1), "0.5 ∈ [0, 1]"),
        (claim(nd.array([0.25]).asscalar(), 0, 1), "0.25 ∈ [0, 1]"),
        (claim(np.array(2), 1, 3), "2 ∈ [1, 3]"),
        (claim(Fraction(1, 4), 0, 1), "0.25 ∈ [0, 1]"),
        (claim(15329, 15000, 16000, digits=5), "15329 ∈ [15000, 16000]"),
        (claim(15329, 15000, 16000), "15300 ∈ [15000, 16000]"),
        (claim(2.6123e-6, 1e-6, 1e-5), "2.61e-6 ∈ [1e-6, 1e-5]"),
        (claim(7.8e6, 1e6, 1e7), "7.8e6 ∈ [1e6, 1e7]"),
        (claim(-0.5, -1, 0), "-0.5 ∈ [-1, 0]"),
        (claim(float("nan"), 0, 1), "nan ∉ [0, 1]"),
        (claim(float("inf"), 0, 1), "inf ∉ [0, 1]"),
        (claim_all([4.8, 4.72, 4.75], 4.3, 5.2), "4.72 … 4.8 ∈ [4.3, 5.2]"),
        (claim_all([1, 1.0], 0, 2), "1 ∈ [0, 2]"),
        (claim_all([0.5, float("nan")], 0, 1), "0.5 … nan ∉ [0, 1]"),
        (claim_all([0.5, 7], 0, 1), "0.5 … 7 ∉ [0, 1]"),
    ],
)
def test_a_claim_is_printed(printed, said):
    assert printed == said


@pytest.mark.parametrize(
    ("value", "low", "high", "error", "message"),
    [
        (np.ones(2), 0, 1, TypeError, "expected one number, received ndarray of shape (2,)"),
        (nd.ones((2, 2)), 0, 1, TypeError, "received ndarray of shape (2, 2)"),
        ("4.7", 0, 1, TypeError, "received str"),
        (None, 0, 1, TypeError, "received NoneType"),
        (1 + 2j, 0, 1, TypeError, "received complex"),
        (1, 2, 1, ValueError, "expected low < high, received [2, 1]"),
        (1, 1, 1, ValueError, "expected low < high, received [1, 1]"),
        (1, 0, float("nan"), ValueError, "expected two finite numbers, received [0, nan]"),
        (1, 0, float("inf"), ValueError, "expected two finite numbers, received [0, inf]"),
        (1, "0", 1, ValueError, "expected two finite numbers"),
    ],
)
def test_a_claim_that_is_none(value, low, high, error, message):
    with pytest.raises(error, match=re.escape(message)):
        claim(value, low, high)


def test_no_values_are_no_claim():
    with pytest.raises(ValueError, match="at least one number, received none"):
        claim_all([], 0, 1)


def notebook(*lines):
    cells = map(new_code_cell, ["from workbench import claim, claim_all", *lines])
    return new_notebook(cells=list(cells), metadata=METADATA)


GRU = "print('GRU', claim(4.75, 4.3, 5.2), 'trigram', claim(7.01, 6.8, 7.2))"
SEEDS = "print('3 seeds:', claim_all([4.72, 4.8], 4.3, 5.2))"
# What was stored, what is printed now, whether comparing them passes.
COMPARED = [
    (GRU, GRU, True),
    (GRU, GRU.replace("4.75", "4.9"), True),  # a number elsewhere inside
    (GRU, GRU.replace("4.75", "5.3"), False),  # outside
    (GRU, GRU.replace("7.01", "17.01"), False),
    (GRU, GRU.replace("4.75", "float('nan')"), False),
    (GRU, GRU.replace("5.2", "6"), False),  # another interval
    (GRU, GRU.replace("GRU", "GRU 2"), False),  # another number, in no claim
    (SEEDS, SEEDS.replace("4.72, 4.8", "4.6"), True),  # a range is one number
    (SEEDS, SEEDS.replace("4.8]", "5.8]"), False),
]


def test_comparison_sees_the_claim_and_not_the_number():
    nb = notebook(*(stored for stored, _, _ in COMPARED))
    execute(nb)
    normalise(nb)
    for cell, (_, line, _) in zip(nb.cells[1:], COMPARED, strict=True):
        cell.source = line
    with copied() as root:
        nbformat.write(nb, root / "notebooks" / "99_claim.ipynb")
        failed = compare(root, ["99_claim"])["99_claim"]
    assert list(failed) == [k for k, (_, _, same) in enumerate(COMPARED, 1) if not same]


def test_alterations_leave_measured_numbers_alone():
    nb = notebook("print('GRU', claim(4.75, 4.3, 5.2), 'of 3 seeds')")
    execute(nb)
    assert alter_numbers(nb) == {1}
    assert text(nb.cells[1].outputs[0]) == "GRU 4.75 ∈ [5.3, 5.2] of 3 seeds\n"


def test_a_claim_that_does_not_hold_is_not_stored(tmp_path):
    path = tmp_path / "99_claim.ipynb"
    nbformat.write(notebook("print(claim(5.3, 4.3, 5.2))"), path)
    before = path.read_text()
    with pytest.raises(SystemExit, match=r"do not hold:\ncell 1: 5.3 ∉ \[4.3, 5.2\]"):
        store([path])
    assert path.read_text() == before


def test_claims_are_read_from_outputs():
    nb = notebook("print('a', claim(1e-6, 0, 1), 'b', claim_all([4, 7], 5, 6))")
    execute(nb)
    read = [(cell, before, numbers, holds) for cell, before, numbers, _, holds in claims_in(nb)]
    assert read == [(1, "a", [1e-6], True), (1, "b", [4, 7], False)]
    assert missed_claims(nb) == ["cell 1: a 1e-6 ∈ [0, 1] b 4 … 7 ∉ [5, 6]"]
