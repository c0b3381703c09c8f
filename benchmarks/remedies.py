"""One task for every remedy: name the first of T symbols, with every start and cell of the book.

    OMP_NUM_THREADS=1 uv run python benchmarks/remedies.py [--lengths 20 60 200] [--minutes 10] ...

Each run is a row of remedies.csv, beside this file, written as soon as it ends: stopped, the
command goes on where it was. In the end it prints the table of remedies.md. All networks have about
1,500 weights, readout included. A run is 600 Adam steps (gradients clipped at norm 1), each on 32
fresh sequences; it ends early when it names 99 % of the validation sequences right at two checks
running. The first seed tries all rates; the two best go to the other seeds, and the better one is
the table's, counted on sequences of its own. Better means: more right in validation, on average
over all checks and seeds. What names at most 60 % right in its best run is not tried at a longer T.

Before training, the gradient is followed back from the loss through 60 steps. Beside the steps in
which it halves stands what the start predicts: from σ(bias) of the gate that keeps, and where there
is no gate from the spectral radius of the average Jacobian.
"""

import argparse
import csv
import math
import sys
import time
from datetime import date
from functools import lru_cache
from pathlib import Path

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd
from tqdm.auto import tqdm

from gluon_rnn import (
    RNN,
    Classifier,
    ElmanCell,
    GRUCell,
    LSTMCell,
    ResidualCell,
    accuracy,
    clip_global_norm,
)
from gluon_rnn.diagnostics import jacobians, norms_by_lag, state_gradients

sys.path.append(str(Path(__file__).parents[1] / "notebooks"))
from workbench import recall_batches

K = 4  # symbols: guessing names one in four
NETWORKS = {  # name: its cell, and the bias at which its keeping gate starts
    "SRN, narrow U": (lambda: ElmanCell(34, input_size=K), None),
    "SRN, orthogonal U": (lambda: ElmanCell(34, input_size=K), None),
    "SRN, orthogonal U, W/10": (lambda: ElmanCell(34, input_size=K), None),
    "residual g(x)": (lambda: ResidualCell(163, recurrent=False, input_size=K), None),
    "residual g(x, h)": (lambda: ResidualCell(34, input_size=K), None),
    **{f"GRU, b_z = {b}": (lambda: GRUCell(19, reset_after=True, input_size=K), b) for b in (0, 4)},
    **{f"LSTM, b_f = {b}": (lambda: LSTMCell(16, input_size=K), b) for b in (0, 1, 2, 4)},
}
FIELDS = ["T", "network", "seed", "rate", "predicted", "measured", "right", "steps", "curve"]


def build(name, seed):
    """A fresh network, started as its name says; where it says nothing, by Xavier's recipe."""
    mx.random.seed(seed)
    draw = np.random.RandomState(seed)
    cell, bias = NETWORKS[name]
    model = Classifier(RNN(cell()), classes=K)
    model.initialize(mx.init.Xavier())
    p, H = model.layer.cell._reg_params, model.layer.cell.state_info()[0]["shape"][1]
    if "narrow" in name:
        p["h2h_weight"].set_data(nd.array(draw.normal(0, 0.01, (H, H))))
    if "orthogonal" in name:
        p["h2h_weight"].set_data(nd.array(np.linalg.qr(draw.normal(size=(H, H)))[0]))
    if "W/10" in name:
        p["i2h_weight"].set_data(p["i2h_weight"].data() / 10)
    if bias is not None:  # the second block of a gated cell: z of r z n, f of i f g o
        p["i2h_bias"].data()[H : 2 * H] = bias
    return model


def halving(factor):
    """Steps in which what each step multiplies by ``factor`` halves; negative where it doubles."""
    return math.inf if factor == 1 else math.log(0.5) / math.log(factor)


@lru_cache
def at_start(name, seed, T=60, N=8):
    """Steps to halve, as the start predicts and as measured, untrained and in double precision."""
    model = build(name, seed)
    (x, y), *_ = recall_batches(1000 + seed, T, 1, K, N)
    model(x)
    model.cast("float64")
    x, cell, bias = x.astype("float64"), model.layer.cell, NETWORKS[name][1]
    if bias is None:
        average = jacobians(cell, x).mean(axis=(0, 1))  # (H, H)
        factor = abs(np.linalg.eigvals(average)).max()
    else:
        factor = 1 / (1 + math.exp(-bias))
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    kept = state_gradients(cell, x, lambda h: loss(model.decoder(h[:, -1]), y))[-1]  # of h, or c
    slope = np.polyfit(np.arange(1, T), np.log(norms_by_lag(kept)[1:T]), 1)[0]
    return halving(factor), halving(math.exp(round(slope, 9)))


def fresh_batches(seed, T, steps):
    """As many batches as steps, drawn fifty at a time."""
    for k in range(0, steps, 50):
        yield from recall_batches(1_000_000 * (seed + 1) + k, T, min(50, steps - k), K)


def train(model, T, rate, seed, steps, every):
    """Train; return the validation accuracy after 0, every, 2 every … steps."""
    loss, parameters = gluon.loss.SoftmaxCrossEntropyLoss(), model.collect_params()
    trainer = gluon.Trainer(parameters, "adam", {"learning_rate": rate}, kvstore=None)
    validation = recall_batches(100_000 + T, T, 2, K, 256)
    curve = [accuracy(model, validation)]
    for k, (x, y) in enumerate(fresh_batches(seed, T, steps), 1):
        with autograd.record():
            value = loss(model(x), y).mean()
        value.backward()
        clip_global_norm([p.grad() for p in parameters.values()], 1.0)
        trainer.step(1)
        if k % every == 0:
            curve.append(accuracy(model, validation))
            if min(curve[-2:]) >= 0.99:
                break
    return curve


def run(T, name, seed, rate, a):
    """One row."""
    predicted, measured = at_start(name, seed)
    model = build(name, seed)
    curve = train(model, T, rate, seed, a.steps, a.every)
    right = accuracy(model, recall_batches(200_000 + T, T, 4, K, 256))
    return {
        "T": T, "network": name, "seed": seed, "rate": rate, "predicted": f"{predicted:.4g}",
        "measured": f"{measured:.4g}", "right": f"{right:.4f}", "steps": a.every * (len(curve) - 1),
        "curve": " ".join(f"{share:.3f}" for share in curve),
    }  # fmt: skip


def read(path):
    """The rows so far, by (T, network, seed, rate)."""
    rows = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                row["curve"] = [float(share) for share in row["curve"].split()]
                rows[int(row["T"]), row["network"], int(row["seed"]), float(row["rate"])] = row
    return rows


def best_rates(rows, T, name, seeds):
    """The rates that all these seeds have tried, best first; what is solved stays solved."""
    tried = {}
    for (*key, seed, rate), row in rows.items():
        if key == [T, name] and seed in seeds:
            tried.setdefault(rate, []).append(row["curve"])
    longest = max((len(c) for curves in tried.values() for c in curves), default=0)
    area = {
        rate: np.mean([np.mean(c + c[-1:] * (longest - len(c))) for c in curves])
        for rate, curves in tried.items()
        if len(curves) == len(seeds)
    }
    return sorted(area, key=area.get, reverse=True)


def plan(rows, a):
    """The runs still to do, in order; ``rows`` may grow meanwhile."""
    first, *others = a.seeds
    for T in a.lengths:
        before = max((lag for lag, *_ in rows if lag < T), default=None)
        right = {}  # by network, the most right of all its runs at the T before
        for (lag, name, *_), row in rows.items():
            if lag == before:
                right[name] = max(right.get(name, 0), float(row["right"]))
        names = [name for name in a.networks if right.get(name, 1) > 0.6]
        keys = [(T, name, first, rate) for name in names for rate in a.rates]
        yield from [key for key in keys if key not in rows]
        for seed in others:
            for name in names:
                for rate in best_rates(rows, T, name, [first])[:2]:
                    if (key := (T, name, seed, rate)) not in rows:
                        yield key


def table(rows):
    """Markdown: each network at its best rates; a number per seed, steps their middle."""
    lengths = sorted({T for T, *_ in rows})
    heads = [f"T = {T}: rate | right, % | steps to 90 %" for T in lengths]
    lines = [f"| network | gradient halves in: predicted | measured | {' | '.join(heads)} |"]
    lines.append("|---" * (3 + 3 * len(lengths)) + "|")
    for name in dict.fromkeys(name for _, name, *_ in rows):
        cells, starts = [], {}
        for T in lengths:
            seeds = sorted({seed for t, n, seed, _ in rows if (t, n) == (T, name)})
            rate = next(iter(best_rates(rows, T, name, seeds)), None)
            runs = [rows[T, name, seed, rate] for seed in seeds if rate]
            starts |= {run["seed"]: run for run in runs}
            right = "/".join(f"{100 * float(run['right']):.0f}" for run in runs) or "–"
            steps = np.median([steps_to_90(run) for run in runs]) if runs else math.inf
            cells += [f"{rate:g}" if rate else "–", right, "–" if steps > 1e6 else f"{steps:.0f}"]
        for key in ("measured", "predicted"):
            cells.insert(0, in_words([float(run[key]) for run in starts.values()]))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def in_words(steps):
    """The middle of several halving times: ``5.4``, ``doubles in 10``, ``never``."""
    middle = 1 / np.median(1 / np.array(steps))
    if math.isinf(middle):
        return "never"
    return f"{middle:.2g}" if middle > 0 else f"doubles in {-middle:.2g}"


def steps_to_90(row):
    """The first check with 90 % right, infinite if there is none."""
    every = int(row["steps"]) // (len(row["curve"]) - 1)
    return next((k * every for k, share in enumerate(row["curve"]) if share >= 0.9), 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[20, 60, 200], metavar="T")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--rates", type=float, nargs="+", default=[0.001, 0.003, 0.01, 0.03])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--every", type=int, default=25, help="steps between two checks")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so many")
    parser.add_argument("--rows", type=Path, default=Path(__file__).with_suffix(".csv"))
    a = parser.parse_args()
    until, rows = time.monotonic() + 60 * a.minutes, read(a.rows)
    with a.rows.open("a", newline="", encoding="utf-8") as file, tqdm(desc="runs") as bar:
        writer = csv.DictWriter(file, FIELDS)
        if not rows:
            writer.writeheader()
        for key in plan(rows, a):
            if time.monotonic() > until:
                break
            writer.writerow(run(*key, a))
            file.flush()
            rows[key] = read(a.rows)[key]
            bar.update()
    left = "to be continued" if any(plan(rows, a)) else "complete"
    print(f"{date.today()}, {len(rows)} runs, {left}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
