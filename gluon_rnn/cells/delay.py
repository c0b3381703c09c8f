"""Memory by delay: the state is a line of past values, each kept for a fixed time."""

from __future__ import annotations

from typing import Any

from gluon_rnn.cells.base import ACTIVATION_NAMES, Cell
from gluon_rnn.checks import one_of, whole

__all__ = ["NARXCell", "TDNNCell"]


def _push(F, value, line, width: int):
    """Put the newest value at the front of a delay line (N, width) and drop the oldest."""
    return F.slice_axis(F.concat(value, line, dim=1), axis=1, begin=0, end=width)


class TDNNCell(Cell):
    r"""The time-delay neural network: a layer that sees the last K inputs beside the present one.

    Source: document 001, "time delay neural network"; Waibel et al. 1989; Qiu, eq. 6.1.

    .. math:: h_t = f\Big(W_0 x_t + \sum_{k=1}^{K} W_k x_{t-k} + b\Big)

    Symbols: W_0 = ``i2h_weight`` (H, C); [W_1 ... W_K] = ``d2h_weight`` (H, K C), newest first; b =
    ``i2h_bias`` (H,); K = ``taps``; f = ``activation``. Document 001 says "the last K" and prints
    K + 1 terms: here K counts the delays, and the present input is the term beside them.

    Parameters: ``hidden_size`` H; ``taps`` K; ``input_size`` C (the delay line must know it);
    ``activation`` as in :class:`ElmanCell`; an initializer for each parameter.

    Inputs and outputs: x_t (N, C), [x_{t-1} ... x_{t-K} (N, K C)] to h_t (N, H), [the line moved by
    one]. A line of zeros is silence before the start.

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from a recurrent network: an input is forgotten, exactly, after K steps. Over a sequence
    it is a causal convolution of kernel size K + 1.

    >>> cell = TDNNCell(1, taps=2, input_size=1, activation="identity")
    >>> cell = cell.set_weights(W_0=[[1]], W=[[10, 100]], b=[0])
    >>> h, states = cell(mx.nd.array([[3]]), [mx.nd.array([[4, 5]])])
    >>> h.asnumpy().tolist(), states[0].asnumpy().tolist()  # 3 + 10 * 4 + 100 * 5, the line moved
    ([[543.0]], [[3.0, 4.0]])
    """

    letters = {"W_0": "i2h_weight", "W": "d2h_weight", "b": "i2h_bias"}

    def __init__(
        self, hidden_size: int, taps: int, input_size: int, activation: str = "tanh", **kwargs: Any
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        K, C = whole("taps", taps), whole("input_size", input_size)
        self._f = one_of("activation", activation, ACTIVATION_NAMES)
        shapes = {"i2h_weight": (H, C), "d2h_weight": (H, K * C), "i2h_bias": (H,)}
        super().__init__((K * C,), shapes, **kwargs)

    def hybrid_forward(self, F, x, states, i2h_weight, d2h_weight, i2h_bias):
        (line,) = states
        W0x = self._input(F, x, i2h_weight, i2h_bias)
        Wx = F.FullyConnected(line, d2h_weight, no_bias=True, num_hidden=self._H)
        h = self._activate(F, W0x + Wx, self._f)  # (N, H)
        return h, [_push(F, x, line, self._state_sizes[0])]


class NARXCell(Cell):
    r"""The nonlinear autoregressive model with exogenous inputs: past inputs and past outputs.

    Source: document 001, "NARX"; Leontaritis and Billings 1985; Qiu, eq. 6.3.

    .. math::
        y_t = V f\Big(W_0 x_t + \sum_{k=1}^{K_x} W_k x_{t-k}
                      + \sum_{k=1}^{K_y} U_k y_{t-k} + b\Big) + c

    Symbols: W_0 = ``i2h_weight`` (H, C); [W_1 ...] = ``d2h_weight`` (H, K_x C) and [U_1 ...] =
    ``o2h_weight`` (H, K_y Q), newest first; b = ``i2h_bias`` (H,); V = ``h2o_weight`` (Q, H); c =
    ``h2o_bias`` (Q,); f = ``activation``. The document's "last K_x" are K_x + 1 terms, as in
    :class:`TDNNCell`.

    Parameters: ``hidden_size`` H; ``output_size`` Q; ``input_taps`` K_x; ``output_taps`` K_y;
    ``input_size`` C; ``activation`` as in :class:`ElmanCell`, "identity" making it a linear ARX
    model; ``open_loop`` which outputs the line holds: the cell's own (False) or the true ones
    (True). Two cells of one ``params`` train in open loop and run in closed loop.

    Inputs and outputs: closed loop x_t (N, C), open loop [x_t, true y_t] (N, C + Q), of which y_t
    is not seen before step t + 1; states [x_{t-1} ... (N, K_x C), y_{t-1} ... (N, K_y Q)]; output
    y_t (N, Q), [both lines moved by one].

    Raises: ``ValueError``, ``TypeError`` as :class:`gluon_rnn.cells.base.Cell` says.

    Differs from :class:`TDNNCell` by the feedback of outputs: with U = 0 it is one, with a readout.

    >>> cell = NARXCell(4, output_size=1, input_taps=2, output_taps=3, input_size=1)
    >>> cell.initialize()
    >>> y, states = cell(mx.nd.ones((8, 1)), cell.begin_state(8))
    >>> y.shape, [s.shape for s in states]
    ((8, 1), [(8, 2), (8, 3)])
    """

    letters = {"W_0": "i2h_weight", "W": "d2h_weight", "U": "o2h_weight", "b": "i2h_bias"}
    letters |= {"V": "h2o_weight", "c": "h2o_bias"}

    def __init__(
        self,
        hidden_size: int,
        output_size: int,
        input_taps: int,
        output_taps: int,
        input_size: int,
        activation: str = "tanh",
        open_loop: bool = False,
        **kwargs: Any,
    ) -> None:
        self._H = H = whole("hidden_size", hidden_size)
        self._Q = Q = whole("output_size", output_size)
        self._C = C = whole("input_size", input_size)
        kx, ky = whole("input_taps", input_taps) * C, whole("output_taps", output_taps) * Q
        self._f = one_of("activation", activation, ACTIVATION_NAMES)
        self._open_loop = bool(open_loop)
        shapes = {"i2h_weight": (H, C), "d2h_weight": (H, kx), "o2h_weight": (H, ky)}
        shapes |= {"h2o_weight": (Q, H), "i2h_bias": (H,), "h2o_bias": (Q,)}
        super().__init__((kx, ky), shapes, **kwargs)

    @property
    def input_size(self) -> int:
        """Width of what a step takes: C, and Q more in open loop."""
        return self._C + self._Q * self._open_loop

    def hybrid_forward(
        self, F, x, states, i2h_weight, d2h_weight, o2h_weight, h2o_weight, i2h_bias, h2o_bias
    ):
        xs, ys = states
        if self._open_loop:
            y_true = F.slice_axis(x, axis=1, begin=self._C, end=None)
            x = F.slice_axis(x, axis=1, begin=0, end=self._C)
        Wx = F.FullyConnected(xs, d2h_weight, no_bias=True, num_hidden=self._H)
        Uy = F.FullyConnected(ys, o2h_weight, no_bias=True, num_hidden=self._H)
        h = self._activate(F, self._input(F, x, i2h_weight, i2h_bias) + Wx + Uy, self._f)
        y = self._affine(F, h, h2o_weight, h2o_bias, self._Q)  # (N, Q)
        ys = _push(F, y_true if self._open_loop else y, ys, self._state_sizes[1])
        return y, [_push(F, x, xs, self._state_sizes[0]), ys]
