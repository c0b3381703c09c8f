"""Memory behind gates: the network chooses, unit by unit and step by step, what to keep."""

from __future__ import annotations

from functools import partial
from typing import Any

import mxnet as mx

from gluon_rnn.cells.base import Cell
from gluon_rnn.checks import one_of, whole

__all__ = ["GRUCell", "LSTMCell"]


class GRUCell(Cell):
    r"""The gated recurrent unit: a reset gate r, an update gate z, one state.

    Source: document 003, GRU slides; document 002; Cho et al. 2014; Qiu, eq. 6.61-6.64.

    .. math::
        r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
        z_t &= \sigma(W_z x_t + U_z h_{t-1} + b_z) \\
        n_t &= \tanh(W_n x_t + U_n (r_t \odot h_{t-1}) + b_n) && \text{reset before the product} \\
        n_t &= \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + b'_n)) && \text{reset after it} \\
        h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot n_t

    ============================  ============  ==================
    who                           reset         z = 1 means
    ============================  ============  ==================
    documents 002, 003; Qiu; d2l  before        keep the old state
    Cho et al. 2014, arXiv v3     before        keep the old state
    Cho et al. 2014, arXiv v1     after         keep the old state
    Chung et al. 2014             before        take the new one
    Gluon, cuDNN, PyTorch         after         keep the old state
    ============================  ============  ==================

    Symbols: [W_r; W_z; W_n] = ``i2h_weight`` (3 H, C); [U_r; U_z; U_n] = ``h2h_weight`` (3 H, H);
    biases ``i2h_bias``, ``h2h_bias`` (3 H,), which are added except for b'_n above.

    Parameters: ``hidden_size`` H; ``reset_after`` which of the two candidates n; ``input_size`` C,
    0 to infer it; an initializer for each parameter.

    Inputs and outputs: x_t (N, C), [h_{t-1} (N, H)] to h_t (N, H), [h_t].

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from ``gluon.rnn.GRUCell``, which is the form ``reset_after=True``. Parameters are equal
    by name; the same weights give another network, except where r is 1 in every unit, or where
    b'_n = 0 and either r is equal in all units or U_n is diagonal
    (notebooks/18_errata_and_conventions.ipynb).

    >>> cell = GRUCell(1).set_weights(W=[[0], [0], [9]], U=[[0], [0], [0]], b=[0, 0, 0])
    >>> h, states = cell(mx.nd.array([[1]]), [mx.nd.array([[0.5]])])
    >>> h.asnumpy().round(3).tolist()  # half of 0.5 and half of tanh(9)
    [[0.75]]
    """

    letters = {"W": "i2h_weight", "U": "h2h_weight", "b": "i2h_bias", "b_h": "h2h_bias"}
    gates = "rzn"
    hoists = ("i2h_bias", "h2h_bias")
    fused_lacks = None

    def __init__(
        self, hidden_size: int, reset_after: bool = False, input_size: int = 0, **kwargs: Any
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        C, G = whole("input_size", input_size, least=0), 3 * H
        shapes = {"i2h_weight": (G, C), "h2h_weight": (G, H), "i2h_bias": (G,), "h2h_bias": (G,)}
        super().__init__((H,), shapes, **kwargs)
        self._reset_after = bool(reset_after)
        if reset_after:  # b'_n stands behind r
            self.fused_mode, self.hoists = "gru", ("i2h_bias",)
        else:
            self.fused_lacks = "reset_after=False (it resets after the product)"

    def hybrid_forward(self, F, x, states, **params):
        (h,) = states
        _, z, n = self.gate_values(F, x, states, **params)
        h = z * h + (1 - z) * n  # (N, H)
        return h, [h]

    def gate_values(self, F, x, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        """r_t, z_t and n_t, each (N, H)."""
        (h,) = states
        W_rz, W_n = self._split(F, self._input(F, x, i2h_weight, i2h_bias), axis=1)
        U_rz, U_n = self._split(F, h2h_weight, axis=0)
        b_rz, b_n = self._split(F, h2h_bias, axis=0)
        Uh = self._affine(F, h, U_rz, b_rz, 2 * self._H)
        r, z = F.split(F.sigmoid(W_rz + Uh), num_outputs=2, axis=1)
        v = h if self._reset_after else r * h
        Uv = self._affine(F, v, U_n, b_n, self._H)
        n = F.tanh(W_n + (r * Uv if self._reset_after else Uv))
        return r, z, n

    def once(self, F, params):
        """Cut U and its bias before the first step: MXNet compiles a cut in every step slowly."""
        return params | {p: self._split(F, params[p], axis=0) for p in ("h2h_weight", "h2h_bias")}

    def _split(self, F, a, axis: int):
        """The part of both gates, and the part of the candidate."""
        if a is None or isinstance(a, tuple):
            return a or (None, None)
        gates = F.slice_axis(a, axis=axis, begin=0, end=2 * self._H)
        return gates, F.slice_axis(a, axis=axis, begin=2 * self._H, end=None)


class LSTMCell(Cell):
    r"""Long short-term memory: a cell state c behind an input, a forget and an output gate.

    Source: document 000, eq. 6-10; document 003, LSTM slides (document 002 prints it broken);
    Hochreiter and Schmidhuber 1997; Gers et al. 2000 (forget gate) and 2002 (peepholes).

    .. math::
        i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i + p_i \odot c_{t-1}) \\
        f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f + p_f \odot c_{t-1}) \\
        g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o + p_o \odot c_t) \\
        h_t &= o_t \odot \tanh(c_t)

    The terms in p are there only with ``peephole=True``; ``output_activation="identity"`` is the
    variant h_t = o_t c_t that document 004 links.

    Symbols: [W_i; W_f; W_g; W_o] = ``i2h_weight`` (4 H, C); U likewise = ``h2h_weight`` (4 H, H); b
    = ``i2h_bias`` + ``h2h_bias`` (4 H,); p_i, p_f, p_o = ``c2i_weight``, ``c2f_weight``,
    ``c2o_weight`` (H,).

    Parameters: ``hidden_size`` H; ``peephole``; ``output_activation`` "tanh" or "identity";
    ``forget_bias`` where b_f starts (1 lets the cell remember before it has learned to);
    ``input_size`` C, 0 to infer it; an initializer for each parameter (one for ``i2h_bias``
    replaces ``forget_bias``).

    Inputs and outputs: x_t (N, C), [h_{t-1} (N, H), c_{t-1} (N, H)] to h_t (N, H), [h_t, c_t].

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from ``gluon.rnn.LSTMCell`` in the variants and in starting b_f at 1, not 0. Parameters
    are equal by name.

    >>> cell = LSTMCell(5, peephole=True)
    >>> cell.initialize()
    >>> h, (h, c) = cell(mx.nd.ones((2, 3)), cell.begin_state(2))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    letters = {"W": "i2h_weight", "U": "h2h_weight", "b": "i2h_bias", "b_h": "h2h_bias"}
    letters |= {"p_i": "c2i_weight", "p_f": "c2f_weight", "p_o": "c2o_weight"}
    gates = "ifgo"
    hoists = ("i2h_bias", "h2h_bias")
    fused_lacks = None

    def __init__(
        self,
        hidden_size: int,
        peephole: bool = False,
        output_activation: str = "tanh",
        forget_bias: float = 1.0,
        input_size: int = 0,
        **kwargs: Any,
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        C, G = whole("input_size", input_size, least=0), 4 * H
        self._phi = one_of("output_activation", output_activation, ("tanh", "identity"))
        shapes = {"i2h_weight": (G, C), "h2h_weight": (G, H), "i2h_bias": (G,), "h2h_bias": (G,)}
        if peephole:
            shapes |= {"c2i_weight": (H,), "c2f_weight": (H,), "c2o_weight": (H,)}
        kwargs.setdefault("i2h_bias_initializer", mx.init.LSTMBias(forget_bias))
        super().__init__((H, H), shapes, **kwargs)
        if not peephole and output_activation == "tanh":
            self.fused_mode = "lstm"
        else:
            self.fused_lacks = "peephole=True" if peephole else "output_activation='identity'"

    def hybrid_forward(self, F, x, states, **params):
        *_, o, c = self.gate_values(F, x, states, **params)
        h = o * self._activate(F, c, self._phi)  # (N, H)
        return h, [h, c]

    def gate_values(
        self, F, x, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias, **peephole_weights
    ):
        """i_t, f_t, g_t, o_t and c_t, each (N, H)."""
        h, c = states
        Wx = self._input(F, x, i2h_weight, i2h_bias)
        Uh = self._affine(F, h, h2h_weight, h2h_bias, 4 * self._H)
        a_i, a_f, a_g, a_o = F.split(Wx + Uh, num_outputs=4, axis=1)
        peep = partial(self._peep, F, peephole_weights)
        i = F.sigmoid(peep("c2i_weight", a_i, c))
        f = F.sigmoid(peep("c2f_weight", a_f, c))
        g = F.tanh(a_g)
        c = f * c + i * g  # (N, H)
        o = F.sigmoid(peep("c2o_weight", a_o, c))
        return i, f, g, o, c

    @staticmethod
    def _peep(F, weights, name: str, a, c):
        """What a gate sees: a + p c, or a alone without peepholes."""
        return a + F.broadcast_mul(c, weights[name]) if weights else a
