"""The checks of notebook 02: a coin, fixed points, parity."""

from itertools import product

import numpy as np
from answers import Wrong, array, fresh, run, same, tutor


@tutor
def exercise_1(heads_needed):
    """The least n with (10 + n) / (20 + n) above 9/10."""
    n = 0
    while 10 * (10 + n) <= 9 * (20 + n):
        n += 1
    same("heads_needed", heads_needed, n)


@tutor
def exercise_2(fixed_points):
    """All h = tanh(u h + x), in rising order."""
    draw = fresh("fixed points")
    cases = [(0.8, 0.5), (2.0, 0.0), (3.0, 0.2), (-2.5, 0.3), (1.5, -0.9), (0.0, 0.4)]
    cases += [(draw.uniform(-3, 3), draw.uniform(-1, 1)) for _ in range(10)]
    cases += [(2.0, 0.53)]  # two of its three are 0.06 apart
    for u, x in cases:
        low = np.linspace(-1, 1, 20_002)
        above = np.tanh(u * low + x) > low
        (k,) = np.nonzero(above[1:] != above[:-1])
        low, high, rises = low[k], low[k + 1], above[k]
        for _ in range(40):
            middle = (low + high) / 2
            up = (np.tanh(u * middle + x) > middle) == rises
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        call = f"fixed_points({u:.3g}, {x:.3g})"
        found = np.atleast_1d(array(call, run(fixed_points, u, x)))
        if found.shape != k.shape:
            count = f"{found.size} number{'s'[: found.size != 1]}"
            raise Wrong(f"{call} holds {count}, expected {k.size}")
        if (np.diff(found) <= 0).any():
            raise Wrong(f"{call} is not in rising order")
        if not (abs(found - low) < 1.01e-6).all():
            raise Wrong(f"{call} holds a number that is no fixed point to 1e-6")


@tutor
def exercise_3(W_p, U_p, V_p):
    """A Jordan network of two ReLU units whose output is the parity at every step."""
    W, U, V = array("W_p", W_p, (2, 1)), array("U_p", U_p, (2, 1)), array("V_p", V_p, (1, 2))
    bits = np.array(list(product((0, 1), repeat=8)))  # (N, T)
    y = np.zeros((len(bits), 1))
    for t in range(bits.shape[1]):
        y = np.maximum(bits[:, t : t + 1] @ W.T + y @ U.T, 0) @ V.T
        wrong = ~(abs(y[:, 0] - bits[:, : t + 1].sum(axis=1) % 2) < 1e-6)  # NaN, too
        if wrong.any():
            said = " ".join(map(str, bits[wrong.argmax(), : t + 1]))
            raise Wrong(f"after the bits {said} the output is {y[wrong.argmax(), 0]:g}")
