"""Every exercise can be solved, and its check tells a right answer from a wrong one.

tests/solutions/<notebook>.py answers a notebook's exercises in their order, in sections that begin
with the lines `# exercise 1`, `# wrong 1` (a plausible mistake), `# exercise 2`, … A section takes
the place of the exercise's cell, up to the line `# check` if the check is in the same cell.
"""

import re

import nbformat
import pytest
from book import BOOK, execute, text
from nbformat.v4 import new_code_cell, new_notebook

SECTION = re.compile(r"^# (exercise|wrong) (\d+)$", re.MULTILINE)


def sections(source):
    """{("exercise", 1): code, ("wrong", 1): code, …}."""
    _, *parts = SECTION.split(source)
    kinds, numbers, codes = parts[::3], map(int, parts[1::3]), parts[2::3]
    return dict(zip(zip(kinds, numbers, strict=True), codes, strict=True))


def answered(nb, answers):
    """The notebook with each exercise answered wrong, then right, each time checked.

    Returns it and its check cells, {("wrong", 1): cell, ("exercise", 1): cell, …}.
    """
    cells, checks, number = [], {}, 0
    for cell, after in zip(nb.cells, [*nb.cells[1:], None], strict=True):
        tags = cell.metadata.get("tags", [])
        if "exercise" not in tags:
            cells.append(cell)
            continue
        number += 1
        for kind in ("wrong", "exercise"):
            answer = answers.pop((kind, number))
            check = re.search(r"^# check.*", cell.source, re.MULTILINE | re.DOTALL)
            code = [answer + check[0]] if check else [answer, after.source]
            cells += map(new_code_cell, code)
            checks[kind, number] = cells[-1]
    assert not answers, f"solutions without an exercise: {list(answers)}"
    return new_notebook(cells=cells), checks


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.ipynb")), ids=lambda path: path.stem)
def test_exercises(path):
    solutions = path.parents[1] / "tests" / "solutions" / f"{path.stem}.py"
    nb = nbformat.read(path, as_version=4)
    nb, checks = answered(nb, sections(solutions.read_text(encoding="utf-8")))
    assert checks, "no exercises"
    execute(nb)
    for (kind, number), cell in checks.items():
        said = "".join(map(text, cell.outputs))
        right = "True" in said and "False" not in said
        expected = right if kind == "exercise" else "False" in said
        assert expected, (
            f"{path.name}: the answer `# {kind} {number}` makes the check say: {said!r}"
        )
