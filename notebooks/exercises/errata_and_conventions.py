"""The checks of notebook 18: weights from other conventions."""

import numpy as np
from answers import Wrong, close, fresh, run, same, tutor
from workbench import sigmoid


@tutor
def exercise_1(adopt):
    """Stored n, r, z with z = 1 taking the new state, into r, z, n with z = 1 keeping the old."""
    for C, H in ((5, 3), (2, 4)):
        draw = fresh(C, H).normal
        given = [draw(size=size) for size in ((3 * H, C), (3 * H, H), (3 * H,))]
        ours = run(adopt, *given)
        if not isinstance(ours, tuple | list) or len(ours) != 3:
            raise Wrong("adopt(W, U, b) must return three arrays: W, U, b")
        signs = {"r": 1, "z": -1, "n": 1}
        for name, array, theirs in zip("WUb", ours, given, strict=True):
            parts = dict(zip("nrz", np.split(theirs, 3), strict=True))
            right = np.concatenate([signs[k] * parts[k] for k in "rzn"])
            close(f"the {name} of adopt(...)", array, right)


def unknown_gru(W, U, b, b_h, x, h):
    """One step of a GRU in a convention to be found out."""
    W, U, b, b_h, x, h = (np.asarray(a, dtype="float64") for a in (W, U, b, b_h, x, h))
    n, r, z = np.split(W @ x + b, 3)
    U_n, U_r, U_z = np.split(U, 3)
    b_n, b_r, b_z = np.split(b_h, 3)
    z = sigmoid(z + U_z @ h + b_z)
    n = np.tanh(n + sigmoid(r + U_r @ h + b_r) * (U_n @ h + b_n))
    return h + z * (n - h)


@tutor
def exercise_2(order, keeps, after):
    """The convention of `unknown_gru`."""
    if isinstance(order, str) and sorted(order) != list("nrz"):
        raise Wrong('order must hold r, z and n once each, such as "rzn"')
    same("order", order, "nrz")
    same("keeps", keeps, False)
    same("after", after, True)
    return "the combination that nobody uses: 29/40 at the step above"
