"""Training steps per second of every cell, against Gluon's own, interleaved in one run.

    OMP_NUM_THREADS=1 uv run python benchmarks/cells.py [--rounds 15] [--length 35] ...

A step is forward, backward, global-norm clip and SGD of one recurrent layer with a decoder, on
random one-hot characters. Contestants take turns, so a change in the machine's speed meets all of
them alike; the table gives medians over rounds. Before anything is timed, contestants of one
formula are given equal weights and must have equal losses.
"""

import argparse
import time

import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, nd

from gluon_rnn import (
    RNN,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    NARXCell,
    ResidualCell,
    TDNNCell,
    clip_global_norm,
)


def formulas(H, V):
    """Our cell of each formula, and Gluon's cell and fused layer where there are any."""
    rnn = gluon.rnn
    return {
        "Elman tanh": (ElmanCell(H), rnn.RNNCell, lambda: rnn.RNN(H, activation="tanh")),
        "Elman ReLU": (
            ElmanCell(H, "relu"),
            lambda n: rnn.RNNCell(n, "relu"),
            lambda: rnn.RNN(H, activation="relu"),
        ),
        "GRU reset after": (GRUCell(H, reset_after=True), rnn.GRUCell, lambda: rnn.GRU(H)),
        "GRU reset before": (GRUCell(H), None, None),
        "LSTM": (LSTMCell(H, forget_bias=0.0), rnn.LSTMCell, lambda: rnn.LSTM(H)),
        "LSTM peephole": (LSTMCell(H, peephole=True), None, None),
        "Jordan": (JordanCell(H, H), None, None),
        "residual": (ResidualCell(H), None, None),
        "TDNN, 4 delays": (TDNNCell(H, 4, V), None, None),
        "NARX, 4 + 4 delays": (NARXCell(H, H, 4, 4, V), None, None),
    }


class Contestant:
    """One way to run a recurrent layer: its parameters, and a training step."""

    def __init__(self, block, run, H, V):
        mx.random.seed(0)
        self.block, self.run = block, run
        self.decoder = gluon.nn.Dense(V, in_units=H, flatten=False)
        self.decoder.initialize(mx.init.Normal(0.01))
        self.loss = gluon.loss.SoftmaxCrossEntropyLoss()

    def settle(self, x, weights):
        """Run once, then take ``weights``: Gluon and we keep parameters in one order."""
        self.block.initialize(mx.init.Normal(0.01))
        self.run(x)
        parameters = [*self.block.collect_params().values()]
        if weights is not None:
            for p, w in zip(parameters, weights, strict=True):
                p.set_data(w)
        self.all = [*parameters, *self.decoder.collect_params().values()]
        self.trainer = gluon.Trainer(self.all, "sgd", {"learning_rate": 0.1}, kvstore=None)
        return [p.data().copy() for p in parameters]

    def step(self, x, y):
        with autograd.record():
            loss = self.loss(self.decoder(self.run(x)), y).mean()
        loss.backward()
        clip_global_norm([p.grad() for p in self.all], 1.0)
        self.trainer.step(1)
        return loss


def contestants(name, ours, cell, layer, H, V):
    def unrolled(block):
        return lambda x: block.unroll(x.shape[1], x, layout="NTC", merge_outputs=True)[0]

    built = {"ours": Contestant(rnn := RNN(ours), lambda x: rnn(x)[0], H, V)}
    if cell is not None:
        plain, compiled, fused = cell(H), cell(H), layer()
        compiled.hybridize(static_alloc=True)
        fused.hybridize(static_alloc=True)
        built["Gluon cell, imperative"] = Contestant(plain, unrolled(plain), H, V)
        built["Gluon cell, hybridized"] = Contestant(compiled, unrolled(compiled), H, V)
        built["Gluon fused layer"] = Contestant(
            fused, lambda x: fused(x.swapaxes(0, 1)).swapaxes(0, 1), H, V
        )
    return built


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option, default in {
        "rounds": 15,
        "vocab": 28,
        "length": 35,
        "batch": 32,
        "hidden": 256,
    }.items():
        parser.add_argument(f"--{option}", type=int, default=default)
    a = parser.parse_args()
    draw = np.random.RandomState(0)
    tokens = draw.randint(a.vocab, size=(a.batch, a.length + 1))
    x, y = nd.one_hot(nd.array(tokens[:, :-1]), a.vocab), nd.array(tokens[:, 1:])
    runners = {}
    for name, parts in formulas(a.hidden, a.vocab).items():
        weights, losses = None, []
        for way, c in contestants(name, *parts, a.hidden, a.vocab).items():
            weights = c.settle(x, weights)
            losses.append(c.step(x, y).asscalar())
            runners[name, way] = c
        assert np.ptp(losses) < 1e-4, f"{name}: not one formula, losses {losses}"
    times = {key: [] for key in runners}
    for _ in range(a.rounds):
        for key, c in runners.items():
            nd.waitall()
            start = time.perf_counter()
            c.step(x, y)
            nd.waitall()
            times[key].append(time.perf_counter() - start)
    ways = list(dict.fromkeys(way for _, way in runners))
    size = f"V {a.vocab}, T {a.length}, N {a.batch}, H {a.hidden}"
    print(f"steps per second, median of {a.rounds} rounds, {size}")
    print(" | ".join([f"{'cell':<18}", *ways, "engine"]))
    for name, (cell, *_) in formulas(a.hidden, a.vocab).items():
        row = [
            f"{1 / np.median(times[name, w]):{len(w)}.1f}" if (name, w) in times else " " * len(w)
            for w in ways
        ]
        print(" | ".join([f"{name:<18}", *row, RNN(cell).engine_for()]))


if __name__ == "__main__":
    main()
