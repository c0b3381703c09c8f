"""The notebooks are one book: one map, one definition of a name, one set of items."""

import ast
import importlib
import re
import sys
from itertools import pairwise

import nbformat
import pytest
from book import BOOK, ROOT, code_cells

sys.path.insert(0, str(BOOK))
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
ROW = re.compile(r"^\| (?:\*\*|\[)(\d\d · [^*\]]+)(?:\*\*|\]\((\S+)\)) \| (.+) \|$", re.MULTILINE)
MODULES = ("workbench", "drawing", "gluon_rnn", "gluon_rnn.gradients", "gluon_rnn.diagnostics")
# What workbench holds is written out in one notebook, where it is taught.
TAUGHT = {"sigmoid": "02", "central_differences": "02", "ngram": "00"}


def title(path):
    first = nbformat.read(path, as_version=4).cells[0].source
    return first.splitlines()[0].removeprefix("# ")


def test_the_maps_are_the_files():
    files = [(title(path), path.name) for path in NOTEBOOKS]
    book = ROW.findall((BOOK / "README.md").read_text(encoding="utf-8"))
    assert [(name, file) for name, file, _ in book] == files
    start = nbformat.read(BOOK / "00_start_here.ipynb", as_version=4)
    rows = ROW.findall("\n".join(cell.source for cell in start.cells))
    assert [(name, question) for name, _, question in rows] == [(n, q) for n, _, q in book]
    assert [file for _, file, _ in rows] == ["", *(file for _, file in files[1:])]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\[(\d\d) ([^\]]+)\]\(notebooks/(\S+)\)", readme)
    assert sorted((f"{number} · {name}", file) for number, name, file in linked) == files


def test_every_title_has_its_number():
    for path in NOTEBOOKS:
        assert title(path).startswith(f"{path.stem[:2]} · "), path.name


def test_each_notebook_links_the_next():
    for path, after in pairwise(NOTEBOOKS):
        last = nbformat.read(path, as_version=4).cells[-1].source
        assert f"[{title(after)}]({after.name})" in last, f"{path.name} must end by linking it"


def definitions(path):
    """The functions and classes that a notebook defines, exercises apart."""
    for cell in code_cells(nbformat.read(path, as_version=4)):
        if "exercise" not in cell.metadata.get("tags", []):
            kinds = ast.FunctionDef, ast.ClassDef
            yield from (n.name for n in ast.parse(cell.source).body if isinstance(n, kinds))


def test_no_name_has_two_definitions():
    defined = {}
    for path in NOTEBOOKS:
        for name in set(definitions(path)):
            defined.setdefault(name, []).append(path.stem[:2])
    twice = {name: places for name, places in defined.items() if len(places) > 1}
    assert not twice, "defined in several notebooks, so it belongs into workbench"
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            allowed = [TAUGHT[name]] if name in TAUGHT else []
            assert defined.get(name, []) in ([], allowed), f"{name} shadows {module}.{name}"


@pytest.mark.parametrize("name", ["sigmoid", "central_differences", "ngram"])
def test_what_is_taught_is_said_where(name):
    doc = getattr(importlib.import_module("workbench"), name).__doc__
    assert f"From notebook {TAUGHT[name]}" in doc
