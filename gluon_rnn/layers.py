"""From a cell to a sequence: ``outputs, states = layer(inputs, states, valid_length)``.

Axes: N batch, T time, C input features, H hidden. Inputs (N, T, C), outputs (N, T, H).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.gluon import Block, HybridBlock, nn

from gluon_rnn.cells import Cell
from gluon_rnn.checks import instance, one_of, require, sequence_lengths

Array, States = nd.NDArray, list[nd.NDArray]

__all__ = ["RNN", "Bidirectional", "Layer", "Stacked"]


class _Graph(HybridBlock):
    """A cell's equations over T steps as one graph on the cell's own parameters."""

    def __init__(self, cell: Cell, engine: str, length: int, masked: bool) -> None:
        super().__init__(prefix=cell.prefix, params=cell.params)
        for name in cell._reg_params:
            setattr(self, name, self.params.get(name))
        self._step, self._hoists, self._mode = cell.hybrid_forward, cell.hoists, cell.fused_mode
        self._rows, self._hidden = cell.i2h_weight.shape[0], cell.state_info()[0]["shape"][1]
        self._run = self._fused if engine == "fused" else self._unrolled
        self._length, self._masked = length, masked

    def hybrid_forward(self, F, x, *states, **params):
        states, lengths = (states[:-1], states[-1]) if self._masked else (states, None)
        outputs, states = self._run(F, F.swapaxes(x, 0, 1), list(states), lengths, **params)
        if self._masked:
            outputs = F.SequenceMask(outputs, lengths, use_sequence_length=True)
        return (F.swapaxes(outputs, 0, 1), *states)

    def _unrolled(self, F, x, states, lengths, **params):
        # With static_alloc, MXNet 1.9.1 loses the gradient of `h + g` where h is an input of the
        # graph that wants none.
        states = [F.identity(s) for s in states]
        if self._hoists:
            W, b = params["i2h_weight"], params["i2h_bias"]
            x = F.FullyConnected(x, W, b, num_hidden=self._rows, flatten=False)  # (T, N, G H)
            params |= {"i2h_weight": None, "i2h_bias": None}
        steps = F.split(x, num_outputs=self._length, axis=0, squeeze_axis=True)
        outputs, history = [], []
        for x_t in steps if self._length > 1 else [steps]:
            output, states = self._step(F, x_t, states, **params)
            outputs.append(output)
            history.append(states)
        if self._masked:
            per_state = [F.stack(*s, axis=0) for s in zip(*history, strict=True)]  # (T, N, H)
            states = [F.SequenceLast(s, lengths, use_sequence_length=True) for s in per_state]
        return F.stack(*outputs, axis=0), states

    def _fused(self, F, x, states, lengths, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        flat = [p.reshape(-1) for p in (i2h_weight, h2h_weight, i2h_bias, h2h_bias)]
        flat = F._internal._rnn_param_concat(*flat, dim=0)
        states = [F.expand_dims(s, axis=0) for s in states]  # (layers = 1, N, H)
        sizes = {"state_size": self._hidden, "num_layers": 1}
        outputs, *states = F.RNN(x, flat, *states, mode=self._mode, state_outputs=True, **sizes)
        if self._masked:
            return outputs, [F.SequenceLast(outputs, lengths, use_sequence_length=True)]
        return outputs, [F.squeeze(s, axis=0) for s in states]


class Layer(Block):
    """A sequence layer. Its states are one flat list, the first of its parts' first."""

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Shape (N, width) and layout of each state."""
        return [info for part in self._parts for info in part.state_info(batch_size)]

    def begin_state(self, batch_size: int, dtype: Any = "float32") -> States:
        """States of zeros."""
        return [nd.zeros(info["shape"], dtype=dtype) for info in self.state_info(batch_size)]

    def _deal(self, states: States | None) -> list[States | None]:
        """The flat list, cut into each part's own."""
        if states is None:
            return [None] * len(self._parts)
        instance("states", states, (list, tuple))
        counts = [len(part.state_info()) for part in self._parts]
        require(len(states) == sum(counts), "states", f"{sum(counts)} in a list", len(states))
        return [list(states[k - n : k]) for k, n in zip(np.cumsum(counts), counts, strict=True)]


class RNN(Layer):
    r"""Run any cell over a sequence, in the fastest way that is exact.

    .. math:: o_t, s_t = \mathrm{cell}(x_t, s_{t-1}), \qquad t = 1 \ldots T

    Parameters: ``cell`` any of :mod:`gluon_rnn.cells`; ``engine`` "fused" (MXNet's operator for a
    whole sequence), "unrolled" (the cell's own equations, all input projections in one product, one
    compiled graph per length) or "auto": fused where the operator computes the cell's very formula
    (Elman with tanh or ReLU, GRU with ``reset_after=True``, LSTM without variants), else unrolled.
    ``hybridize(False)`` runs the unrolled steps one by one, to look inside.

    Inputs and outputs: inputs (N, T, C); states as ``begin_state(N)``, zeros if ``None``;
    ``valid_length`` (N,), whole numbers in 1..T. Returns outputs (N, T, H), zero beyond
    ``valid_length``, and the states after each sequence's last valid step.

    Raises: ``ValueError``, ``TypeError`` naming the argument; where ``engine="fused"`` asks for
    what the operator lacks, saying what. Differs from Gluon's fused layers: NTC, any cell, lengths.
    """

    def __init__(self, cell: Cell, engine: str = "auto", prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.cell = instance("cell", cell, Cell)
        self._parts = [cell]
        self._engine = one_of("engine", engine, ("auto", "fused", "unrolled"))
        self.engine_for()  # raises where it cannot run
        self.hybridize()

    def engine_for(self, dtype: str = "float32", masked: bool = False) -> str:
        """Which engine runs: "fused" or "unrolled"."""
        lacks = {
            None: self.cell.fused_lacks,
            "lstm": masked and "c_t at a valid_length (it returns c_T only)",
            "rnn_relu": dtype == "float64" and "a ReLU in float64 (its own rounds to float32)",
        }.get(self.cell.fused_mode)
        if lacks and self._engine == "fused":
            require(False, "engine", f"'unrolled', as the operator lacks {lacks}", "'fused'")
        return "unrolled" if lacks or self._engine == "unrolled" else "fused"

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compile a graph per length and engine (the default), or run imperatively."""
        super().hybridize(active, **kwargs)

        @lru_cache(maxsize=64)
        def graph(engine: str, length: int, masked: bool, dtype: str) -> HybridBlock:
            block = _Graph(self.cell, engine, length, masked)
            block.hybridize(active, static_alloc=True, static_shape=True)
            return block

        self._graph = graph

    def forward(self, inputs: Array, states: States | None = None, valid_length: Any = None):
        self.cell.check_inputs(instance("inputs", inputs, Array), "NTC")
        (N, T, C), dtype = inputs.shape, inputs.dtype.__name__
        states = self.begin_state(N, dtype) if states is None else states
        self.cell.check_states(states, N, dtype)
        lengths = [] if valid_length is None else [sequence_lengths(valid_length, N, T)]
        self.cell.infer_input_size(C)
        masked = bool(lengths)
        graph = self._graph(self.engine_for(dtype, masked), T, masked, dtype)
        outputs, *states = graph(inputs, *states, *lengths)
        return outputs, states


class Bidirectional(Layer):
    r"""Two layers over one sequence, one from each end.

    .. math:: o_t = [\overrightarrow{h}_t ; \overleftarrow{h}_t]

    Source: document 002, "Bi-LSTM" (a heading only); Schuster and Paliwal 1997.

    Parameters: ``forward``, ``backward`` layers; ``merge`` "concat" or "sum" of their outputs.

    Inputs, outputs, errors: as :class:`RNN`; outputs (N, T, 2 H), or (N, T, H) for "sum"; states
    the forward layer's, then the backward layer's, whose last step is t = 1. With ``valid_length``
    each sequence is reversed within its own length: padding stays at the end.

    Differs from ``gluon.rnn.BidirectionalCell``: each direction runs fused where it can.
    """

    def __init__(
        self, forward: Layer, backward: Layer, merge: str = "concat", prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self.ahead = instance("forward", forward, Layer)
        self.back = instance("backward", backward, Layer)
        self._parts = [forward, backward]
        self._merge = one_of("merge", merge, ("concat", "sum"))

    def forward(self, inputs: Array, states: States | None = None, valid_length: Any = None):
        own, others = self._deal(states)
        ahead, own = self.ahead(inputs, own, valid_length)
        back, others = self.back(_reverse(inputs, valid_length), others, valid_length)
        back = _reverse(back, valid_length)
        outputs = nd.concat(ahead, back, dim=2) if self._merge == "concat" else ahead + back
        return outputs, own + others


def _reverse(x: Array, valid_length: Any) -> Array:
    """Turn (N, T, C) around in time, each sequence within its own length."""
    if valid_length is None:
        return nd.flip(x, axis=1)
    lengths = sequence_lengths(valid_length, *x.shape[:2])
    x = nd.SequenceReverse(nd.swapaxes(x, 0, 1), lengths, use_sequence_length=True)
    return nd.swapaxes(x, 0, 1)


class Stacked(Layer):
    """Layers on top of each other: each one's outputs are the next one's inputs.

    Source: Graves 2013, "deep recurrent neural networks".

    Parameters: ``*layers``; ``dropout`` the share of units silenced between them in training.

    Inputs, outputs, errors: as :class:`RNN`; outputs the last layer's; states all, lowest first.
    Differs from ``gluon.rnn.SequentialRNNCell``: each layer runs fused where it can.
    """

    def __init__(self, *layers: Layer, dropout: float = 0.0, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        for k, layer in enumerate(layers):
            self.register_child(instance(f"layers[{k}]", layer, Layer))
        require(len(layers) > 0, "layers", "at least one layer", "none")
        require(0 <= dropout < 1, "dropout", "at least 0 and less than 1", dropout)
        self._parts, self._drop = list(layers), nn.Dropout(dropout)

    def forward(self, inputs: Array, states: States | None = None, valid_length: Any = None):
        last = []
        for k, (layer, own) in enumerate(zip(self._parts, self._deal(states), strict=True)):
            inputs, own = layer(self._drop(inputs) if k else inputs, own, valid_length)
            last += own
        return inputs, last
