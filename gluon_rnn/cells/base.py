"""What the seven cells share: parameters by name, states by width, checks before a step."""

from __future__ import annotations

import copyreg
from functools import wraps
from itertools import zip_longest
from typing import Any

import numpy as np
from mxnet import nd, sym
from mxnet._ctypes.ndarray import CachedOp
from mxnet.gluon import Parameter
from mxnet.gluon.rnn import BidirectionalCell, HybridRecurrentCell

from gluon_rnn.checks import Keywords, array, on_host, one_of, require, sequence_lengths

__all__ = ["ACTIVATION_NAMES", "Cell"]

ACTIVATION_NAMES = ("tanh", "relu", "sigmoid", "identity")


def _array(value: Any) -> np.ndarray:
    return np.asarray(on_host(value), dtype="float64")


def _rebuilt(kind: type, state: dict[str, Any], gradients: list[nd.NDArray] | None) -> Parameter:
    parameter = kind.__new__(kind)
    vars(parameter).update(state)
    if parameter._data is not None:  # of its own, and where it was: MXNet's copies go to device 0
        where = zip(parameter._data, parameter._ctx_list, strict=True)
        parameter._data = [data.copyto(ctx) for data, ctx in where]
    if gradients is not None:
        parameter._init_grad()  # autograd knows the copy by its own arrays
        for g, kept in zip(parameter._grad, gradients, strict=True):
            kept.copyto(g)
    return parameter


# Without these two, `copy.deepcopy` gives parameters that autograd does not know, and neither it
# nor `pickle` takes a block with a compiled graph. A copy compiles its own.
copyreg.pickle(
    Parameter,
    lambda p: (_rebuilt, (type(p), vars(p) | {"_trainer": None, "_grad": None}, p._grad)),
)
copyreg.pickle(CachedOp, lambda _: (type(None), ()))


class Cell(Keywords, HybridRecurrentCell):
    """One step of a recurrent network: ``output, states = cell(x, states)``.

    A subclass registers its parameters and writes its equations in ``hybrid_forward``. Gluon's
    ``begin_state``, ``unroll``, ``hybridize``, ``cast`` and ``save_parameters`` work on it, and its
    containers of cells take it. Every cell has Gluon's keywords ``prefix`` and ``params``, and for
    each parameter ``p`` a keyword ``p_initializer``; without one, vectors start at zero and
    matrices as ``initialize`` says.

    What a class promises, so that :class:`gluon_rnn.layers.RNN` may run it fast: ``hoists``, the
    biases of which the sum stands beside W x_t and nowhere else, and that x_t enters only there, by
    ``_input`` (so one product serves a whole sequence; the step gets ``None`` for ``i2h_weight``
    and those biases); ``fused_lacks = None``, that MXNet's fused operator in mode ``fused_mode``
    computes the cell's very equations (else it says what the operator does not have). A promise
    holds for the class that makes it and for a subclass with another constructor or new methods. A
    subclass that overrides anything else has other equations: it runs as they stand, step after
    step in one graph, unless it makes the promise itself (:meth:`promises`). A cell with a step
    around its equations (``forward``, ``__call__``) or blocks inside is called step by step.

    ``letters`` names each parameter as the book's equations do; :meth:`set_weights` takes them.

    Raises: ``ValueError`` for a wrong rank, width, batch, number of states or ``valid_length``;
    ``TypeError`` for inputs, states and parameters of different dtypes.
    """

    letters: dict[str, str] = {}
    gates = ""
    hoists: tuple[str, ...] = ()
    fused_mode: str | None = None
    fused_lacks: str | None = "this recurrence"

    def __init__(
        self,
        state_sizes: tuple[int, ...],
        shapes: dict[str, tuple[int, ...]],
        prefix: str | None = None,
        params: Any = None,
        **initializers: Any,
    ) -> None:
        super().__init__(prefix=prefix, params=params)
        self._state_sizes = state_sizes
        known = [f"{name}_initializer" for name in shapes]
        for keyword in initializers:
            require(keyword in known, "keyword", f"one of {known}", repr(keyword), TypeError)
        for name, shape in shapes.items():
            init = initializers.get(f"{name}_initializer", "zeros" if len(shape) == 1 else None)
            parameter = self.params.get(name, shape=shape, init=init, allow_deferred_init=True)
            setattr(self, name, parameter)

    def __repr__(self) -> str:
        W = self._reg_params.get("i2h_weight")
        rows = W.shape[0] if W else self._state_sizes[0]
        return f"{type(self).__name__}({self.input_size or None} -> {rows})"

    @property
    def is_its_equations(self) -> bool:
        """Whether ``hybrid_forward`` and the cell's own parameters are all of its step."""
        cls = type(self)
        plain = cls.forward is Cell.forward and cls.__call__ is Cell.__call__
        return plain and not self._children

    @property
    def dtype(self) -> str:
        """The parameters' dtype."""
        return np.dtype(next(iter(self._reg_params.values())).dtype).name

    def promises(self, name: str) -> bool:
        """Whether what a class states by ``name`` holds for this cell: see above."""
        redefined: set[str] = set()
        for cls in type(self).__mro__:
            if name in vars(cls):
                return not any(hasattr(cls, n) for n in redefined)
            redefined |= {n for n in vars(cls) if not n.startswith("__") or n == "__call__"}
        return False

    def once(self, F, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters as a graph of many steps takes them: cut up once, not in every step."""
        return params

    @property
    def output_is_state(self) -> bool:
        """Whether a step's output is its first new state itself, as its equations say."""
        states = [sym.var(f"s{k}") for k in range(len(self._state_sizes))]
        params = {name: sym.var(name) for name in self._reg_params}
        output, new = self.hybrid_forward(sym, sym.var("x"), states, **params)
        return output is new[0]

    @property
    def input_size(self) -> int:
        """Width C of x_t; 0 while the first input has not settled it."""
        W = self._reg_params.get("i2h_weight")
        return W.shape[1] if W else 0

    def infer_input_size(self, width: int) -> None:
        """Settle a deferred input size, as the first step would."""
        for p in self._reg_params.values():
            if p._data is None and not p._deferred_init:
                p.data()  # raises: it is not initialised
        for p in self._reg_params.values():
            p.shape = tuple(size or width for size in p.shape)
            p._finish_deferred_init()

    def set_weights(self, dtype: Any = None, **values: Any) -> Cell:
        """Set parameters by the letters of the equations: ``cell.set_weights(W=W, U=U, b=b)``.

        ``values`` are arrays or nested lists; of a gated cell also dictionaries by gate,
        ``W={"r": W_r, "z": W_z, "n": W_n}``. ``b`` is the whole bias (Gluon adds a second one,
        beside U): ``b_h`` becomes zero unless named too. What else is not named keeps its value, or
        is initialised. ``dtype`` casts the cell. Returns the cell.

        Raises: ``ValueError`` naming the letter for an unknown one, a gate that is missing, or a
        shape that does not fit.
        """
        own = {k: self._reg_params[p] for k, p in self.letters.items() if p in self._reg_params}
        if "b" in values and "b_h" in own:
            values.setdefault("b_h", np.zeros(own["b_h"].shape))
        for letter, value in values.items():
            require(letter in own, "letter", f"one of {', '.join(own)}", repr(letter))
            if isinstance(value, dict):
                fits = sorted(value) == sorted(self.gates)
                require(fits, letter, f"the gates {', '.join(self.gates)}", ", ".join(value))
                value = np.concatenate([_array(value[gate]) for gate in self.gates])
            values[letter] = value = _array(value)
            shape = own[letter].shape  # 0 where the input's width is not settled
            known = [v if s == 0 else s for s, v in zip_longest(shape, value.shape)]
            require(list(value.shape) == known, letter, f"shape {shape}", value.shape)
        for letter, value in values.items():
            own[letter].shape = value.shape
        if any(p._data is None and not p._deferred_init for p in own.values()):
            self.initialize()
        if dtype is not None:
            self.cast(dtype)
        for letter, value in values.items():
            own[letter].set_data(nd.array(value, dtype=own[letter].dtype))
        return self

    def state_info(self, batch_size: int = 0) -> list[dict[str, Any]]:
        """Shape (N, width) and layout of each state."""
        return [{"shape": (batch_size, s), "__layout__": "NC"} for s in self._state_sizes]

    def _input(self, F, x, i2h_weight, i2h_bias):
        """W x_t + b; a layer that has projected the whole sequence passes no weight: x is it."""
        if i2h_weight is None:
            return x
        return self._affine(F, x, i2h_weight, i2h_bias, self.i2h_weight.shape[0])

    @staticmethod
    def _affine(F, x, weight, bias, rows: int):
        """W x + b, or W x; b as a weight of its own, of an input that is always 1.

        The operator's own bias has a wrong gradient beside a frozen W, and a broadcast sum is slow.
        """
        sizes = {"no_bias": True, "num_hidden": rows, "flatten": False}
        Wx = F.FullyConnected(x, weight, **sizes)
        if bias is None:
            return Wx
        one = F.ones_like(F.slice_axis(x, axis=-1, begin=0, end=1))
        return Wx + F.FullyConnected(one, F.expand_dims(bias, axis=1), **sizes)

    @staticmethod
    def _activate(F, x, activation: str):
        return x if activation == "identity" else F.Activation(x, act_type=activation)

    def check_inputs(self, inputs: nd.NDArray, axes: str) -> None:
        """Raise unless ``inputs`` has these axes, the cell's width and the parameters' dtype."""
        array("inputs", inputs)
        require(inputs.ndim == len(axes), "inputs", f"axes ({', '.join(axes)})", inputs.shape)
        require(0 not in inputs.shape, "inputs", "no axis of length 0", inputs.shape)
        width = self.input_size
        fits = width in (0, inputs.shape[-1])
        require(fits, "inputs", f"width {width} on the last axis", inputs.shape)
        expected, dtype = self.dtype, np.dtype(inputs.dtype)
        require(dtype == expected, "inputs", f"dtype {expected}", dtype, TypeError)
        on_cpu = inputs.context.device_type == "cpu"
        has = not (on_cpu and dtype == "float16")
        require(has, "inputs", "float32 or float64, as MXNet on a CPU", dtype, TypeError)

    def check_states(self, states: list[nd.NDArray], inputs: nd.NDArray) -> None:
        """Raise unless ``states`` are this cell's: as many, as wide, and like ``inputs``."""
        listed = isinstance(states, (list, tuple))
        require(listed, "states", "a list of arrays", type(states).__name__, TypeError)
        count = len(self._state_sizes)
        require(len(states) == count, "states", f"{count} in a list", len(states))
        dtype, ctx = np.dtype(inputs.dtype), inputs.context
        for k, (s, size) in enumerate(zip(states, self._state_sizes, strict=True)):
            name, shape = f"states[{k}]", (inputs.shape[0], size)
            array(name, s)
            require(s.shape == shape, name, f"shape {shape}", s.shape)
            require(s.dtype == dtype, name, f"dtype {dtype}", np.dtype(s.dtype), TypeError)
            require(s.context == ctx, name, f"the inputs' context {ctx}", s.context)

    def forward(self, inputs, states):
        """Check, then take one step."""
        if not isinstance(inputs, sym.Symbol):
            self.check_inputs(inputs, "NC")
            self.check_states(states, inputs)
        return super().forward(inputs, states)

    def unroll(
        self,
        length,
        inputs,
        begin_state=None,
        layout="NTC",
        merge_outputs=None,
        valid_length=None,
    ):
        """Gluon's ``unroll``, with lengths checked before MXNet reads memory by them."""
        batch, kind, valid_length = self._sequence(length, inputs, layout, valid_length)
        if begin_state is None and kind:
            begin_state = self.begin_state(batch, **kind)
        return super().unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)

    def _sequence(self, length, inputs, layout, valid_length):
        """Check a sequence, an array or a list of steps; its N, its dtype and ctx, its lengths."""
        one_of("layout", layout, ("NTC", "TNC"))
        listed = isinstance(inputs, (list, tuple)) and len(inputs) > 0
        first = inputs[0] if listed else inputs
        if isinstance(first, sym.Symbol):
            return 0, {}, valid_length
        for x in inputs if listed else [inputs]:
            self.check_inputs(x, "NC" if listed else layout)
        T = len(inputs) if listed else inputs.shape[layout.index("T")]
        N = first.shape[0 if listed else layout.index("N")]
        require(length == T, "length", f"{T}, the inputs' T", length)
        if valid_length is not None:
            valid_length = nd.array(sequence_lengths(valid_length, N, T), ctx=first.context)
        return N, {"dtype": first.dtype, "ctx": first.context}, valid_length


_unroll_both_ways = BidirectionalCell.unroll


@wraps(_unroll_both_ways)
def _unroll_checked(
    self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None
):
    if all(isinstance(cell, Cell) for cell in self._children.values()):
        cell = next(iter(self._children.values()))
        valid_length = cell._sequence(length, inputs, layout, valid_length)[2]
    return _unroll_both_ways(self, length, inputs, begin_state, layout, merge_outputs, valid_length)


# Gluon reverses the inputs before its cells see a length, and a length above T writes past the end
# of the heap: with this package's cells inside, the lengths are checked first.
BidirectionalCell.unroll = _unroll_checked
