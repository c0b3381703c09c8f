"""The checks of notebook 07: residual recurrences, and a latch."""

from fractions import Fraction

import numpy as np
from answers import Wrong, array, close, fresh, number, run, same, tutor


@tutor
def exercise_1(u_half):
    """The u near 0 for which (1 + u)^10 = 1/2."""
    if number("u_half", u_half) < -1:
        raise Wrong("with u_half below -1 the gradient changes its sign at every step: look near 0")
    close("u_half", u_half, 0.5**0.1 - 1, tolerance=1e-4)


@tutor
def exercise_2(step_10):
    """The first step at which h_t = h_{t-1} + σ(h_{t-1}), from 0, is above 10."""
    h, t = 0.0, 0
    while h <= 10:
        h, t = h + 1 / (1 + np.exp(-h)), t + 1
    same("step_10", step_10, t)


@tutor
def exercise_3(two_latches):
    """tanh of the values at the last flag and at the one before it, at every step."""
    for T in (6, 40):
        draw = fresh(T)
        flags = (draw.random_sample(T) < 0.3).astype(float)
        flags[[1, 3]] = 1
        values, expected = draw.uniform(-1, 1, T), np.zeros((T, 2))
        for t in range(T):
            flagged = [np.tanh(values[k]) for k in range(t + 1) if flags[k]][::-1][:2]
            expected[t, : len(flagged)] = flagged
        close("two_latches(...)", run(two_latches, flags, values), expected)


@tutor
def exercise_4(one, other):
    """Two different sequences of three inputs with the same sum of (1/4, 1/2, 1) x."""
    given = {"one": np.ravel(array("one", one)), "other": np.ravel(array("other", other))}
    sequences = [array(name, x, (3,)) for name, x in given.items()]
    apart = [Fraction(a) - Fraction(b) for a, b in zip(*sequences, strict=True)]  # not rounded
    if not any(apart):
        raise Wrong("one and other are the same sequence")
    if max(map(abs, apart)) < 1e-3:
        raise Wrong("one and other are nearly the same sequence: let them differ by 0.001 or more")
    if abs(apart[0] / 4 + apart[1] / 2 + apart[2]) > 1e-9:
        raise Wrong("after one and after other the last states differ")
