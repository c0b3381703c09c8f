"""The book's outputs: store them, and prove that comparing them means something.

    uv run python tests/book.py store [NOTEBOOK ...]   format, run afresh, store the outputs
    uv run python tests/book.py matrix [NOTEBOOK ...]  do they hold elsewhere, and by other luck?
    uv run python tests/book.py alter [NOTEBOOK ...]   is every alteration found?
    uv run python tests/book.py claims [NOTEBOOK ...]  every interval, beside what other seeds give
    uv run python tests/book.py length [NOTEBOOK ...]  minutes, words, lines, exercises, new terms

NOTEBOOK is a path, a stem or its number (03); none means every notebook in notebooks/.
"""

import argparse
import base64
import io
import math
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from numpy.core._multiarray_umath import __cpu_features__
from PIL import Image

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}

# What this processor has of it: NumPy warns of what it cannot switch off, and the warning would
# stand in the output of a notebook's first cell.
AVX512 = [
    name
    for name in ("AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL", "AVX512_ICL")
    if __cpu_features__.get(name)
]

# One factor varied at a time, then all at once. The baseline is the test run's: one thread, and
# whatever the processor offers. A name that a library does not know changes nothing.
SETTINGS = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    "2 threads": {"OMP_NUM_THREADS": "2"},
    "OpenBLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "OpenBLAS for Nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},  # Haswell may be what runs anyway
    "oneDNN for AVX2": {"DNNL_MAX_CPU_ISA": "AVX2"},  # MXNet 1.9.1 ignores the MKLDNN_ name
    "NumPy without AVX-512": {"NPY_DISABLE_CPU_FEATURES": " ".join(AVX512)},
}

# What `alter` does to the package: in this file, this text, to that. Every notebook whose cells are
# not ElmanCell's has a row of its own.
MINUS_U = ("gluon_rnn/cells/simple.py", "self._activate(F, Uh + Wx,", "self._activate(F, Wx - Uh,")
GATED = "gluon_rnn/cells/gated.py"
PACKAGE_ALTERATIONS = {
    "01_memory_by_delay": ("gluon_rnn/cells/delay.py", "W0x + Wx", "W0x - Wx"),
    "07_residual_states": ("gluon_rnn/cells/simple.py", "h = h + self._act", "h = h - self._act"),
    "08_gru": (GATED, "z * h + (1 - z) * n", "z * n + (1 - z) * h"),
    "09_lstm": (GATED, "c = f * c + i * g", "c = f * c - i * g"),
    "10_depth_and_direction": (
        "gluon_rnn/layers.py",
        "back = _reverse(back, valid_length)",
        "pass",
    ),
    "14_forecasting": ("gluon_rnn/cells/delay.py", "concat(value, line", "concat(line, value"),
    "18_errata_and_conventions": (GATED, "c = f * c + i * g", "c = f * c - i * g"),
}


def code_cells(nb):
    """The cells that nbval numbers from 0."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def text(output):
    """What a reader reads of an output, and nbval compares."""
    said = output.get("text") or output.get("evalue")
    return said or output.get("data", {}).get("text/plain", "")


def execute(nb):
    """Run every cell of `nb` in a fresh kernel, in place, as `pytest --nbval` does."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in conftest.py
    NotebookClient(
        nb,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": BOOK}},
        extra_arguments=["--log-level=ERROR"],  # no warning about unencrypted TCP
        store_widget_state=False,
    ).execute()


def plain_png(data):
    """The same picture, base64, without the text chunks that name the software's version."""
    png = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(data))).save(png, "PNG", optimize=True)
    return base64.b64encode(png.getvalue()).decode() + "\n"


def normalise(nb):
    """Remove from an executed notebook all that differs between two runs or two machines."""
    nb.metadata = nbformat.from_dict(METADATA)
    nb.nbformat, nb.nbformat_minor = 4, 5
    for number, cell in enumerate(nb.cells, 1):
        cell.id = f"cell-{number:02}"
        cell.metadata = {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
        if cell.cell_type != "code":
            continue
        merged = []
        for output in cell.outputs:
            if output.output_type == "error":  # the frames hold paths of this machine
                output.traceback = [f"{output.ename}: {output.evalue}"]
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = plain_png(output.data["image/png"])
                output.data.pop(WIDGET, None)  # read without a kernel, the picture stands there
            if output.get("metadata"):
                output.metadata = {}
            last = merged[-1] if merged else {}
            if output.output_type == "stream" and output.name == last.get("name"):
                last.text += output.text
            else:
                merged.append(output)
        cell.outputs = merged
    return nb


# What `workbench.claim` prints: the measured number or numbers, whether inside, the interval.
NUMBER = r"(?:[-+]?(?:\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?|inf)|nan)"
CLAIM = re.compile(rf"({NUMBER}(?: … {NUMBER})?) ([∈∉]) \[({NUMBER}), ({NUMBER})\]")


def claims_in(nb):
    """Every claim printed: (cell, words before it, [numbers], (low, high), does it hold?)."""
    for cell, source in enumerate(code_cells(nb)):
        for line in "\n".join(map(text, source.outputs)).splitlines():
            end = 0
            for found in CLAIM.finditer(line):
                numbers = [float(number.replace(",", "")) for number in found[1].split(" … ")]
                before = line[end : found.start()].strip(" ,:;")
                interval = float(found[3].replace(",", "")), float(found[4].replace(",", ""))
                yield cell, before, numbers, interval, found[2] == "∈"
                end = found.end()


def missed_claims(nb):
    """The printed lines that hold a ∉, with the numbers of their cells."""
    lines = ((n, line) for n, c in enumerate(code_cells(nb)) for o in c.outputs
             for line in text(o).splitlines())  # fmt: skip
    return [f"cell {number}: {line}" for number, line in lines if "∉" in line]


def store(notebooks):
    """Format the code, run it, and write the notebook with its outputs."""
    for path in notebooks:
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
        nb = nbformat.read(path, as_version=4)
        try:
            execute(nb)
        except CellExecutionError as error:
            sys.exit(f"{path.name} is left as it was: {error}")
        if missed := missed_claims(nb):
            sys.exit(
                "\n".join([f"{path.name} is left as it was, for claims do not hold:", *missed])
            )
        nbformat.write(normalise(nb), path)
        print(f"stored {path.name}: {path.stat().st_size // 1000} kB")


@contextmanager
def copied():
    """A throw-away copy of what a comparison reads: the package, the book, pytest's settings."""
    with TemporaryDirectory() as root:
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / name, root)
        for name in ("gluon_rnn", "notebooks"):
            ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
            shutil.copytree(ROOT / name, Path(root, name), ignore=ignored)
        yield Path(root)


def compare(root, stems, setting=None):
    """Strict nbval in the copy `root`: {stem: {number of a failing code cell: why}}."""
    report = root / "report.xml"
    report.unlink(missing_ok=True)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    workers = min(len(stems), os.cpu_count()) if len(stems) > 1 else 0
    command = ["-m", "pytest", "--color=no", "-p", "no:cacheprovider", f"-n{workers}"]
    books = [f"notebooks/{stem}.ipynb" for stem in stems]
    run = subprocess.run(
        [sys.executable, *command, f"--junitxml={report}", *books],
        cwd=root,
        env=inherited | {"PYTHONPATH": str(root)} | (setting or {}),
        capture_output=True,
        text=True,
    )
    failed, broken = {}, run.returncode not in (0, 1)
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        broken |= case.find("error") is not None
        stem, cell = case.get("classname").split(".")[1], case.get("name").split()[1]
        failures = failed.setdefault(stem, {})
        if (failure := case.find("failure")) is not None:
            failures[int(cell)] = failure.text
    if broken or set(failed) != set(stems):
        raise RuntimeError(
            f"no comparison took place (pytest: {run.returncode}):\n{run.stdout}{run.stderr}"
        )
    return failed


def reseed(nb, shift):
    """Add `shift` to the seeds in lines `SEED = 0` or `SEEDS = 0, 1, 2`. Are there any?"""
    found = 0
    for cell in code_cells(nb):
        cell.source, lines = re.subn(
            r"^SEEDS? = [\d, ()]+$",
            lambda line: re.sub(r"\d+", lambda seed: str(int(seed[0]) + shift), line[0]),
            cell.source,
            flags=re.MULTILINE,
        )
        found += lines
    return found > 0


def matrix(notebooks, topics=None):
    """Compare with other threads, processors' kernels, and seeds."""
    runs = [(name, setting, 0) for name, setting in SETTINGS.items()]
    runs += [("seeds + 10", {}, 10), ("seeds + 20", {}, 20)]
    everything = {key: value for setting in SETTINGS.values() for key, value in setting.items()}
    runs += [("all of this, seeds + 30", everything, 30)]
    if topics:
        runs += [("other pydoc topics", {}, 0)]
    stems = [path.stem for path in notebooks]
    width = max(len(name) for name, _, _ in runs)
    passed = True
    print(" " * width, *(stem[:4] for stem in stems), flush=True)
    for name, setting, shift in runs:
        with copied() as root:
            chosen = []
            for path in (root / "notebooks" / f"{stem}.ipynb" for stem in stems):
                nb = nbformat.read(path, as_version=4)
                if reseed(nb, shift) or setting or not shift:
                    chosen.append(path.stem)
                nbformat.write(nb, path)
            if name == "other pydoc topics":
                (root / "pydoc_data").mkdir()
                (root / "pydoc_data" / "__init__.py").touch()
                shutil.copy(topics, root / "pydoc_data" / "topics.py")
            failed = compare(root, chosen, setting) if chosen else {}
        verdicts = ["-" if s not in chosen else "FAIL" if failed[s] else "pass" for s in stems]
        print(f"{name:{width}}", *(f"{verdict:4}" for verdict in verdicts), flush=True)
        for stem, cells in failed.items():
            for cell, why in cells.items():
                passed = False
                print(f"\n{stem}, cell {cell}: {why}", file=sys.stderr)
    return not passed


def claims(notebooks, runs=10):
    """Print, for each claim, its interval and the values seen over reseeded runs."""
    missed = False
    for path in notebooks:
        seen = {}

        def reseeded(shift, path=path):
            nb = nbformat.read(path, as_version=4)
            reseed(nb, shift)
            execute(nb)
            return list(claims_in(nb))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for found in pool.map(reseeded, [10 * k for k in range(runs)]):
                for key, (cell, before, numbers, interval, _) in enumerate(found):
                    seen.setdefault((key, cell, before, interval), []).extend(numbers)
        print(f"{path.stem}: {len(seen)} claims, {runs} runs", flush=True)
        for (_, cell, before, (low, high)), values in seen.items():
            least, most = min(values), max(values)
            inside = low <= least and most <= high
            missed |= not inside
            room = (high - low) / (most - least) if most > least else math.inf
            remark = "MISSED" if not inside else "wide" if 4 < room < math.inf else ""
            said = f"  cell {cell:3} {before[-40:]:40} [{low:g}, {high:g}]"
            print(f"{said:75} seen {least:.4g} … {most:.4g} {remark}".rstrip(), flush=True)
    return missed


def length(notebooks):
    """Print minutes for a good student: 130 words or 8 lines a minute, 8 minutes an exercise."""
    terms = new_terms()
    print("notebook                    minutes (optional)   words  lines  exercises  new terms")
    for path in notebooks:
        words, lines, exercises = measure(nbformat.read(path, as_version=4))
        main, optional = (
            round(w / 130 + k / 8 + 8 * e) for w, k, e in zip(words, lines, exercises, strict=True)
        )
        print(f"{path.stem:27} {main:7} {f'({optional})' if optional else '':>10} {sum(words):7} "
              f"{sum(lines):6} {sum(exercises):10} {terms[path.stem[:2]]:10}")  # fmt: skip


def new_terms():
    """How many words docs/notation.md says are explained first in each notebook, by its number."""
    page = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")
    _, _, rows = page.partition("| word | meaning | first in |")
    return Counter(re.findall(r"\| (\d\d) \|$", rows.partition("\n\n")[0], re.MULTILINE))


def measure(nb):
    """Words, lines of code, exercises: each (in the main text, in sections marked optional)."""
    words, lines, exercises, optional = [0, 0], [0, 0], [0, 0], False
    for cell in nb.cells:
        if cell.cell_type == "code":
            lines[optional] += sum(bool(line.strip()) for line in cell.source.splitlines())
            continue
        for line in cell.source.splitlines():
            if line.startswith("#"):
                optional = "(optional)" in line
            words[optional] += len(line.split())
        exercises[optional] += len(re.findall(r"^\*\*\d+\.", cell.source, re.MULTILINE))
    return words, lines, exercises


def alter_numbers(nb):
    """Alter a digit, of no measured number, in every stored output; return these cells' numbers."""
    altered = set()
    for number, cell in enumerate(code_cells(nb)):
        for output in cell.outputs:
            printed = output.output_type == "stream"
            holder, key = (output, "text") if printed else (output.get("data", {}), "text/plain")
            before = holder.get(key, "")
            spared = [found.span(1) for found in CLAIM.finditer(before)]  # is not compared
            after = before
            for digit in re.finditer(r"\d", before):
                if not any(start <= digit.start() < end for start, end in spared):
                    new = str((int(digit[0]) + 1) % 10)
                    after = before[: digit.start()] + new + before[digit.end() :]
                    break
            if after != before:
                holder[key] = after
                altered.add(number)
    return altered


def altered_lines(nb):
    """Copies of the notebook with 1 added to one number in one line of code, and that line.

    Cells with printed output come first. Seeds are left alone: no output depends on them.
    """
    numbered = enumerate(code_cells(nb))
    for index, cell in sorted(numbered, key=lambda item: not any(map(text, item[1].outputs))):
        tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
        for kind, number, (row, start), (_, end), line in tokens:
            if kind == tokenize.NUMBER and not re.match("SEED|import|from|%", line):
                lines = cell.source.splitlines()
                lines[row - 1] = f"{line[:start]}({number} + 1){line[end:]}".rstrip()
                copy = deepcopy(nb)
                code_cells(copy)[index].source = "\n".join(lines)
                yield copy, lines[row - 1].strip()


def told(failed):
    """Was a wrong value seen, and not only an exception that any slip would raise?"""
    return any("outputs differ" in why or "AssertionError" in why for why in failed.values())


def undetected(path):
    """The alterations of a notebook that comparing its outputs does not find, in words."""
    nb = nbformat.read(path, as_version=4)
    with copied() as root:

        def compared(version):
            nbformat.write(version, root / "notebooks" / path.name)
            return compare(root, [path.stem])[path.stem]

        if failed := compared(nb):
            yield f"none, but the unaltered copy fails in cells {sorted(failed)}"
            return

        copy = deepcopy(nb)
        altered = alter_numbers(copy)
        if not altered or altered != set(compared(copy)):
            yield f"a digit in the outputs of each of the cells {sorted(altered)}"

        tried = []
        for copy, line in islice(altered_lines(nb), 8):
            tried.append(line)
            if told(compared(copy)):
                break
        else:
            yield "\n    ".join(["each of the lines", *tried])

        file, old, new = PACKAGE_ALTERATIONS.get(path.stem, MINUS_U)
        source = (root / file).read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{file} holds {source.count(old)} times {old!r}"
        (root / file).write_text(source.replace(old, new), encoding="utf-8")
        if not told(compared(nb)):
            yield f"{file}: {old!r} changed to {new!r}"


def alter(notebooks):
    """Alter a copy's outputs, code and package: every comparison must then fail."""
    escaped = False
    for path in notebooks:
        found = list(undetected(path))
        escaped |= bool(found)
        print(
            f"{path.stem}:",
            "\n  ".join(["NOT FOUND:", *found]) if found else "all found",
            flush=True,
        )
    return escaped


def notebook(name):
    """A notebook's path from a path or a stem."""
    path = Path(name) if name.endswith(".ipynb") else BOOK / f"{name}.ipynb"
    if re.fullmatch(r"\d\d", name):
        path = next(BOOK.glob(f"{name}_*.ipynb"), path)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such notebook: {path}")
    return path.resolve()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (store, matrix, alter, claims, length):
        sub = commands.add_parser(command.__name__, help=command.__doc__.splitlines()[0])
        sub.set_defaults(command=command)
        every = sorted(BOOK.glob("*.ipynb"))
        sub.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", type=notebook, default=every)
        if command is claims:
            sub.add_argument("--runs", type=int, default=10, help="reseeded runs of each (10)")
        if command is matrix:
            sub.add_argument(
                "--topics", type=Path, help="topics.py of another Python patch release"
            )
    arguments = vars(parser.parse_args())
    return arguments.pop("command")(**arguments)


if __name__ == "__main__":
    sys.exit(main())
