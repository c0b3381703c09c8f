"""The checks of notebook 06: how gradients fade, grow and are clipped."""

import numpy as np
from answers import Wrong, array, case, close, fresh, run, same, tutor


@tutor
def exercise_1(rho_half, lag_thousandth):
    """ρ of a linear network that halves a gradient in 20 steps; the lag where 1/1000 is left."""
    close("rho_half", rho_half, 0.5 ** (1 / 20), tolerance=1e-4)
    left = 0.5 ** (np.arange(1000) / 20)  # at the lags 0 … 999
    same("lag_thousandth", lag_thousandth, int((left >= 1e-3).sum()))
    return f"a half after 20 steps, a quarter after 40, and {left[200]:.5f} after 200"


def _norms_back(U, W, b, x, e):
    h, slopes = np.zeros(len(U)), []
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        slopes.append(1 - h**2)
    norms = [np.linalg.norm(e)]
    for slope in reversed(slopes):
        e = U.T @ (slope * e)
        norms.append(np.linalg.norm(e))
    return norms


@tutor
def exercise_2(norms_back):
    """The norms of ∂L/∂h_{T-n} for n = 0 … T, walking back through a tanh network."""
    for T, H, C in ((6, 3, 2), (9, 5, 1)):
        draw = fresh("norms_back", T).normal
        U, W, b, x, e = (draw(size=s) for s in ((H, H), (H, C), H, (T, C), H))
        expected = _norms_back(U, W, b, x, e)
        close("norms_back(…)", run(norms_back, U, W, b, x, e), expected, tolerance=1e-9)


@tutor
def exercise_3(clipped_step):
    """One step of gradient descent with the mean gradient, clipped by its global norm."""
    for N, sizes, theta in ((8, ((2, 3), (4,)), 0.5), (3, ((4,), (2, 2), (1,)), 100.0)):
        draw = fresh("clipped_step", N).normal
        weights, summed = ([draw(size=s) for s in sizes] for _ in range(2))
        for scale in (1.0, 0.0):
            gradients = [scale * g for g in summed]
            mean = [g / N for g in gradients]
            factor = theta / max(theta, np.sqrt(sum((g**2).sum() for g in mean)))
            with case("for gradients of zeros" if not scale else f"for θ = {theta:g}"):
                new = run(clipped_step, weights, gradients, N, 0.1, theta)
                if not isinstance(new, tuple | list | np.ndarray) or len(new) != len(weights):
                    raise Wrong(f"a list of {len(weights)} new arrays is expected")
                for k, (w, g) in enumerate(zip(weights, mean, strict=True)):
                    step = array(f"number {k} of the new weights", new[k], w.shape) - w
                    close(f"the change of weights[{k}]", step, -0.1 * factor * g)
