"""The checks of notebook 18: weights from other conventions, and a test that can fail."""

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


def _step(*, order="rzn", keeps=True, after=False, wrong=""):
    """A GRU's step, right or wrong in one thing."""

    def step(W, U, b, x, h):
        W, U, b, x, h = (np.asarray(a, dtype="float64") for a in (W, U, b, x, h))
        W, U, b = (dict(zip(order, np.split(a, 3), strict=True)) for a in (W, U, b))
        if wrong == "bias":
            b["r"] = 0 * b["r"]
        if wrong == "transposed":
            U["n"] = U["n"].T
        if wrong == "positive":
            h = abs(h)
        r, z = (sigmoid(W[k] @ x + U[k] @ h + b[k]) for k in "rz")
        if wrong == "one reset":
            r = r[:1]
        if wrong == "no reset":
            r = 1
        n = W["n"] @ x + b["n"] + (r * (U["n"] @ h) if after else U["n"] @ (r * h))
        n = sigmoid(n) if wrong == "logistic" else np.tanh(n)
        new = z * h + (1 - z) * n if keeps else (1 - z) * h + z * n
        if wrong == "nan":
            return new * np.nan
        return new.astype("float32").astype("float64") if wrong == "single" else new

    return step


def _by_slices(W, U, b, x, h):
    """The right step again, its gates taken from one product."""
    H, h = len(h), np.asarray(h, dtype="float64")
    a = np.dot(W, x) + np.asarray(b, dtype="float64")
    gates = 1 / (1 + np.exp(-(a[: 2 * H] + np.dot(U[: 2 * H], h))))
    n = np.tanh(a[2 * H :] + np.dot(U[2 * H :], gates[:H] * h))
    return n + gates[H:] * (h - n)


@tutor
def exercise_3(accepts):
    """A test of a GRU's step: the right ones pass, each wrong one does not."""
    for name, step in (("as equations", _step()), ("with its gates in one product", _by_slices)):
        if run(accepts, step) is not True:
            raise Wrong(f"it must say True to a right step, written {name}")
    wrong = {
        "in which z = 1 takes the new state": _step(keeps=False),
        "that resets after the product": _step(after=True),
        "with its gates in the order z, r, n": _step(order="zrn"),
        "with its gates in the order r, n, z": _step(order="rnz"),
        "that leaves out the reset gate's bias": _step(wrong="bias"),
        "that has U_n lying": _step(wrong="transposed"),
        "that is right only for states above 0": _step(wrong="positive"),
        "with the first unit's reset gate for all units": _step(wrong="one reset"),
        "without a reset gate": _step(wrong="no reset"),
        "with a logistic candidate": _step(wrong="logistic"),
        "that returns NaN": _step(wrong="nan"),
        "in single precision": _step(wrong="single"),
    }
    for fault, step in wrong.items():
        if run(accepts, step) is not False:
            raise Wrong(f"it does not say False to a step {fault}")
    return f"{len(wrong)} wrong steps refused, and both right ones accepted"
