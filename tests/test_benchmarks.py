"""Benchmarks run; what they measure is no test."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


def test_the_benchmark_of_cells_runs():
    script = SCRIPTS / "cells.py"
    small = ["--rounds", "1", "--vocab", "3", "--length", "3", "--batch", "2", "--hidden", "4"]
    command = [sys.executable, "-W", "ignore", str(script), *small]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert len(rows) == 2 + 10
    assert all(float(row.split("|")[1]) > 0 for row in rows[2:])


def test_the_benchmark_of_remedies_runs_and_goes_on(tmp_path):
    small = ["--lengths", "3", "--steps", "4", "--every", "2", "--rates", "0.01", "0.03"]
    small += ["--networks", "SRN, narrow U", "LSTM, b_f = 4", "--rows", str(tmp_path / "rows.csv")]
    script = str(SCRIPTS / "remedies.py")
    for seeds, runs in ((["0"], 4), (["0", "1"], 8), (["0", "1"], 8)):
        command = [sys.executable, "-W", "ignore", script, *small, "--seeds", *seeds]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"{runs} runs, complete" in done.stdout
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["network"], row["seed"], row["rate"]) for row in rows}) == len(rows) == 8
    assert all(0 <= float(row["right"]) <= 1 for row in rows)
    law = {row["predicted"] for row in rows if row["network"] == "LSTM, b_f = 4"}
    assert law == {"38.19"}  # ln ½ / ln σ(4)


def test_the_benchmark_of_the_time_machine_runs_and_goes_on(tmp_path):
    words = np.random.RandomState(0).choice(["the", "time", "machine", "of", "wells"], 160)
    (tmp_path / "text.txt").write_text(" ".join(words))
    small = ["--tokens", "150", "--epochs", "4", "--passes", "2", "--units", "4", "--batch", "3"]
    small += ["--length", "7", "--rates", "0.01", "0.1", "--dropouts", "0"]
    small += ["--networks", "SRN, tanh", "LSTM", "--rows", str(tmp_path / "rows.csv")]
    script = str(SCRIPTS / "time_machine.py")
    for only in (["classic"], ["classic", "held_out", "windows"]):
        command = [sys.executable, "-W", "ignore", script, str(tmp_path / "text.txt"), *small]
        done = subprocess.run(
            [*command, "--only", *only], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "rows.md").read_text() == done.stdout
    assert (tmp_path / "rows.png").stat().st_size > 10_000
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    runs = {(row["setting"], row["network"], row["variant"]) for row in rows}
    assert len(runs) == 2 * (1 + 2 + 1)
    classic = [row for row in rows if (row["setting"], row["network"]) == ("classic", "LSTM")]
    assert [row["epoch"] for row in classic] == ["1", "2", "3", "4"]  # once, not again
    assert all(1 <= float(row["training"]) < 40 for row in rows)


def test_the_stored_table_is_that_of_the_rows(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import remedies

    table = remedies.table(remedies.read(SCRIPTS / "remedies.csv"))
    assert table in (SCRIPTS / "remedies.md").read_text(encoding="utf-8")
