"""The perplexities that famous tutorials print for The Time Machine, and those they do not print.

    OMP_NUM_THREADS=1 uv run python benchmarks/time_machine.py [PATH] [--only classic] ...

PATH is the text; without it, it is fetched. Three settings, every network in each:

classic    the first 10,000 characters, 32 rows of 35 steps, 256 units, weights from N(0, 0.01²),
           SGD at rate 1, gradients clipped at norm 1, 500 epochs, and the training perplexity of
           the last: what is printed elsewhere. Beside it the same network on the rest of the text.
held_out   the same network on the first 80 % of the text, by Adam, with every rate and dropout
           given; the best on the next 10 %, as it was when it was best there, is asked the last 10.
windows    32 units, 1,024 windows of 32 steps a batch, 10,000 of them to train and the 5,000 after
           them to validate: the later edition's setting.

Each check is a row of time_machine.csv, beside this file; a run is written when it ends: stopped,
the command goes on with the next. In the end it writes time_machine.md and time_machine.png.
"""

import argparse
import csv
import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
import mxnet as mx
import numpy as np
from mxnet import nd

from gluon_rnn import (
    RNN,
    ElmanCell,
    GRUCell,
    LanguageModel,
    LSTMCell,
    TokenBatches,
    encode,
    fit,
    perplexity,
    time_machine,
    vocabulary,
)

NETWORKS = {  # name: its cell, and what is printed elsewhere for the classic setting
    "SRN, tanh": (lambda H: ElmanCell(H), "1.3"),
    "SRN, ReLU": (lambda H: ElmanCell(H, "relu"), "1.2"),
    "GRU, reset after": (lambda H: GRUCell(H, reset_after=True), "1.1"),
    "GRU, reset before": (lambda H: GRUCell(H), "1.1"),
    "LSTM": (lambda H: LSTMCell(H, forget_bias=0), "1.1"),
}
FIELDS = ["setting", "network", "variant", "epoch", "training", "validation", "test"]


def read_tokens(path):
    """The characters of the text as the tutorials take them: letters and spaces, 28 symbols."""
    lines = time_machine(path).splitlines()
    text = "".join(re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in lines)
    vocab = vocabulary([text])
    return encode(text, vocab), len(vocab)


class Shifted:
    """The sequential partition, from another offset in every epoch."""

    def __init__(self, tokens, a, seed):
        self.tokens, self.a, self.random = tokens, a, np.random.RandomState(seed)

    def __iter__(self):
        offset = self.random.randint(self.a.length)
        yield from TokenBatches(self.tokens[offset:], self.a.batch, self.a.length)


def new_model(name, V, H, init, dropout=0.0):
    """One-hot characters, one layer, a linear readout."""
    model = LanguageModel(V, RNN(NETWORKS[name][0](H)), V, dropout)
    model.initialize(init)
    model.embedding.table.weight.set_data(nd.eye(V))
    model.embedding.table.weight.grad_req = "null"
    return model


def trained(model, batches, epochs, every, measure, **settings):
    """Rows: epoch, training perplexity of that epoch, and the two that ``measure`` gives."""
    per_epoch = len(list(batches))
    rows = []

    def validation(model):
        rows.append(measure(model))
        return rows[-1][0]

    history = fit(
        model, batches, epochs * per_epoch, clip=1.0, validation=validation,
        every=every * per_epoch, **settings,
    )  # fmt: skip
    asked = np.flatnonzero(~np.isnan(history.validation))
    return [
        [(k + 1) // per_epoch, math.exp(np.mean(history.loss[k + 1 - per_epoch : k + 1])), *row]
        for k, row in zip(asked, rows, strict=True)
    ]


def classic(name, tokens, V, a):
    """Train on the first 10,000; validation the next 10,000, test what is left."""
    train, validation, test = np.split(tokens, [a.tokens, 2 * a.tokens])
    mx.random.seed(a.seed)
    model = new_model(name, V, a.units, mx.init.Normal(0.01))
    seen = [TokenBatches(part, a.batch, a.length) for part in (validation, test)]
    yield "", trained(
        model, Shifted(train, a, a.seed), a.epochs, max(1, a.epochs // 50),
        lambda model: [perplexity(model, part) for part in seen],
        optimizer="sgd", learning_rate=1.0, carry_state=True, label=f"classic {name}",
    )  # fmt: skip


def held_out(name, tokens, V, a):
    """Every rate and dropout; the rows tell which is best on validation."""
    train, *others = np.split(tokens, [int(0.8 * len(tokens)), int(0.9 * len(tokens))])
    seen = [TokenBatches(part, a.batch, a.length) for part in others]
    for rate in a.rates:
        for dropout in a.dropouts:
            mx.random.seed(a.seed)
            model = new_model(name, V, a.units, mx.init.Xavier(), dropout)
            yield f"Adam {rate:g}, dropout {dropout:g}", trained(
                model, Shifted(train, a, a.seed), a.passes, 1,
                lambda model: [perplexity(model, part) for part in seen],
                learning_rate=rate, carry_state=True, patience=2, seed=a.seed,
                label=f"held out {name}, {rate:g}, {dropout:g}",
            )  # fmt: skip


def windows(name, tokens, V, a):
    """Windows that overlap in all but one character, 10,000 and 5,000."""
    T, H = 32, 32
    every = np.lib.stride_tricks.sliding_window_view(tokens, T + 1)[: a.tokens * 3 // 2]
    train, validation = every[: a.tokens], every[a.tokens :]
    draw = np.random.RandomState(a.seed)

    def batch(rows):
        return [nd.array(part, dtype="int32") for part in (rows[:, :-1], rows[:, 1:])]

    class Epoch:
        def __iter__(self):
            for chosen in np.array_split(draw.permutation(len(train)), -(-len(train) // 1024)):
                yield batch(train[chosen])

    def measure(model):
        total = 0.0
        for rows in np.array_split(validation, -(-len(validation) // 1024)):
            inputs, labels = batch(rows)
            total += math.log(perplexity(model, [(inputs, labels)])) * len(rows)
        return [math.exp(total / len(validation)), math.nan]

    class Logits(mx.gluon.Block):  # states begin in zeros in every batch
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, tokens):
            return self.model(tokens)[0]

    mx.random.seed(a.seed)
    model = new_model(name, V, H, mx.init.Uniform(1 / math.sqrt(H)))
    plain = name.startswith("SRN")
    epochs = (100 if plain else 50) * a.epochs // 500 or 1
    yield "", trained(
        Logits(model), Epoch(), epochs, max(1, epochs // 10), lambda m: measure(m.model),
        optimizer="sgd", learning_rate=1.0 if plain else 4.0, label=f"windows {name}",
    )  # fmt: skip


SETTINGS = {"classic": classic, "held_out": held_out, "windows": windows}


def read(path):
    """The rows so far, by (setting, network, variant)."""
    runs = {}
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = (row["setting"], row["network"], row["variant"])
                runs.setdefault(key, []).append([float(row[f]) for f in FIELDS[3:]])
    return runs


def table(runs):
    """Markdown: what is printed elsewhere, and beside it what is not."""
    lines = [
        "| network | printed elsewhere | training, last epoch | the rest of the text then | "
        "at its best epoch (of validation) | best setting on 80 % of the text | last 10 % |",
        "|---" * 7 + "|",
    ]
    later = ["| network | epochs | training | validation |", "|---" * 4 + "|"]
    for name, (_, printed) in NETWORKS.items():
        cells = [name, printed, "–", "–", "–", "–", "–"]
        if rows := runs.get(("classic", name, "")):
            best = min(rows, key=lambda row: row[2])
            cells[2:5] = [f"{rows[-1][1]:.3f}", f"{rows[-1][3]:.1f}"]
            cells[4:5] = [f"{best[3]:.2f} (epoch {best[0]:.0f})"]
        kept = {
            key[2]: min(rows, key=lambda row: row[2])
            for key, rows in runs.items()
            if key[:2] == ("held_out", name)
        }
        if kept:
            variant = min(kept, key=lambda v: kept[v][2])
            epoch, _, _, test = kept[variant]
            cells[5:] = [f"{variant}, {epoch:.0f} epochs", f"{test:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
        if rows := runs.get(("windows", name, "")):
            epoch, training, validation, _ = rows[-1]
            later.append(f"| {name} | {epoch:.0f} | {training:.2f} | {validation:.2f} |")
    return "\n".join([*lines, "", *later])


def curves(runs, path):
    """Classic setting: the training perplexity falls, that of the rest of the text rises."""
    figure, ax = plt.subplots(figsize=(7, 4.5))
    for k, name in enumerate(NETWORKS):
        rows = runs.get(("classic", name, ""))
        if rows:
            epochs, training, _, test = np.array(rows).T
            ax.semilogy(epochs, training, f"C{k}-", label=name)
            ax.semilogy(epochs, test, f"C{k}--")
    ax.set(xlabel="epoch", ylabel="perplexity (per character)")
    ax.set_title("What is printed falls to 1 (solid), what is not rises (dashed: rest of the text)")
    ax.legend(fontsize=8)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", type=Path, help="the text; fetched if not given")
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--passes", type=int, default=25, help="over the text, setting held_out")
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=35)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.001, 0.004])
    parser.add_argument("--dropouts", type=float, nargs="+", default=[0.0, 0.4])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, default=Path(__file__).with_suffix(".csv"))
    a = parser.parse_args()
    tokens, V = read_tokens(a.path)
    runs = read(a.rows)
    with a.rows.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if not runs:
            writer.writerow(FIELDS)
        for setting in a.only:
            for name in a.networks:
                wanted = len(a.rates) * len(a.dropouts) if setting == "held_out" else 1
                if sum(key[:2] == (setting, name) for key in runs) >= wanted:
                    continue
                for variant, rows in SETTINGS[setting](name, tokens, V, a):
                    if (setting, name, variant) not in runs:
                        runs[setting, name, variant] = rows
                        for row in rows:
                            cells = [f"{value:.5g}" for value in row]
                            writer.writerow([setting, name, variant, *cells])
                        file.flush()
    runs = read(a.rows)
    curves(runs, a.rows.with_suffix(".png"))
    a.rows.with_suffix(".md").write_text(table(runs) + "\n", encoding="utf-8")
    print(table(runs))


if __name__ == "__main__":
    main()
