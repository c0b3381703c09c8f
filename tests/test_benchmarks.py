"""Benchmarks run; what they measure is no test."""

import subprocess
import sys
from pathlib import Path


def test_the_benchmark_of_cells_runs():
    script = Path(__file__).parents[1] / "benchmarks" / "cells.py"
    small = ["--rounds", "1", "--vocab", "3", "--length", "3", "--batch", "2", "--hidden", "4"]
    command = [sys.executable, "-W", "ignore", str(script), *small]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert len(rows) == 2 + 10
    assert all(float(row.split("|")[1]) > 0 for row in rows[2:])
