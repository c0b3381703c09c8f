"""The checks of notebook 15: two networks in one, a machine's table, an automaton."""

import numpy as np
from answers import Wrong, array, case, close, fresh, run, tutor, whole


def _parts(names, answer, count):
    """The parts that a function was asked to return, and returned."""
    if not isinstance(answer, (tuple, list)) or len(answer) != count:
        raise Wrong(f"expected {count} results, {names}")
    return answer


@tutor
def exercise_1(composed_srn):
    """One SRN for two networks with biases at their outputs, from any start."""
    for n, C, H, H2, Q in ((2, 1, 5, 4, 1), (3, 2, 3, 7, 2)):
        draw = fresh(n, H).normal
        A, B, b, M, c = (draw(size=k) for k in ((H, n), (H, C), H, (n, H), n))
        A2, B2, b2, D, d = (draw(size=k) for k in ((H2, n), (H2, C), H2, (Q, H2), Q))
        s_0, x = draw(size=n), draw(size=(12, C))
        given = (A, B, b, M, c), (A2, B2, b2, D, d), s_0
        answer = _parts("U, W, b, V, h_0", run(composed_srn, *given), 5)
        shapes = {"U": 2 * (H + H2,), "W": (H + H2, C), "b": (H + H2,), "V": (Q, H + H2)}
        shapes["h_0"] = (H + H2,)
        pairs = zip(answer, shapes.items(), strict=True)
        U, W, b_all, V, h = (array(name, part, shape) for part, (name, shape) in pairs)
        s, wanted, found = s_0, [], []
        for x_t in x:
            wanted.append(D @ np.tanh(A2 @ s + B2 @ x_t + b2) + d)
            s = M @ np.tanh(A @ s + B @ x_t + b) + c
            h = np.tanh(U @ h + W @ x_t + b_all)
            found.append(V @ h + d)
        with case(f"from a start s_0 of {n} numbers"):
            close("y_1", found[0], wanted[0])
            close("y", found, wanted)


@tutor
def exercise_2(join):
    """The table of a machine that adds in unary."""
    if not isinstance(join, dict) or not join:
        raise Wrong("join is a dictionary, {(k, a): (w, move, k'), ...}")
    table = {}
    for key, rule in join.items():
        fits = isinstance(key, tuple) and len(key) == 2 and isinstance(rule, (tuple, list))
        if not (fits and len(rule) == 3 and rule[1] in ("L", "R")):
            raise Wrong(f"the row {key}: {rule} is not of the form (k, a): (w, 'L' or 'R', k')")
        parts = zip(("k", "a", "w", "k'"), (*key, rule[0], rule[2]), strict=True)
        k, a, w, after = (whole(f"{part} in the row {key}", value) for part, value in parts)
        if a not in (0, 1) or w not in (0, 1) or min(k, after) < 0:
            raise Wrong(f"in the row {key}: {rule} a digit is not 0 or 1, or a state below 0")
        table[k, a] = w, rule[1], after
    for m, n in ((1, 1), (2, 3), (5, 1), (1, 6), (7, 9)):
        tape, head, k, limit = dict.fromkeys(range(m), 1), 0, 0, 10_000
        tape |= dict.fromkeys(range(m + 1, m + 1 + n), 1)
        while k <= max(k for k, _ in table):
            limit -= 1
            if limit < 0:
                raise Wrong(f"for m = {m}, n = {n} it does not halt within 10,000 steps")
            if (k, tape.get(head, 0)) not in table:
                raise Wrong(f"for m = {m}, n = {n} it needs a row {k, tape.get(head, 0)}")
            tape[head], move, k = table[k, tape.get(head, 0)]
            head += 1 if move == "R" else -1
        ones = sorted(i for i, digit in tape.items() if digit)
        if len(ones) != m + n:
            raise Wrong(f"for m = {m}, n = {n} it leaves {len(ones)} ones on the tape")
        if ones[-1] - ones[0] != m + n - 1:
            raise Wrong(f"for m = {m}, n = {n} there is a gap between the ones")


@tutor
def exercise_3(automaton_srn):
    """A finite automaton as an SRN of threshold units."""
    for S, A in ((3, 2), (6, 4)):
        draw = fresh(S, A)
        table = draw.randint(1, S, size=(S, A))  # nothing leads back to state 0
        table[-1, 0] = 0 if S > 3 else table[-1, 0]
        answer = _parts("U, W, b, V, h_0", run(automaton_srn, table), 5)
        b = array("b", answer[2])
        shapes = {"U": 2 * b.shape, "W": (len(b), A), "b": b.shape, "V": (S, len(b))}
        shapes["h_0"] = b.shape
        pairs = zip(answer, shapes.items(), strict=True)
        U, W, b, V, h_0 = (array(name, part, shape) for part, (name, shape) in pairs)
        for _ in range(5):
            h, k = h_0, 0
            for t, x_t in enumerate(draw.randint(A, size=40)):
                h, k = (U @ h + W[:, x_t] + b > 0) * 1.0, table[k, x_t]
                with case(f"with {S} states and {A} inputs"):
                    close(f"V h_{t + 1}", V @ h, np.eye(S)[k])
