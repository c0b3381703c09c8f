"""From a cell to a sequence: ``outputs, states = layer(inputs, states, valid_length)``.

Axes: N batch, T time, C input features, H hidden. Inputs (N, T, C), outputs (N, T, H).
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.gluon import Block, HybridBlock, nn

from gluon_rnn.cells import Cell
from gluon_rnn.checks import Keywords, instance, on_host, one_of, require, sequence_lengths, whole

Array, States = nd.NDArray, list[nd.NDArray]

__all__ = ["RNN", "Bidirectional", "Layer", "Stacked"]


class _Graph(HybridBlock):
    """A cell's equations over ``length`` steps as one graph on the cell's own parameters."""

    def __init__(self, cell: Cell, engine: str, length: int, masked: bool) -> None:
        super().__init__(prefix=cell.prefix, params=cell.params)
        self.params.update({p.name: p for p in cell._reg_params.values()})
        for name, parameter in cell._reg_params.items():
            setattr(self, name, parameter)
        self._step, self._mode = cell.hybrid_forward, cell.fused_mode
        hoisted = cell.hoists if cell.promises("hoists") else ()
        self._biases = [b for b in hoisted if b in cell._reg_params]
        self._once = cell.once if cell.promises("once") else None
        self._sizes = cell._state_sizes
        self._run = self._fused if engine == "fused" else self._unrolled
        self._length, self._masked = length, masked

    def hybrid_forward(self, F, x, *states, **params):
        states, lengths = (states[:-1], states[-1]) if self._masked else (states, None)
        outputs, states = self._run(F, F.swapaxes(x, 0, 1), list(states), lengths, **params)
        return (F.swapaxes(outputs, 0, 1), *states)

    def _unrolled(self, F, x, states, lengths, **params):
        # With static_alloc, MXNet 1.9.1 loses the gradient of `h + g` where h is an input of the
        # graph that wants none.
        states = [F.identity(s) for s in states]
        if self._biases:
            b = F.add_n(*(params[name] for name in self._biases))
            x = self._project(F, x, params["i2h_weight"], b)  # (T, N, G H)
            params |= dict.fromkeys(["i2h_weight", *self._biases])
        if self._once:
            params = self._once(F, params)
        steps = F.split(x, num_outputs=self._length, axis=0, squeeze_axis=True)
        outputs = []
        for t, x_t in enumerate(steps if self._length > 1 else [steps]):
            output, new = self._step(F, x_t, states, **params)
            states = new if lengths is None else _keep_past_the_end(F, t, lengths, new, states)
            outputs.append(output)
        return F.stack(*outputs, axis=0), states

    def _project(self, F, x, W, b):
        """W x + b for all steps, in one product: [W b] times x with a 1 below it."""
        one = F.ones_like(F.slice_axis(x, axis=2, begin=0, end=1))
        x, W = F.concat(x, one, dim=2), F.concat(W, F.expand_dims(b, axis=1), dim=1)
        rows = self.i2h_weight.shape[0]
        return F.FullyConnected(x, W, no_bias=True, num_hidden=rows, flatten=False)

    def _fused(self, F, x, states, lengths, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        flat = [p.reshape(-1) for p in (i2h_weight, h2h_weight, i2h_bias, h2h_bias)]
        flat = F._internal._rnn_param_concat(*flat, dim=0)
        states = [F.expand_dims(s, axis=0) for s in states]  # (layers = 1, N, H)
        sizes = {"state_size": self._sizes[0], "num_layers": 1}
        outputs, *states = F.RNN(x, flat, *states, mode=self._mode, state_outputs=True, **sizes)
        if lengths is not None:
            return outputs, [F.SequenceLast(outputs, lengths, use_sequence_length=True)]
        return outputs, [F.squeeze(s, axis=0) for s in states]


class _Graphs:
    """Compiled graphs by what they are for. A copy of a layer compiles its own."""

    def __init__(self) -> None:
        self.by_key: dict[tuple, _Graph] = {}

    def __reduce__(self):
        return _Graphs, ()


def _keep_past_the_end(F, t: int, lengths, new, old):
    """The new states of the sequences longer than t, the old ones of those that have ended."""
    return [F.where(lengths > t, s, kept) for s, kept in zip(new, old, strict=True)]


class _FixedLength(_Graph):
    """From states of zeros to the outputs alone."""

    def hybrid_forward(self, F, x, **params):
        zero = F.zeros_like(F.slice(x, begin=(None, 0, 0), end=(None, 1, 1))).reshape((-1, 1))
        states = [F.broadcast_axis(zero, axis=1, size=size) for size in self._sizes]
        outputs, *_ = super().hybrid_forward(F, x, *states, **params)
        return outputs


def _pieces(T: int) -> list[int]:
    """T, or beyond 64 a sum of few different lengths: all lengths run through few graphs."""
    if T <= 64:
        return [T]
    pieces = []
    for length in (128, 64, 32):
        pieces += [length] * (T // length)
        T %= length
    return [*pieces, T] if T else pieces


class Layer(Keywords, Block):
    """A sequence layer. Its states are one flat list, the first of its parts' first."""

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Shape (N, width) and layout of each state."""
        return [info for part in self._parts for info in part.state_info(batch_size)]

    def begin_state(self, batch_size: int = 0, func: Any = nd.zeros, **kwargs: Any) -> States:
        """States of zeros, or of what ``func`` makes; of the parameters' dtype unless ``dtype``."""
        return [s for part in self._parts for s in part.begin_state(batch_size, func, **kwargs)]

    def _deal(self, states: States | None) -> list[States | None]:
        """The flat list, cut into each part's own."""
        if states is None:
            return [None] * len(self._parts)
        instance("states", states, (list, tuple))
        counts = [len(part.state_info()) for part in self._parts]
        require(len(states) == sum(counts), "states", f"{sum(counts)} in a list", len(states))
        return [list(states[k - n : k]) for k, n in zip(np.cumsum(counts), counts, strict=True)]

    def final(self, inputs: Array, states: States | None = None, valid_length: Any = None) -> Array:
        """The output (N, H) at each sequence's end; each direction's at its own end."""
        outputs, _ = self(inputs, states, valid_length)
        if valid_length is None:
            return outputs[:, -1]
        lengths = nd.array(on_host(valid_length), ctx=outputs.context)
        return nd.SequenceLast(nd.swapaxes(outputs, 0, 1), lengths, use_sequence_length=True)


class RNN(Layer):
    r"""Run any cell over a sequence, in the fastest way that is exact.

    .. math:: o_t, s_t = \mathrm{cell}(x_t, s_{t-1}), \qquad t = 1 \ldots T

    Parameters: ``cell`` any of :mod:`gluon_rnn.cells`; ``engine`` "fused" (MXNet's operator for a
    whole sequence), "unrolled" (the cell's own equations, all input projections in one product, in
    compiled graphs of up to 128 steps) or "auto": fused where the operator computes the cell's very
    formula (Elman with tanh or ReLU, GRU with ``reset_after=True``, LSTM without variants), else
    unrolled. A sequence of up to 64 steps is one graph, a longer one a chain of graphs of 128, 64,
    32 and fewer steps, so that many lengths need few of them. ``hybridize(False)`` calls the cell
    step by step, to look inside: then its hooks fire too. Other keywords of it go to MXNet.

    Inputs and outputs: inputs (N, T, C); states as ``begin_state(N)``, zeros if ``None``;
    ``valid_length`` (N,), whole numbers in 1..T. Returns outputs (N, T, H), zero beyond
    ``valid_length``, and the states after each sequence's last valid step; what stands in the
    padding reaches neither them nor a gradient.

    Raises: ``ValueError``, ``TypeError`` naming the argument; where ``engine="fused"`` asks for
    what the operator lacks, saying what. Differs from Gluon's fused layers: NTC, any cell, lengths;
    a ``Block``, for it needs T to make a graph (:meth:`at_length` is a ``HybridBlock``).

    >>> layer = RNN(GRUCell(5))
    >>> layer.initialize()
    >>> outputs, states = layer(mx.nd.ones((2, 7, 3)), valid_length=[7, 4])
    >>> outputs.shape, states[0].shape
    ((2, 7, 5), (2, 5))
    """

    def __init__(self, cell: Cell, engine: str = "auto", prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.cell = instance("cell", cell, Cell)
        self._parts = [cell]
        self._engine = one_of("engine", engine, ("auto", "fused", "unrolled"))
        self.engine_for()  # raises where it cannot run
        self.hybridize()

    @property
    def params(self):
        """The cell's: it runs inside, so Gluon's ``summary`` counts them here."""
        return self.cell.params

    def engine_for(self, dtype: Any = "float32", masked: bool = False) -> str:
        """Which engine runs: "fused" or "unrolled"."""
        same = self.cell.promises("fused_lacks")
        lacks = self.cell.fused_lacks if same else "the equations of a subclass"
        if not lacks and self.cell.fused_mode == "lstm" and masked:
            lacks = "c_t at a valid_length (it returns c_T only)"
        if not lacks and self.cell.fused_mode == "rnn_relu":
            if np.dtype(dtype) == "float64":
                lacks = "a ReLU in float64 (its own rounds to float32)"
            elif masked:
                lacks = "an end at a valid_length (a ReLU may overflow beyond it)"
        if lacks and self._engine == "fused":
            require(False, "engine", f"'unrolled', as the operator lacks {lacks}", "'fused'")
        return "unrolled" if lacks or self._engine == "unrolled" else "fused"

    def hybridize(self, active: bool = True, **kwargs: Any) -> None:
        """Compile graphs (the default), or call the cell step by step; the cell stays as it is."""
        self._active = active
        static = kwargs.get("static_alloc", True)
        self._flags = {"static_alloc": static, "static_shape": static} | kwargs
        self._graphs = _Graphs()

    def begin_state(self, batch_size: int = 0, func: Any = nd.zeros, **kwargs: Any) -> States:
        """States of zeros, or of what ``func`` makes; of the parameters' dtype unless ``dtype``."""
        return self.cell.begin_state(batch_size, func, **({"dtype": self.cell.dtype} | kwargs))

    def at_length(self, length: int) -> HybridBlock:
        """The layer for sequences of ``length`` steps, from inputs to outputs, as a HybridBlock.

        It shares the cell's parameters, begins in zeros, and goes where a graph is wanted: into
        ``nn.HybridSequential``, ``export`` and, from there, ``SymbolBlock.imports``. The width of
        the inputs must be known: by ``input_size=``, or from a first call of the layer.
        """
        cell, known = self.cell, all(all(p.shape) for p in self.cell._reg_params.values())
        require(known, "input_size", "one that is known, for a graph of fixed size", 0)
        require(cell.is_its_equations, "cell", "one without a step of its own or blocks", cell)
        engine = self.engine_for("float64")  # whatever it may be cast to
        return _FixedLength(cell, engine, whole("length", length), False)

    def forward(self, inputs: Array, states: States | None = None, valid_length: Any = None):
        self.cell.check_inputs(inputs, "NTC")
        (N, T, C), ctx, dtype = inputs.shape, inputs.context, np.dtype(inputs.dtype).name
        states = self.begin_state(N, ctx=ctx, dtype=dtype) if states is None else states
        self.cell.check_states(states, inputs)
        lengths = None
        if valid_length is not None:
            lengths = nd.array(sequence_lengths(valid_length, N, T), ctx=ctx)
            inputs = silence_past_the_end(inputs, lengths)
        engine = self.engine_for(dtype, lengths is not None)
        self.cell.infer_input_size(C)
        if self._active and self.cell.is_its_equations:
            outputs, states = self._in_graphs(engine, inputs, states, lengths)
        else:
            outputs, states = self._step_by_step(inputs, states, lengths)
        if lengths is not None:
            outputs = silence_past_the_end(outputs, lengths)
        return outputs, states

    def _in_graphs(self, engine: str, inputs: Array, states: States, lengths: Array | None):
        T, dtype, masked = inputs.shape[1], np.dtype(inputs.dtype).name, lengths is not None
        outputs, start, graphs = [], 0, self._graphs.by_key
        for n in [T] if engine == "fused" else _pieces(T):
            key = (engine, masked, dtype, n if engine == "unrolled" else None)
            if key not in graphs:
                graphs[key] = _Graph(self.cell, engine, n, masked)
                # A static shape breaks the operator's backward pass outside training.
                fixed = {"static_shape": False} if engine == "fused" else {}
                graphs[key].hybridize(True, **(self._flags | fixed))
            x = inputs if n == T else inputs[:, start : start + n]
            left = [lengths - start] if masked else []
            output, *states = graphs[key](x, *states, *left)
            outputs.append(output)
            start += n
        return outputs[0] if len(outputs) == 1 else nd.concat(*outputs, dim=1), states

    def _step_by_step(self, inputs: Array, states: States, lengths: Array | None):
        outputs = []
        for t in range(inputs.shape[1]):
            output, new = self.cell(inputs[:, t], states)
            states = new if lengths is None else _keep_past_the_end(nd, t, lengths, new, states)
            outputs.append(output)
        return nd.stack(*outputs, axis=1), states


def silence_past_the_end(x: Array, lengths: Array) -> Array:
    """Zeros in (N, T, ...) where a sequence has ended; no gradient comes back from there."""
    return nd.SequenceMask(x, lengths, use_sequence_length=True, axis=1)


class Bidirectional(Layer):
    r"""Two layers over one sequence, one from each end.

    .. math:: o_t = [\overrightarrow{h}_t ; \overleftarrow{h}_t]

    Source: document 002, "Bi-LSTM" (a heading only); Schuster and Paliwal 1997.

    Parameters: ``forward``, ``backward`` layers; ``merge`` "concat" or "sum" of their outputs.

    Inputs, outputs, errors: as :class:`RNN`; outputs (N, T, 2 H), or (N, T, H) for "sum"; states
    the forward layer's, then the backward layer's, whose last step is t = 1. With ``valid_length``
    each sequence is reversed within its own length: padding stays at the end.

    Differs from ``gluon.rnn.BidirectionalCell``: each direction runs fused where it can.

    >>> layer = Bidirectional(RNN(LSTMCell(5)), RNN(LSTMCell(5)))
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 7, 3)))[0].shape
    (2, 7, 10)
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
        (own, others), valid_length = self._deal(states), on_host(valid_length)
        ahead, own = self.ahead(inputs, own, valid_length)
        back, others = self.back(_reverse(inputs, valid_length), others, valid_length)
        return self._merged(ahead, _reverse(back, valid_length)), own + others

    def final(self, inputs: Array, states: States | None = None, valid_length: Any = None) -> Array:
        """The forward layer's output at each sequence's end, the backward layer's at t = 1."""
        (own, others), valid_length = self._deal(states), on_host(valid_length)
        ahead = self.ahead.final(inputs, own, valid_length)
        return self._merged(
            ahead, self.back.final(_reverse(inputs, valid_length), others, valid_length)
        )

    def _merged(self, ahead: Array, back: Array) -> Array:
        return nd.concat(ahead, back, dim=-1) if self._merge == "concat" else ahead + back


def _reverse(x: Array, valid_length: Any) -> Array:
    """Turn (N, T, C) around in time, each sequence within its own length."""
    if valid_length is None:
        return nd.flip(x, axis=1)
    lengths = sequence_lengths(valid_length, *x.shape[:2])
    lengths = nd.array(lengths, ctx=x.context)
    x = nd.SequenceReverse(nd.swapaxes(x, 0, 1), lengths, use_sequence_length=True)
    return nd.swapaxes(x, 0, 1)


class Stacked(Layer):
    """Layers on top of each other: each one's outputs are the next one's inputs.

    Source: Graves 2013, "deep recurrent neural networks".

    Parameters: ``*layers``; ``dropout`` the share of units silenced between them in training.

    Inputs, outputs, errors: as :class:`RNN`; outputs the last layer's; states all, lowest first.
    Differs from ``gluon.rnn.SequentialRNNCell``: each layer runs fused where it can.

    >>> layer = Stacked(RNN(GRUCell(5)), RNN(GRUCell(4)), dropout=0.2)
    >>> layer.initialize()
    >>> outputs, states = layer(mx.nd.ones((2, 7, 3)))
    >>> outputs.shape, [s.shape for s in states]
    ((2, 7, 4), [(2, 5), (2, 4)])
    """

    def __init__(self, *layers: Layer, dropout: float = 0.0, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        for k, layer in enumerate(layers):
            self.register_child(instance(f"layers[{k}]", layer, Layer))
        require(len(layers) > 0, "layers", "at least one layer", "none")
        require(0 <= dropout < 1, "dropout", "at least 0 and less than 1", dropout)
        self._parts, self._drop = list(layers), nn.Dropout(dropout)

    def __repr__(self) -> str:
        shown = "\n".join(f"({k}): {layer}" for k, layer in enumerate(self._parts))
        return "Stacked(\n" + textwrap.indent(shown, "  ") + "\n)"

    def forward(self, inputs: Array, states: States | None = None, valid_length: Any = None):
        *below, (layer, own) = zip(self._parts, self._deal(states), strict=True)
        valid_length = on_host(valid_length)
        inputs, last = self._climb(below, inputs, valid_length)
        outputs, own = layer(inputs, own, valid_length)
        return outputs, last + own

    def final(self, inputs: Array, states: States | None = None, valid_length: Any = None) -> Array:
        """The last layer's ``final``."""
        *below, (layer, own) = zip(self._parts, self._deal(states), strict=True)
        valid_length = on_host(valid_length)
        inputs, _ = self._climb(below, inputs, valid_length)
        return layer.final(inputs, own, valid_length)

    def _climb(self, below: list, inputs: Array, valid_length: Any) -> tuple[Array, States]:
        """What the last layer gets, and the states below it."""
        last: States = []
        for layer, own in below:
            inputs, own = layer(inputs, own, valid_length)
            inputs, last = self._drop(inputs), last + own
        return inputs, last
