"""The checks of notebook 01: convolutions with holes, slopes, and a loop that rings."""

import numpy as np
from answers import case, close, fresh, run, tutor


@tutor
def exercise_1(dilated):
    """h_t = ReLU(sum over j of A_j x_{t-jd} + b), zeros before the start; (T, H)."""
    for J, H, C, T, d in ((1, 3, 2, 7, 2), (2, 2, 3, 11, 3), (3, 1, 1, 5, 1), (2, 2, 2, 4, 5)):
        draw = fresh(J, d).normal
        x, A, b = draw(size=(T, C)), draw(size=(J + 1, H, C)), draw(size=H)
        z = np.tile(b, (T, 1))  # (T, H)
        for j in range(J + 1):
            if j * d < T:
                z[j * d :] += x[: T - j * d] @ A[j].T
        with case(f"for x of shape {x.shape}, A of shape {A.shape} and d = {d}"):
            close("dilated(x, A, b, d)", run(dilated, x, A, b, d), np.maximum(z, 0))


@tutor
def exercise_2(slope_weights):
    """Weights of x_t ... x_{t-K} that give the slope at t of the polynomial through them."""
    for K in (1, 2, 3, 5):
        # of the Lagrange polynomials through s = 0, -1, ..., -K, the slopes at 0
        expected = []
        for k in range(K + 1):
            others = [-j for j in range(K + 1) if j != k]
            lagrange = np.poly(others) / np.prod([-k - s for s in others])
            expected.append(np.polyder(lagrange)[-1])
        with case(f"for K = {K}"):
            close("slope_weights(K)", run(slope_weights, K), expected)
    return "for K = 2 they are 3/2, -2, 1/2: read backwards, another network."


@tutor
def exercise_3(ringing):
    """(U_1, U_2) of a loop whose pulse response has a period and keeps a share of it."""
    for period, kept in ((12, 0.5), (5, 1.0), (7.3, 0.9), (3, 0.2)):
        rho, angle = kept ** (1 / period), 2 * np.pi / period
        expected = 2 * rho * np.cos(angle), -(rho**2)
        with case(f"for period = {period} and kept = {kept}"):
            close("ringing(period, kept)", run(ringing, period, kept), expected)
