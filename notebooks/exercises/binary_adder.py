"""The checks of notebook 05: what delays are worth to an adder, and networks that calculate."""

import numpy as np
from answers import Wrong, array, fresh, run, same, tutor


def _digits(numbers, T):
    """Digits in base two, lowest first, (N, T), of whole numbers of any size."""
    return np.array([[number >> t & 1 for t in range(T)] for number in numbers])


def _numbers(draw, count, T):
    """Whole numbers of T digits, of which the highest is 1."""
    numbers = [int.from_bytes(draw.bytes(T // 8 + 1), "little") for _ in range(count)]
    return [number % 2 ** (T - 1) + 2 ** (T - 1) for number in numbers]


def _written(x, U, W, b, V):
    """What a network of saturated-linear units writes, (N, T), from h_0 = 0."""
    h, s = np.zeros((len(x), len(U))), []
    for t in range(x.shape[1]):
        h = np.clip(h @ U.T + x[:, t] @ W.T + b, 0, 1)
        s.append(h @ V)
    return np.stack(s, axis=1)


def _compare(written, digits, tasks, names):
    """Raise `Wrong`, for the first of the tasks that comes out wrong, at its first wrong place."""
    wrong = ~(abs(written - digits) < 1e-6)
    for task, places in zip(tasks, wrong, strict=True):
        if places.any():
            place = int(places.argmax())
            raise Wrong(f"{task} comes out wrong, first at step {place + 1}{names}")


@tutor
def exercise_1(delay_ceiling):
    """How many digits of all sums of T digits can the best rule with K delays get right?"""
    for K, T in ((0, 6), (1, 6), (2, 5), (3, 6), (6, 7)):
        numbers = range(2 ** (T - 1))
        seen = {}
        for a in numbers:
            for b in numbers:
                for t in range(T):
                    pairs = tuple(
                        (a >> k & 1, b >> k & 1) if k >= 0 else (0, 0) for k in range(t - K, t + 1)
                    )
                    seen.setdefault(pairs, [0, 0])[(a + b) >> t & 1] += 1
        expected = sum(max(count) for count in seen.values())
        same(f"delay_ceiling({K}, {T})", run(delay_ceiling, K, T), expected)


@tutor
def exercise_2(U_minus, W_minus, b_minus, V_minus):
    """Three saturated-linear units that subtract: the digits of a - b for a ≥ b."""
    U, W = array("U_minus", U_minus, (3, 3)), array("W_minus", W_minus, (3, 2))
    b, V = array("b_minus", b_minus, (3,)), np.ravel(array("V_minus", V_minus))
    array("V_minus", V, (3,))
    small = [(p, q, 6) for p in range(32) for q in range(p + 1)]
    large = zip(*[_numbers(fresh("subtract", k), 40, 200) for k in (1, 2)], strict=True)
    large = [(max(pair), min(pair), 201) for pair in large]
    for pairs, said in ((small, "{} - {}"), (large, "a difference of two numbers of 200 digits")):
        for borrows, remark in ((False, ", though it needs no borrow"), (True, "")):
            chosen = [(p, q) for p, q, _ in pairs if (p & q != q) == borrows]
            if not chosen:
                continue
            T, (p, q) = pairs[0][2], zip(*chosen, strict=True)
            x = np.stack([_digits(p, T), _digits(q, T)], axis=2)
            digits = _digits([i - j for i, j in chosen], T)
            tasks = [said.format(i, j) for i, j in chosen]
            _compare(_written(x, U, W, b, V), digits, tasks, remark)


@tutor
def exercise_3(multiplier):
    """The weights of a network of saturated-linear units that multiplies by m."""
    for m in (3, 2, 5, 10, 1):
        call = f"multiplier({m})"
        weights = run(multiplier, m)
        if not isinstance(weights, tuple | list) or len(weights) != 4:
            raise Wrong(f"{call} must return four arrays, U, W, b and V")
        H = np.size(weights[2])
        U, W = array(f"U of {call}", weights[0], (H, H)), array(f"W of {call}", weights[1])
        W = array(f"W of {call}", W[:, None] if W.shape == (H,) else W, (H, 1))
        b = array(f"b of {call}", weights[2], (H,))
        V = array(f"V of {call}", np.ravel(array(f"V of {call}", weights[3])), (H,))
        numbers = [*range(16), *_numbers(fresh("multiply", m), 40, 60)]
        T = 60 + m.bit_length()
        tasks = [f"{m} · {n}" if n < 16 else f"{m} times a number of 60 digits" for n in numbers]
        written = _written(_digits(numbers, T)[..., None], U, W, b, V)
        _compare(written, _digits([m * n for n in numbers], T), tasks, "")
