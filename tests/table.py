"""The table that tests run over: every cell and variant, one row each.

A new public cell needs a row here; ``test_cells.py`` fails without one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mxnet import autograd, gluon, nd

from gluon_rnn import cells

C, H, Q = 4, 5, 3  # input features, hidden units, outputs


@dataclass(frozen=True)
class Row:
    """How to make a cell, and Gluon's cell and layer of the same formula, if there are any."""

    make: Callable[..., cells.Cell]
    width: int = C
    twin: Callable[..., Any] | None = None
    twin_layer: Callable[..., Any] | None = None
    deferred: bool = True  # can the input size be left to the first input?


def _row(cls: type, *args: Any, **kwargs: Any) -> Callable[..., cells.Cell]:
    return lambda **more: cls(*args, **(kwargs | more))


_gluon = gluon.rnn
ROWS = {
    "elman-tanh": Row(
        _row(cells.ElmanCell, H),
        twin=lambda: _gluon.RNNCell(H),
        twin_layer=lambda: _gluon.RNN(H, activation="tanh"),
    ),
    "elman-relu": Row(
        _row(cells.ElmanCell, H, "relu"),
        twin=lambda: _gluon.RNNCell(H, "relu"),
        twin_layer=lambda: _gluon.RNN(H, activation="relu"),
    ),
    "elman-sigmoid": Row(
        _row(cells.ElmanCell, H, "sigmoid"), twin=lambda: _gluon.RNNCell(H, "sigmoid")
    ),
    "elman-identity": Row(_row(cells.ElmanCell, H, "identity")),
    "jordan": Row(_row(cells.JordanCell, H, Q)),
    "jordan-sigmoid": Row(_row(cells.JordanCell, H, Q, "relu", "sigmoid")),
    "tdnn": Row(_row(cells.TDNNCell, H, 3, C), deferred=False),
    "tdnn-1": Row(_row(cells.TDNNCell, H, 1, C, "sigmoid"), deferred=False),
    "narx": Row(_row(cells.NARXCell, H, Q, 2, 3, C), deferred=False),
    "narx-open": Row(
        _row(cells.NARXCell, H, Q, 1, 1, C, open_loop=True), width=C + Q, deferred=False
    ),
    "residual": Row(_row(cells.ResidualCell, H)),
    "residual-input": Row(_row(cells.ResidualCell, H, recurrent=False, activation="sigmoid")),
    "gru": Row(_row(cells.GRUCell, H)),
    "gru-after": Row(
        _row(cells.GRUCell, H, reset_after=True),
        twin=lambda: _gluon.GRUCell(H),
        twin_layer=lambda: _gluon.GRU(H),
    ),
    "lstm": Row(
        _row(cells.LSTMCell, H),
        twin=lambda: _gluon.LSTMCell(H),
        twin_layer=lambda: _gluon.LSTM(H),
    ),
    "lstm-peephole": Row(_row(cells.LSTMCell, H, peephole=True)),
    "lstm-linear": Row(_row(cells.LSTMCell, H, output_activation="identity")),
    "lstm-both": Row(_row(cells.LSTMCell, H, peephole=True, output_activation="identity")),
}
TWINS = [name for name, row in ROWS.items() if row.twin]
TWIN_LAYERS = [name for name, row in ROWS.items() if row.twin_layer]


def fill(block: gluon.Block, seed: int = 0, scale: float = 0.7) -> None:
    """Give every parameter, biases included, uniform values in ±scale."""
    block.initialize()
    draw = np.random.RandomState(seed)
    for parameter in block.collect_params().values():
        parameter.set_data(nd.array(draw.uniform(-scale, scale, parameter.shape)))


def build(name: str, dtype: str = "float64", seed: int = 0) -> cells.Cell:
    """The cell of a row, with known width and random parameters."""
    row = ROWS[name]
    cell = row.make(**({"input_size": row.width} if row.deferred else {}))
    fill(cell, seed)
    cell.cast(dtype)
    return cell


def sample(name: str, N: int = 3, T: int = 6, dtype: str = "float64", seed: int = 1):
    """Random inputs (N, T, C) for a row."""
    draw = np.random.RandomState(seed)
    return nd.array(draw.normal(size=(N, T, ROWS[name].width)), dtype=dtype)


def random_states(part: Any, N: int, dtype: str = "float64", seed: int = 2) -> list[nd.NDArray]:
    """Random states of a cell or layer."""
    draw = np.random.RandomState(seed)
    return [nd.array(draw.normal(size=s["shape"]), dtype=dtype) for s in part.state_info(N)]


def short(parameter: gluon.Parameter, prefix: str) -> str:
    """``elmancell0_i2h_weight`` as ``i2h_weight``; Gluon's layers' ``l0_i2h_weight`` too."""
    name = parameter.name.removeprefix(prefix)
    return name.removeprefix("l0_")


def record(run: Callable, block: gluon.Block, x: nd.NDArray, states: list[nd.NDArray]) -> dict:
    """Everything a run gives: outputs, states, and the gradients of inputs, states, parameters.

    The loss weighs every number of every output and last state differently, so that no error in
    one of them can be made up for by another.
    """
    x, states = x.copy(), [s.copy() for s in states]
    for a in (x, *states):
        a.attach_grad()
    with autograd.record():
        outputs, last = run(x, states)
        loss = sum(
            (nd.array(weights(k, a.shape), dtype=a.dtype) * a).sum()
            for k, a in enumerate((outputs, *last))
        )
    loss.backward()
    seen = {"loss": loss, "outputs": outputs, "d inputs": x.grad}
    seen |= {f"states[{k}]": s for k, s in enumerate(last)}
    seen |= {f"d states[{k}]": s.grad for k, s in enumerate(states)}
    seen |= {f"d {short(p, block.prefix)}": p.grad() for p in block.collect_params().values()}
    return {name: a.asnumpy().copy() for name, a in seen.items()}


def weights(k: int, shape: tuple[int, ...]) -> np.ndarray:
    """What the loss of :func:`record` weighs the outputs (k = 0) and the k-th state with."""
    return np.random.RandomState(k).uniform(0.5, 1.5, shape)


def unroll(cell: Any, layout: str = "NTC") -> Callable:
    """Gluon's own unroll as a run for :func:`record`."""

    def run(x, states):
        length = x.shape[layout.index("T")]
        return cell.unroll(length, x, states, layout=layout, merge_outputs=True)

    return run


def loop(cell: Any) -> Callable:
    """The plain loop over steps as a run for :func:`record`."""

    def run(x, states):
        outputs = []
        for t in range(x.shape[1]):
            output, states = cell(x[:, t], states)
            outputs.append(output)
        return nd.stack(*outputs, axis=1), states

    return run


def assert_same(received: dict, expected: dict, tolerance: float) -> None:
    """Equal entries within ``tolerance`` (absolute, and relative to the largest), or say where."""
    assert received.keys() == expected.keys()
    for name, b in expected.items():
        a = received[name]
        assert a.shape == b.shape, f"{name}: shape {a.shape} for {b.shape}"
        error = np.abs(a - b)
        where = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        at = f"{name}[{', '.join(map(str, where))}]"
        limit = tolerance * max(1.0, np.abs(b).max())
        assert error[where] <= limit, f"{at}: received {a[where]}, expected {b[where]}"
