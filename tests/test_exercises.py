"""Every exercise can be solved, and its check tells right answers from wrong ones.

tests/solutions/<notebook>.py answers a notebook's exercises in sections that begin with a line
`# right 1` or `# wrong 1`: code in place of what the exercise's cell holds above its last
statement, `check.exercise_1(...)`. Only those cells run that the answers need, once for all.
"""

import ast
import builtins
import re
import symtable
import warnings
from contextlib import redirect_stdout
from io import StringIO

import matplotlib
import nbformat
import pytest
from book import BOOK, ROOT, code_cells

SECTION = re.compile(r"^# (right|wrong) (\d+).*$", re.MULTILINE)
CALL = re.compile(r"^check\.exercise_(\d+)\(.*", re.MULTILINE | re.DOTALL)
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))


def sections(source):
    """[("right", 1, code), …] in the order of the file."""
    _, *parts = SECTION.split(source)
    return list(zip(parts[::3], map(int, parts[1::3]), parts[2::3], strict=True))


def calls(nb):
    """{1: "check.exercise_1(answer)", …}: the last statement of each exercise's cell."""
    cells = [cell for cell in code_cells(nb) if "exercise" in cell.metadata.get("tags", [])]
    found = [CALL.search(cell.source) for cell in cells]
    assert all(found), "an exercise's cell must end in check.exercise_N(...)"
    return {int(call[1]): call[0] for call in found}


def names(source):
    """The global names that a piece of code binds or changes, and those that it uses."""
    table, tree = symtable.symtable(source, "cell", "exec"), ast.parse(source)
    bound, used = set(), set()

    def walk(scope):
        for symbol in scope.get_symbols():
            if scope is table or symbol.is_global():
                (bound if symbol.is_assigned() or symbol.is_imported() else used).add(
                    symbol.get_name()
                )
                used.update([symbol.get_name()] * symbol.is_referenced())
        for child in scope.get_children():
            walk(child)

    walk(table)
    for statement in tree.body:  # cell.initialize(); x[0] = 1; p.grad_req = "null"
        targets = getattr(statement, "targets", [getattr(statement, "value", None)])
        for node in targets:
            method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            node = node.func if method else node
            if isinstance(node, (ast.Attribute, ast.Subscript)):
                while isinstance(node, (ast.Attribute, ast.Subscript)):
                    node = node.value
                if isinstance(node, ast.Name) and node.id != "plt":  # a figure gives no answer
                    bound.add(node.id)
    return bound, used - set(dir(builtins))


def needed_cells(nb, source):
    """The code cells that bind what `source` uses, what these use, and so on, in their order."""
    cells = [c for c in code_cells(nb) if "exercise" not in c.metadata.get("tags", [])]
    named = [names(cell.source) for cell in cells]
    wanted, chosen = names(source)[1] | {"check"}, set()
    while True:
        new = {k for k, (bound, _) in enumerate(named) if bound & wanted} - chosen
        if not new:
            return [cells[k] for k in sorted(chosen)]
        chosen |= new
        wanted |= set().union(*(named[k][1] for k in new))


def run(code, names):
    """What the code prints."""
    with redirect_stdout(StringIO()) as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a reader's kernel goes on after a warning
        exec(compile(code, "<cell>", "exec"), names)
    return said.getvalue()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_exercises(path, monkeypatch):
    monkeypatch.chdir(BOOK)
    monkeypatch.syspath_prepend(BOOK)
    matplotlib.use("Agg")
    nb = nbformat.read(path, as_version=4)
    source = (ROOT / "tests" / "solutions" / f"{path.stem}.py").read_text(encoding="utf-8")
    answers, endings = sections(source), calls(nb)
    kernel = {"__name__": "notebook"}
    for cell in needed_cells(nb, source):
        run(cell.source, kernel)
    missed = []
    for kind, number, code in answers:
        said = run(f"{code}\n{endings[number]}", dict(kernel))
        if not said.startswith("Right" if kind == "right" else "Not yet"):
            missed.append(f"`# {kind} {number}` {code.strip()[:60]!r} makes it say: {said!r}")
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_is_answered_right_and_wrong(path):
    source = (ROOT / "tests" / "solutions" / f"{path.stem}.py").read_text(encoding="utf-8")
    kinds = [(kind, number) for kind, number, _ in sections(source)]
    for number in calls(nbformat.read(path, as_version=4)):
        count = kinds.count(("right", number)), kinds.count(("wrong", number))
        enough = count[0] >= 2 and count[1] >= 3
        assert enough, f"exercise {number}: {count} answers right and wrong, at least (2, 3)"


def test_only_needed_cells_run():
    cells = ["import numpy as np, plt\nplt.style.use()", "a = np.ones(2)", "b = train()"]
    cells += ["a[0] = 2", "print(a)", "plt.plot(train())\nplt.show()"]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    assert [c.source for c in needed_cells(nb, "x = a + 1")] == [cells[k] for k in (0, 1, 3)]
