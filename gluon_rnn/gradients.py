"""The book's own BPTT and RTRL in NumPy float64: what autograd is checked against.

Source: document 001, "BPTT" and "RTRL"; Qiu, eq. 6.28-6.46; Werbos 1990; Williams and Zipser 1989.
One sequence; arrays count time from 0; T time, C input features, H hidden, Q outputs:

    z_t = U h_{t-1} + W x_t + b,   h_t = f(z_t),   y_t = V h_t,   L = Σ_t L_t(y_t)     (6.28-6.29)

``p`` are the parameters, ``x`` (T, C), ``loss_gradient`` ∂L_t/∂y_t as an array (T, Q) or a function
of t and y_t (for ∂L_t/∂h_t let V = I), ``f`` one of ``ACTIVATIONS``; ``cost`` counts. What does not
fit raises a ``ValueError`` naming it. Derived in notebooks/04_learning_through_time.ipynb.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gluon_rnn.checks import instance, one_of, require, whole

__all__ = ["ACTIVATIONS", "Cost", "Online", "Parameters", "bptt", "deltas", "forward", "rtrl"]

ACTIVATIONS = {  # f and f', both of z; relu'(0) = 0 as in MXNet
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: (1 + np.tanh(z / 2)) / 2, lambda z: (1 - np.tanh(z / 2) ** 2) / 4),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "identity": (lambda z: z * 1.0, np.ones_like),
}


class Parameters(NamedTuple):
    """U (H, H), W (H, C), b (H,), V (Q, H), h0 (H,); or the gradient with respect to each."""

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    V: np.ndarray
    h0: np.ndarray


class Online(NamedTuple):
    """After step t: y_t, the gradients of L_t and of L_1 + … + L_t, and ∂h_t/∂θ by θ's name."""

    y: np.ndarray
    now: Parameters
    total: Parameters
    sensitivity: dict[str, np.ndarray]


class Cost:
    """Multiplications in products, and numbers held at once at most, counted where they happen."""

    operations = memory = 0

    def dot(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        self.operations += A.size * (B.shape[1] if B.ndim == 2 else 1)
        return A @ B

    def hold(self, *arrays: np.ndarray) -> None:
        self.memory = max(self.memory, sum(a.size for a in arrays))


def _checked(p: Parameters) -> Parameters:
    """The parameters in float64 (no copies of what is), each of the shape it must have."""
    p = Parameters(*(np.asarray(a, dtype="float64") for a in instance("p", p, Parameters)))
    H = p.U.shape[:1]
    shapes = (H + H, H + p.W.shape[-1:], H, p.V.shape[:1] + H, H)
    for name, a, shape in zip(p._fields, p, shapes, strict=True):
        require(a.shape == shape and a.size > 0, name, f"shape {shape}", a.shape)
    return p


def _gradient_at(loss_gradient, t: int, y: np.ndarray) -> np.ndarray:
    if not callable(loss_gradient):
        require(t < len(loss_gradient), "loss_gradient", "a row for every x_t", len(loss_gradient))
    g = loss_gradient(t, y) if callable(loss_gradient) else loss_gradient[t]
    require(np.shape(g) == y.shape, f"loss_gradient at t = {t}", f"shape {y.shape}", np.shape(g))
    return np.asarray(g, dtype="float64")


def forward(p: Parameters, x, f: str = "tanh", cost: Cost | None = None) -> tuple[np.ndarray, ...]:
    """z (T, H), h (T + 1, H), which begins with h0, and y (T, Q)."""
    p, x, cost = _checked(p), np.asarray(x, dtype="float64"), cost or Cost()
    C, activate = p.W.shape[1], ACTIVATIONS[one_of("f", f, ACTIVATIONS)][0]
    require(x.ndim == 2 and x.shape[1:] == (C,) and len(x) > 0, "x", f"shape (T, {C})", x.shape)
    zs, hs = [], [p.h0]
    for x_t in x:
        zs.append(cost.dot(p.U, hs[-1]) + cost.dot(p.W, x_t) + p.b)
        hs.append(activate(zs[-1]))
    return np.array(zs), np.array(hs), np.array([cost.dot(p.V, h) for h in hs[1:]])


def _backward(p, x, loss_gradient, f, window, xi, cost) -> Iterator[tuple]:
    """For k = T … 1: k, rows δ_{k,k}, δ_{k+1,k} … (no window: their sum), Uᵀ times them, …"""
    (z, h, y), p, x = forward(p, x, f, cost), _checked(p), np.asarray(x, dtype="float64")
    T, rows = len(z), len(z) if callable(loss_gradient) else len(loss_gradient)
    require(rows == T, "loss_gradient", f"{T} rows, as x", rows)
    require(xi is None or np.shape(xi) == (T,), "xi", f"shape ({T},)", np.shape(xi))
    K = whole("window", T if window is None else window)
    g = np.array([_gradient_at(loss_gradient, t, y_t) for t, y_t in enumerate(y)])
    back = np.zeros((1 if window is None else 0, z.shape[1]))
    for k in reversed(range(T)):
        e = cost.dot(g[k], p.V)[None]  # (1, H) = ∂L_k/∂h_k
        e = e + back if window is None else np.concatenate([e, back])[:K]
        δ = e * ACTIVATIONS[f][1](z[k])
        back = cost.dot(δ, p.U) * (1 if xi is None else xi[k])
        cost.hold(x, z, h, g, δ, back, *p)  # as many gradients as parameters
        yield k, δ, back, x[k], h[k], h[k + 1], g[k]


def bptt(p, x, loss_gradient, f="tanh", window=None, xi=None, cost=None) -> Parameters:
    """The gradient of L by backpropagation through time.

        δ_{t,k} = ∂L_t/∂z_k = f'(z_k) ⊙ Uᵀ δ_{t,k+1}                              (6.34-6.36)
        ∂L/∂U, ∂L/∂W, ∂L/∂b = Σ_t Σ_{k≤t} δ_{t,k} times h_{k-1}ᵀ, x_kᵀ, 1         (6.39-6.41)

    ``window`` K: only δ_{t,k} with t - k < K; ``xi`` (T,) scales what flows from z_t to h_{t-1}.
    """
    d, cost = Parameters(*map(np.zeros_like, _checked(p))), cost or Cost()
    for _, δ, back, x_k, past, h_k, g_k in _backward(p, x, loss_gradient, f, window, xi, cost):
        δ_k = δ.sum(axis=0)[:, None]  # (H, 1)
        d.U[:] += cost.dot(δ_k, past[None])
        d.W[:] += cost.dot(δ_k, x_k[None])
        d.b[:] += δ_k[:, 0]
        d.V[:] += cost.dot(g_k[:, None], h_k[None])
        d.h0[:] = back.sum(axis=0)
    return d


def deltas(p, x, loss_gradient, f="tanh") -> np.ndarray:
    """δ_{t,k} at [t, k] of an array (T, T, H), zero for k > t (6.34-6.36)."""
    every = np.zeros((len(x), len(x), len(p.U)))
    for k, δ, *_ in _backward(p, x, loss_gradient, f, len(x), None, Cost()):
        every[k:, k] = δ
    return every


def rtrl(p, x, loss_gradient, f="tanh", cost=None) -> Iterator[Online]:
    """After every step the gradients so far, by real-time recurrent learning.

        ∂h_t/∂θ = f'(z_t) ⊙ (U ∂h_{t-1}/∂θ + ∂⁺z_t/∂θ)                            (6.43-6.45)
        ∂L_t/∂θ = (∂h_t/∂θ)ᵀ ∂L_t/∂h_t                                            (6.46)

    ``x`` may be any iterable of x_t (C,), even an endless one: all that is kept of the past is h_t
    and ∂h_t/∂θ (H, *shape of θ). To learn online, write into ``p``'s arrays between steps.
    """
    given, p, cost = p, _checked(p), cost or Cost()
    (H, C), h, total = p.W.shape, p.h0, Parameters(*map(np.zeros_like, p))
    S, J, units = np.zeros((H, H, H + C + 1)), np.eye(H), range(H)  # ∂h_t/∂[U W b], ∂h_t/∂h0
    for t, x_t in enumerate(x):
        p = _checked(given)  # what was written since the last step, also where that is a copy
        (z,), (past, h), (y,) = forward(p._replace(h0=h), [x_t], f, cost)
        g, slope = _gradient_at(loss_gradient, t, y), ACTIVATIONS[f][1](z)[:, None]
        S = cost.dot(p.U, S.reshape(H, -1)).reshape(S.shape)
        S[units, units] += np.concatenate([past, x_t, [1.0]])  # ∂⁺z_t/∂[U W b], for each unit
        S, J = S * slope[:, None], cost.dot(p.U, J) * slope
        e, dV = cost.dot(g, p.V), cost.dot(g[:, None], h[None])  # e = ∂L_t/∂h_t
        dθ = cost.dot(e, S.reshape(H, -1)).reshape(H, -1)  # (H, H + C + 1)
        now = Parameters(dθ[:, :H], dθ[:, H:-1], dθ[:, -1], dV, cost.dot(e, J))
        total = Parameters(*(a + b for a, b in zip(total, now, strict=True)))
        cost.hold(S, S, J, past, x_t, h, g, *now, *total)  # S twice: it was made from the last
        yield Online(y, now, total, {"U": S[..., :H], "W": S[..., H:-1], "b": S[..., -1], "h0": J})
