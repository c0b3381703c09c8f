"""Does a test fail when the package is wrong? Small errors are planted, one at a time, and counted.

    uv run python tests/mutants.py [MODULE ...] [--jobs 2] [--resume]

MODULE is a name in gluon_rnn (gradients, cells/simple); none means all of TESTS. Each mutant runs
in a copy of the tree, in a child of a process that has imported MXNet: tests of the module, the
most specific first, until one fails. Results go to a CSV; ``--resume`` goes on where it ends,
``--again`` runs those anew that survived. What changes nothing that can be seen stands, with the
reason, in mutants_equivalent.txt and is not counted.
"""

import argparse
import ast
import csv
import difflib
import hashlib
import importlib
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

# The tests of a module, in stages: what one stage lets pass goes on to the next.
CELLS = "test_oracle.py", "test_cells.py test_bad_input.py", "test_laws.py test_layers.py"
TESTS = {
    "cells/base": ("test_bad_input.py", *CELLS, "test_use.py"),
    "cells/simple": tuple(
        f"{files} -k elman+jordan+residual+construction+fused+operator" for files in CELLS
    ),
    "cells/delay": tuple(f"{files} -k tdnn+narx+construction+fused+operator" for files in CELLS),
    "cells/gated": tuple(
        f"{files} -k gru+lstm+gate+forget+construction+fused+operator" for files in CELLS
    ),
    "gradients": ("test_gradients.py",),
    "diagnostics": ("test_diagnostics.py",),
    "data": ("test_data.py",),
    "layers": (
        "test_layers.py",
        "test_use.py -k fixed+padding+overflow+hybridize+promises+hooks+summary+read_from",
        "test_cells.py -k layer+engine+calls+shape",
        "test_use.py -k long+subclass+context+float64",
    ),
    "tasks": (
        "test_tasks.py",
        "test_use.py -k padded+mean+tokens+embeds+head+keywords+float64+fit+context+read_from",
    ),
    "train": ("test_train.py", "test_use.py -k padded_steps+fit+best_model"),
}
WARM = "mxnet matplotlib.pyplot gluonnlp scipy.stats hypothesis pytest xdist"
# fmt: off
OTHER = {  # an operator's name, and what it is changed into
    "Add": "-", "Sub": "+", "Mult": "/", "Div": "*", "FloorDiv": "*", "Mod": "*", "Pow": "*",
    "BitOr": "&", "BitAnd": "|", "And": "or", "Or": "and", "Lt": "<=", "LtE": "<", "Gt": ">=",
    "GtE": ">", "Eq": "!=", "NotEq": "==", "Is": "is not", "IsNot": "is", "In": "not in",
    "NotIn": "in",
}
# fmt: on
MESSAGES = ("require", "instance", "one_of", "whole")  # what follows the first argument is words


def other(op: ast.AST) -> str | None:
    return OTHER.get(type(op).__name__)


def wrapped(node: ast.AST) -> str:
    """An expression that stays one wherever it is put."""
    atom = isinstance(node, (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant))
    return ast.unparse(node) if atom else f"({ast.unparse(node)})"


def parts(node: ast.AST):
    """The children that are code: no docstrings, annotations, f-strings, errors, imports."""
    if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return
    if getattr(node, "arg", "") == "strict":  # of zip: a guard that never acts
        return
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MESSAGES:
        yield node.args[1 if node.func.id != "require" else 0]
        return
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns", "bases", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                words = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
                if isinstance(child, ast.AST) and not words:
                    yield child


def changes(node: ast.AST, known: set[str]):
    """(node to replace, its new text) for every way to get this node wrong."""
    text = ast.unparse(node) if isinstance(node, (ast.expr, ast.stmt)) else ""
    match node:
        case ast.BinOp(a, op, b):
            symbol = other(op)
            yield from [(node, f"({wrapped(a)} {symbol} {wrapped(b)})")] if symbol else []
            if isinstance(op, (ast.Add, ast.Sub, ast.Mult)):
                yield from ((node, wrapped(kept)) for kept in (a, b))
            if isinstance(op, (ast.Mult, ast.MatMult, ast.Div)):
                yield node, f"(-{text})"
        case ast.Compare(a, [op], [b]):
            yield node, f"({wrapped(a)} {other(op)} {wrapped(b)})"
        case ast.Compare():
            yield node, "True"
        case ast.BoolOp(op, values):
            yield node, f"({f' {other(op)} '.join(map(wrapped, values))})"
            yield from ((node, wrapped(value)) for value in values)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield node, wrapped(operand)
        case ast.Constant(bool() as value):
            yield node, str(not value)
        case ast.Constant(int() | float() as value):
            yield from ((node, str(n)) for n in {value + 1, 0 if value == 1 else value + 1})
        case ast.Constant(str() as value) if re.fullmatch("[a-zA-Z]{2,4}", value):
            yield node, repr(value[1] + value[0] + value[2:])
        case ast.Slice(low, high):
            yield node.lower or node, "1" + text if low is None else f"{wrapped(low)} + 1"
            yield node.upper or node, f"{text}-1" if high is None else f"{wrapped(high)} + 1"
        case ast.If(test) | ast.IfExp(test):
            yield from ((test, forced) for forced in ("True", "False"))
        case ast.While(test):
            yield test, "False"
        case ast.comprehension(ifs=tests):
            yield from ((test, "True") for test in tests)
        case ast.Return(ast.Tuple([a, b, *more])):
            yield node, f"return {', '.join(map(ast.unparse, (b, a, *more)))}"
        case ast.Return(ast.expr() as value):
            name = next((n for n in sorted(known) if n != ast.unparse(value)), "None")
            yield node, f"return {name}"
        case ast.Expr(ast.Call()) | ast.AugAssign() | ast.Break() | ast.Continue():
            yield node, "pass"
        case ast.Assign([target]) if not isinstance(target, ast.Name) or target.id in known:
            if not isinstance(target, ast.Tuple):
                yield node, "pass"
    if isinstance(node, ast.Call):
        starred = any(isinstance(a, ast.Starred) for a in node.args[:2])
        if len(node.args) > 1 and not starred:
            swapped = ast.parse(text, mode="eval").body
            swapped.args[:2] = swapped.args[1::-1]
            yield node, ast.unparse(swapped)
        for k, keyword in enumerate(node.keywords):
            if keyword.arg != "strict" and getattr(node.func, "id", "") not in MESSAGES:
                fewer = ast.parse(text, mode="eval").body
                del fewer.keywords[k]
                yield node, ast.unparse(fewer)


def mutants(source: str) -> dict[str, tuple[int, str]]:
    """By its difference, every mutant of a source: the line and the new source."""
    lines = source.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:k])) for k in range(len(lines) + 1)]
    found, original = {}, ast.dump(ast.parse(source))

    def visit(node, known):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            a = node.args
            known = {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)} - {"self", "F"}
        for old, new in changes(node, known):
            a = starts[old.lineno - 1] + old.col_offset
            b = starts[old.end_lineno - 1] + old.end_col_offset
            changed = (source.encode()[:a] + new.encode() + source.encode()[b:]).decode()
            try:
                same = ast.dump(ast.parse(changed)) == original
            except SyntaxError:
                continue
            rows = difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm="")
            key = "\n".join(row for row in list(rows)[2:] if not row.startswith("@@"))
            if not same:
                found.setdefault(key, (old.lineno, changed))
        for child in parts(node):
            visit(child, known)

    dunder = re.compile(r"__\w+__ = ")
    for node in ast.parse(source).body:
        if not dunder.match(ast.unparse(node)):
            visit(node, set())
    return found


def plant(root: Path, slot: Path) -> None:
    """A copy of what tests need; what they only read is linked."""
    for path in root.iterdir():
        if path.name in ("gluon_rnn", "tests"):
            shutil.copytree(path, slot / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif not path.name.startswith("."):
            (slot / path.name).symlink_to(path)


def child(slot: Path, tests: str, seconds: float) -> None:
    """Run tests in the copy and leave with pytest's code; never returns."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    os.dup2(os.open(slot / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    os.chdir(slot)
    os.environ |= {"PYTHONPATH": str(slot), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.dont_write_bytecode = True  # a stale one of the same second and size would be read
    sys.path.insert(0, str(slot))
    code = 70
    try:
        options = ["-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "--tb=no"]
        arguments = re.sub(r"(\S+\.py)", r"tests/\1", tests).split()
        options += [a.replace("+", " or ") for a in arguments]
        code = importlib.import_module("pytest").main(options)
    finally:
        os._exit(code)


class Workers:
    """Slots, each with a copy of the tree and at most one child that tests a source in it."""

    def __init__(self, root: Path, folder: str, jobs: int) -> None:
        self.root, self.running = root, {}
        self.free = [Path(folder) / str(k) for k in range(jobs)]
        for slot in self.free:
            slot.mkdir()
            plant(root, slot)

    def start(self, module: str, source: str, tests: str, seconds: float, task) -> None:
        slot = self.free.pop()
        (slot / "gluon_rnn" / f"{module}.py").write_text(source, encoding="utf-8")
        pid = os.fork() or child(slot, tests, seconds)
        self.running[pid] = slot, module, time.monotonic(), 3 * seconds, task

    def finished(self):
        """The task of a child that has ended, whether it passed, and its seconds; waits for one."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                slot, module, begun, _, task = self.running.pop(pid)
                file = Path("gluon_rnn", f"{module}.py")
                shutil.copy(self.root / file, slot / file)
                self.free.append(slot)
                return task, status == 0, time.monotonic() - begun
            for pid, (_, _, begun, limit, _) in self.running.items():
                if time.monotonic() - begun > limit:  # a hang that takes no processor time
                    os.killpg(pid, signal.SIGKILL)
            time.sleep(0.02)

    def one(self, module: str, source: str, tests: str, seconds: float) -> tuple[bool, float]:
        self.start(module, source, tests, seconds, None)
        return self.finished()[1:]

    def stop(self) -> None:
        for pid in self.running:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def limits(workers: Workers, module: str, stages) -> list[float]:
    """Seconds of processor each stage may take: it must pass as it is, and fail when broken."""
    source, found = (workers.root / "gluon_rnn" / f"{module}.py").read_text(encoding="utf-8"), []
    for tests in stages:
        passed, seconds = workers.one(module, source, tests, 600)
        if not passed:
            raise SystemExit(f"{tests} fail before anything is changed")
        found.append(10 + 3 * seconds)
    broken = workers.one(module, "raise RuntimeError\n", stages[0], 600)
    if broken[0]:
        raise SystemExit(f"{stages[0]} do not import the copy of {module}")
    return found


def chosen(source: str, count: int, seed: int) -> dict[str, tuple[int, str]]:
    """The first ``count`` mutants in an order that an edit elsewhere in the file leaves alone."""
    found = mutants(source)
    order = {key: hashlib.sha256(f"{seed}{key}".encode()).digest() for key in found}
    return {key: found[key] for key in sorted(found, key=order.get)[:count]}


def equivalents(file: Path) -> set[tuple[str, str]]:
    """(module, difference) of the blocks of mutants_equivalent.txt: ``# module: why``, the rows."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    blocks = (block.strip().partition("\n") for block in text.split("\n\n") if block[:1] == "#")
    return {(head[2:].partition(":")[0], rows) for head, _, rows in blocks}


def run(root: Path, modules: dict, options: argparse.Namespace) -> None:
    """Test the mutants that have no result yet; every result goes to the CSV at once."""
    results = read(options.csv) if options.resume or options.again else {}
    if not results:
        options.csv.unlink(missing_ok=True)
    excused = equivalents(root / "tests" / "mutants_equivalent.txt")
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder, options.csv.open("a", newline="") as file:
        workers, writer = Workers(root, folder, options.jobs), csv.writer(file)
        try:
            for module, stages in modules.items():
                source = (root / "gluon_rnn" / f"{module}.py").read_text(encoding="utf-8")
                todo = []
                for key, (line, changed) in chosen(source, options.count, options.seed).items():
                    known = results.get((module, key), ("", "survived" if options.again else ""))[1]
                    wanted = known == ("survived" if options.again else "")
                    if wanted and (module, key) not in excused:
                        todo.append((module, line, key, changed, 0))
                seconds = limits(workers, module, stages) if todo else []
                while (todo and time.monotonic() < end) or workers.running:
                    while todo and workers.free and time.monotonic() < end:
                        task = todo.pop(0)
                        workers.start(module, task[3], stages[task[4]], seconds[task[4]], task)
                    (*head, changed, stage), passed, took = workers.finished()
                    if passed and stage + 1 < len(stages):
                        todo.insert(0, (*head, changed, stage + 1))
                    else:
                        writer.writerow(
                            [*head, "survived" if passed else "killed", stage, f"{took:.1f}"]
                        )
                        file.flush()
        finally:
            workers.stop()


def read(file: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """The last result of each mutant: (module, difference) → (line, result)."""
    with file.open(newline="") if file.exists() else open(os.devnull) as rows:
        return {(m, key): (line, result) for m, line, key, result, *_ in csv.reader(rows)}


def report(root: Path, modules: dict, options: argparse.Namespace) -> None:
    """Score and survivors, of the mutants that the sources have now."""
    results = read(options.csv)
    excused = equivalents(root / "tests" / "mutants_equivalent.txt")
    for module in modules:
        source = (root / "gluon_rnn" / f"{module}.py").read_text(encoding="utf-8")
        found = chosen(source, options.count, options.seed)
        now = {key: results[module, key] for key in found if (module, key) in results}
        counted = {key: result for key, result in now.items() if (module, key) not in excused}
        killed = sum(result == "killed" for _, result in counted.values())
        left = sum((module, key) not in excused for key in found) - len(counted)
        print(f"{module}: {killed} of {len(counted)} killed, {left} not run")
        for key, (line, result) in counted.items():
            if result == "survived":
                print(f"gluon_rnn/{module}.py:{line}\n{key}\n")
        for key in (key for m, key in excused if m == module and key not in mutants(source)):
            print(f"mutants_equivalent.txt holds what is no mutant of {module} now:\n{key}\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=[*TESTS])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--count", type=int, default=10**6, help="at most so many of a module")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--minutes", type=float, default=1e6, help="start none after so many")
    parser.add_argument("--resume", action="store_true", help="keep the results there are")
    parser.add_argument("--again", action="store_true", help="run anew those that survived")
    parser.add_argument("--csv", type=Path, default=Path(tempfile.gettempdir(), "mutants.csv"))
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--tests", help="these files in place of the module's")
    parser.add_argument("--warm", default=WARM, help="modules to import before all")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name in ("OMP_NUM_THREADS", "TQDM_DISABLE"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("MPLBACKEND", "agg")
    for name in options.warm.split():
        importlib.import_module(name)
    modules = {m: (options.tests,) if options.tests else TESTS[m] for m in options.modules}
    try:
        run(options.root, modules, options)
    finally:  # stopped, too
        report(options.root, modules, options)


if __name__ == "__main__":
    main()
