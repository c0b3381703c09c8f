"""The house itself: imports flow one way, public names are documented, nothing grows too big."""

import ast
import doctest
import inspect
import textwrap
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn

PACKAGE = Path(gluon_rnn.__file__).parent
FLOW = ("checks", "data", "cells", "layers", "tasks", "train")
BESIDE = ("gradients", "diagnostics", "preflight")


def imports(file):
    """The package's modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
        found |= {n.split(".")[1] for n in names if n and n.startswith("gluon_rnn.")}
    return found


def test_imports_flow_one_way():
    for file in PACKAGE.rglob("*.py"):
        module = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if module == "__init__":
            continue
        assert module in FLOW + BESIDE, f"{module} has no place in the order {FLOW}"
        allowed = FLOW if module in BESIDE else FLOW[: FLOW.index(module) + 1]
        assert imports(file) <= set(allowed), f"{module} imports {imports(file)}"


def test_public_names_are_documented_and_typed():
    for name in gluon_rnn.__all__:
        thing = getattr(gluon_rnn, name)
        assert thing.__doc__, name
        function = thing.__init__ if inspect.isclass(thing) else thing
        hints = {k for k in function.__annotations__ if k != "return"}
        parameters = set(inspect.signature(function).parameters) - {"self"}
        assert parameters == hints, f"{name}: no type for {parameters - hints}"


def test_the_package_stays_small():
    lines = [len(f.read_text(encoding="utf-8").splitlines()) for f in PACKAGE.rglob("*.py")]
    assert sum(lines) <= 3300


def test_a_step_is_read_against_its_equations():
    """No ``hybrid_forward`` of a cell is longer than 12 lines."""
    for name in set(gluon_rnn.cells.__all__) - {"Cell"}:
        source = inspect.getsource(getattr(gluon_rnn.cells, name).hybrid_forward)
        function = ast.parse(textwrap.dedent(source)).body[0]
        body = function.body[-1].end_lineno - function.body[0].lineno + 1
        assert body <= 12, f"{name}: {body} lines"


CLASSES = [
    thing for name in gluon_rnn.__all__ if inspect.isclass(thing := getattr(gluon_rnn, name))
]


@pytest.mark.parametrize("thing", [*CLASSES, gluon_rnn.fit], ids=lambda t: t.__name__)
def test_every_public_class_shows_its_use(thing):
    """Two to five lines in the docstring, and they run."""
    names = vars(gluon_rnn) | {"mx": mx, "np": np}
    example = doctest.DocTestParser().get_doctest(thing.__doc__, names, thing.__name__, None, 0)
    assert 2 <= len(example.examples) <= 5
    results = doctest.DocTestRunner().run(example)
    assert results.failed == 0
