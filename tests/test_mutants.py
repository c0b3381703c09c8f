"""The search for errors that no test sees, on a package of one function."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).with_name("mutants.py")
LARGER = "def larger(a, b):\n    if a > b:\n        return a\n    return b\n"
TEST = "from gluon_rnn.toy import larger\n\n\ndef test():\n    assert larger(1, 2) == 2 == {}\n"
SAME = "-    if a > b:\n+    if (a >= b):"


def search(root, *options):
    """What the tool prints for the package, and what it has written down."""
    command = [sys.executable, TOOL, "toy", "--root", root, "--tests", "test_toy.py"]
    options = [*options, "--warm", "pytest", "--csv", root / "found.csv"]
    run = subprocess.run([*command, *options], capture_output=True, text=True)
    return run.stdout + run.stderr, (root / "found.csv").read_text()


def test_errors_are_found_once_and_equals_are_excused(tmp_path):
    for file, text in {
        "gluon_rnn/__init__.py": "",
        "gluon_rnn/toy.py": LARGER,
        "tests/test_toy.py": TEST.format("2"),  # never the first number
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    printed, found = search(tmp_path)
    assert "toy: 2 of 5 killed, 0 not run" in printed, printed
    assert f"gluon_rnn/toy.py:2\n{SAME}\n" in printed
    assert "-        return a\n+        return b\n" in printed

    assert search(tmp_path, "--resume") == (printed, found)  # nothing is run again

    (tmp_path / "tests/test_toy.py").write_text(TEST.format("larger(2, 1)"))
    (tmp_path / "tests/mutants_equivalent.txt").write_text(f"# toy: both are right\n{SAME}\n")
    printed, again = search(tmp_path, "--again")
    assert printed == "toy: 4 of 4 killed, 0 not run\n"
    assert again.startswith(found)
    assert again.count("\ntoy,") == found.count("\ntoy,") + 2  # those that were not seen
