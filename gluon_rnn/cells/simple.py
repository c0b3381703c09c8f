"""Memory by recurrence: the state is what the network computed one step ago."""

from __future__ import annotations

from typing import Any

from gluon_rnn.cells.base import ACTIVATION_NAMES, Cell
from gluon_rnn.checks import one_of, whole

__all__ = ["ElmanCell", "JordanCell", "ResidualCell"]


class ElmanCell(Cell):
    r"""The simple recurrent network (SRN): the state is the hidden layer.

    Source: document 001, "simple recurrent network"; document 000, eq. 5; Elman 1990; Qiu, *Neural
    Networks and Deep Learning*, eq. 6.5-6.7.

    .. math:: z_t = U h_{t-1} + W x_t + b, \qquad h_t = f(z_t)

    Symbols: W = ``i2h_weight`` (H, C); U = ``h2h_weight`` (H, H); b = ``i2h_bias`` + ``h2h_bias``
    (H,); f = ``activation``. The book's readout y_t = V h_t is a layer of its own.

    Parameters: ``hidden_size`` H; ``activation`` "tanh", "relu", "sigmoid" or "identity" (a linear
    network); ``input_size`` C, 0 to infer it; an initializer for each parameter.

    Inputs and outputs: x_t (N, C), [h_{t-1} (N, H)] to h_t (N, H), [h_t].

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from ``gluon.rnn.RNNCell`` in the checks only; parameters are equal by name.

    >>> cell = ElmanCell(1, "relu").set_weights(W=[[1]], U=[[2]], b=[0])
    >>> h, states = cell(mx.nd.array([[3]]), [mx.nd.array([[4]])])
    >>> h.asnumpy().tolist()  # max(0, 2 * 4 + 1 * 3 + 0)
    [[11.0]]
    """

    letters = {"W": "i2h_weight", "U": "h2h_weight", "b": "i2h_bias", "b_h": "h2h_bias"}
    hoists = ("i2h_bias", "h2h_bias")
    fused_lacks = None

    def __init__(
        self, hidden_size: int, activation: str = "tanh", input_size: int = 0, **kwargs: Any
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        C = whole("input_size", input_size, least=0)
        self._f = one_of("activation", activation, ACTIVATION_NAMES)
        shapes = {"i2h_weight": (H, C), "h2h_weight": (H, H), "i2h_bias": (H,), "h2h_bias": (H,)}
        super().__init__((H,), shapes, **kwargs)
        self.fused_mode = {"tanh": "rnn_tanh", "relu": "rnn_relu"}.get(activation)
        if not self.fused_mode:
            self.fused_lacks = f"activation={activation!r} (it has 'tanh' and 'relu')"

    def hybrid_forward(self, F, x, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        (h,) = states
        Wx = self._input(F, x, i2h_weight, i2h_bias)
        Uh = self._affine(F, h, h2h_weight, h2h_bias, self._H)
        h = self._activate(F, Uh + Wx, self._f)  # (N, H)
        return h, [h]


class JordanCell(Cell):
    r"""The Jordan network: the state is the output.

    Source: Jordan 1986. Document 000 prints Elman's equations for both networks; Jordan's feeds the
    output back.

    .. math:: h_t = f(W x_t + U y_{t-1} + b), \qquad y_t = g(V h_t + c)

    Symbols: W = ``i2h_weight`` (H, C); U = ``o2h_weight`` (H, Q); b = ``i2h_bias`` (H,); V =
    ``h2o_weight`` (Q, H); c = ``h2o_bias`` (Q,); f = ``activation``; g = ``output_activation``.

    Parameters: ``hidden_size`` H; ``output_size`` Q; ``activation`` and ``output_activation`` as in
    :class:`ElmanCell`; ``input_size`` C, 0 to infer it; an initializer for each parameter.

    Inputs and outputs: x_t (N, C), [y_{t-1} (N, Q)] to y_t (N, Q), [y_t].

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from :class:`ElmanCell` in what comes back: what g and V lose, the network forgets. With
    V = I, c = 0 and g the identity, both are one network.

    >>> cell = JordanCell(1, 1, "relu").set_weights(W=[[1]], U=[[2]], b=[0], V=[[5]], c=[1])
    >>> y, states = cell(mx.nd.array([[3]]), [mx.nd.array([[4]])])
    >>> y.asnumpy().tolist()  # 5 * max(0, 2 * 4 + 1 * 3 + 0) + 1
    [[56.0]]
    """

    letters = {"W": "i2h_weight", "U": "o2h_weight", "b": "i2h_bias", "V": "h2o_weight"}
    letters |= {"c": "h2o_bias"}
    hoists = ("i2h_bias",)

    def __init__(
        self,
        hidden_size: int,
        output_size: int,
        activation: str = "tanh",
        output_activation: str = "identity",
        input_size: int = 0,
        **kwargs: Any,
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        self._Q = Q = whole("output_size", output_size)
        C = whole("input_size", input_size, least=0)
        self._f = one_of("activation", activation, ACTIVATION_NAMES)
        self._g = one_of("output_activation", output_activation, ACTIVATION_NAMES)
        shapes = {"i2h_weight": (H, C), "o2h_weight": (H, Q), "h2o_weight": (Q, H)}
        shapes |= {"i2h_bias": (H,), "h2o_bias": (Q,)}
        super().__init__((Q,), shapes, **kwargs)

    def hybrid_forward(self, F, x, states, i2h_weight, o2h_weight, h2o_weight, i2h_bias, h2o_bias):
        (y,) = states
        Wx = self._input(F, x, i2h_weight, i2h_bias)
        Uy = F.FullyConnected(y, o2h_weight, no_bias=True, num_hidden=self._H)
        h = self._activate(F, Wx + Uy, self._f)  # (N, H)
        Vh = self._affine(F, h, h2o_weight, h2o_bias, self._Q)
        y = self._activate(F, Vh, self._g)  # (N, Q)
        return y, [y]


class ResidualCell(Cell):
    r"""A residual recurrence: the state is kept, and something is added to it.

    Source: document 001, last section; Qiu, eq. 6.49 (``recurrent=False``) and 6.50.

    .. math:: h_t = h_{t-1} + g(x_t) \qquad\text{or}\qquad h_t = h_{t-1} + g(x_t, h_{t-1})

    with g = f(W x_t + b) or f(W x_t + U h_{t-1} + b).

    Symbols: W = ``i2h_weight`` (H, C); b = ``i2h_bias`` (H,); and only in the second form U =
    ``h2h_weight`` (H, H) with ``h2h_bias`` (H,), added to b; f = ``activation``.

    Parameters: ``hidden_size`` H; ``recurrent`` whether g sees h_{t-1}; ``activation`` as in
    :class:`ElmanCell`; ``input_size`` C, 0 to infer it; an initializer for each parameter.

    Inputs and outputs: x_t (N, C), [h_{t-1} (N, H)] to h_t (N, H), [h_t].

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from ``gluon.rnn.ResidualCell``, which adds a cell's *input* to its output (a residual
    connection in depth); here it is the *state* that is added (a residual connection in time).

    >>> cell = ResidualCell(1, activation="relu").set_weights(W=[[1]], U=[[2]], b=[0])
    >>> h, states = cell(mx.nd.array([[3]]), [mx.nd.array([[4]])])
    >>> h.asnumpy().tolist()  # 4 + max(0, 2 * 4 + 1 * 3 + 0)
    [[15.0]]
    """

    letters = {"W": "i2h_weight", "U": "h2h_weight", "b": "i2h_bias", "b_h": "h2h_bias"}
    hoists = ("i2h_bias", "h2h_bias")

    def __init__(
        self,
        hidden_size: int,
        recurrent: bool = True,
        activation: str = "tanh",
        input_size: int = 0,
        **kwargs: Any,
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        C = whole("input_size", input_size, least=0)
        self._f = one_of("activation", activation, ACTIVATION_NAMES)
        self._recurrent = bool(recurrent)
        shapes = {"i2h_weight": (H, C), "i2h_bias": (H,)}
        if recurrent:
            shapes |= {"h2h_weight": (H, H), "h2h_bias": (H,)}
        super().__init__((H,), shapes, **kwargs)

    def hybrid_forward(self, F, x, states, i2h_weight, i2h_bias, h2h_weight=None, h2h_bias=None):
        (h,) = states
        z = self._input(F, x, i2h_weight, i2h_bias)
        if self._recurrent:
            z = z + self._affine(F, h, h2h_weight, h2h_bias, self._H)
        h = h + self._activate(F, z, self._f)  # (N, H)
        return h, [h]
