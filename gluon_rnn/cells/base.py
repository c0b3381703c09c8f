"""What the seven cells share: parameters by name, states by width, checks before a step."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.gluon.rnn import HybridRecurrentCell

from gluon_rnn.checks import one_of, require, sequence_lengths

__all__ = ["ACTIVATIONS", "Cell"]

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")


def _array(value: Any) -> np.ndarray:
    return np.asarray(value.asnumpy() if isinstance(value, nd.NDArray) else value, dtype="float64")


class Cell(HybridRecurrentCell):
    """One step of a recurrent network: ``output, states = cell(x, states)``.

    A subclass registers its parameters and writes its equations in ``hybrid_forward``. Gluon's
    ``begin_state``, ``unroll``, ``hybridize``, ``cast`` and ``save_parameters`` work on it, and its
    containers of cells take it. Every cell has Gluon's keywords ``prefix`` and ``params``, and for
    each parameter ``p`` a keyword ``p_initializer``; without one, vectors start at zero and
    matrices as ``initialize`` says.

    How :class:`gluon_rnn.layers.RNN` runs a cell fast: where ``hoists`` is true the input enters
    only as W x_t + b (``i2h_weight``, ``i2h_bias``), so one product serves a whole sequence;
    ``fused_mode`` names the formula of MXNet's fused operator that equals the cell's, and where it
    is ``None``, ``fused_lacks`` says what the operator does not have.

    ``letters`` names each parameter as the book's equations do; :meth:`set_weights` takes them.

    Raises: ``ValueError`` for a wrong rank, width, batch, number of states or ``valid_length``;
    ``TypeError`` for inputs, states and parameters of different dtypes.
    """

    letters: dict[str, str] = {}
    gates = ""
    hoists = True
    fused_mode: str | None = None
    fused_lacks = "this recurrence"

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

    @property
    def input_size(self) -> int:
        """Width C of x_t; 0 while the first input has not settled it."""
        return self.i2h_weight.shape[1]

    def infer_input_size(self, width: int) -> None:
        """Settle a deferred input size, as the first step would."""
        if self.input_size == 0:
            self.i2h_weight.shape = (self.i2h_weight.shape[0], width)
        for parameter in self._reg_params.values():
            parameter._finish_deferred_init()

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
        return F.FullyConnected(x, i2h_weight, i2h_bias, num_hidden=self.i2h_weight.shape[0])

    @staticmethod
    def _activate(F, x, activation: str):
        return x if activation == "identity" else F.Activation(x, act_type=activation)

    def check_inputs(self, inputs: nd.NDArray, axes: str) -> None:
        """Raise unless ``inputs`` has these axes, the cell's width and the parameters' dtype."""
        require(inputs.ndim == len(axes), "inputs", f"axes ({', '.join(axes)})", inputs.shape)
        require(0 not in inputs.shape, "inputs", "no axis of length 0", inputs.shape)
        width = self.input_size
        fits = width in (0, inputs.shape[-1])
        require(fits, "inputs", f"width {width} on the last axis", inputs.shape)
        dtype = np.dtype(self.i2h_weight.dtype)
        require(
            inputs.dtype == dtype, "inputs", f"dtype {dtype}", np.dtype(inputs.dtype), TypeError
        )

    def check_states(self, states: list[nd.NDArray], batch: int, dtype: Any) -> None:
        """Raise unless ``states`` are this cell's: as many, as wide, of this batch and dtype."""
        listed = isinstance(states, (list, tuple))
        require(listed, "states", "a list of arrays", type(states).__name__, TypeError)
        count = len(self._state_sizes)
        require(len(states) == count, "states", f"{count} in a list", len(states))
        dtype = np.dtype(dtype)
        for k, (s, size) in enumerate(zip(states, self._state_sizes, strict=True)):
            require(s.shape == (batch, size), f"states[{k}]", f"shape {(batch, size)}", s.shape)
            require(
                s.dtype == dtype, f"states[{k}]", f"dtype {dtype}", np.dtype(s.dtype), TypeError
            )

    def forward(self, inputs, states):
        """Check, then take one step."""
        if isinstance(inputs, nd.NDArray):
            self.check_inputs(inputs, "NC")
            self.check_states(states, inputs.shape[0], inputs.dtype)
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
        one_of("layout", layout, ("NTC", "TNC"))
        if isinstance(inputs, nd.NDArray):
            self.check_inputs(inputs, layout)
            steps, batch = inputs.shape[layout.index("T")], inputs.shape[layout.index("N")]
            require(length == steps, "length", f"{steps}, the inputs' T", length)
            if begin_state is None:
                begin_state = self.begin_state(batch, dtype=inputs.dtype, ctx=inputs.context)
            if valid_length is not None:
                valid_length = sequence_lengths(valid_length, batch, steps)
        return super().unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
