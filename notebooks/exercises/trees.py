"""The checks of notebook 16: the gradient through a tree, nested loops, two graphs alike."""

import ast
import importlib
import inspect
from collections import Counter
from itertools import permutations

import numpy as np
from answers import Wrong, array, case, close, fresh, run, tutor

SYMBOLS = "True", "False", "and", "or", "<", "<="


def _tree(draw, n):
    """A random tree of n leaves, as a symbol and its children."""
    if n == 1:
        return (SYMBOLS[draw.randint(2)],)
    k = draw.randint(1, n)
    return (SYMBOLS[draw.randint(2, 6)], _tree(draw, k), _tree(draw, n - k))


def _chain(draw, n):
    tree = (SYMBOLS[draw.randint(6)],)
    for _ in range(n - 1):
        tree = (SYMBOLS[draw.randint(6)], tree)
    return tree


def _gradient(tree, W, U, b, v):
    """∂(v · h)/∂W, ∂U, ∂b, from the leaves up: every node hands on its sensitivities."""
    H = len(b)

    def up(tree):  # h (H,) and ∂h/∂θ (H, θ), of θ = W, U, b
        symbol, *children = tree
        below = [up(child) for child in children]
        below += [(np.zeros(H), np.zeros((H, W.size + U.size + H)))] * (2 - len(children))
        hs = np.concatenate([h for h, _ in below])
        x = np.eye(1, len(SYMBOLS), SYMBOLS.index(symbol))[0]
        own = np.hstack([np.kron(np.eye(H), x), np.kron(np.eye(H), hs), np.eye(H)])
        h = np.tanh(W @ x + U @ hs + b)
        return h, (1 - h**2)[:, None] * (own + U @ np.concatenate([S for _, S in below]))

    dW, dU, db = np.split(v @ up(tree)[1], np.cumsum([W.size, U.size]))
    return dW.reshape(W.shape), dU.reshape(U.shape), db


@tutor
def exercise_1(tree_gradient):
    """The gradient of v · h of the root, by the weights of a recursive network."""
    for H, make, n, words in (
        (3, _tree, 1, "for a single leaf"),
        (2, _tree, 2, "for one operator"),
        (4, _chain, 5, "for a chain"),
        (3, _tree, 9, "for a tree of 9 leaves"),
    ):
        draw = fresh(H, n)
        W, U = draw.normal(size=(H, 6)), draw.normal(size=(H, 2 * H))
        b, v = draw.normal(size=H), draw.normal(size=H)
        tree = make(draw, n)
        with case(words):
            found = run(tree_gradient, tree, W, U, b, v)
            if not isinstance(found, tuple | list) or len(found) != 3:
                raise Wrong("tree_gradient(...) must return three arrays: dW, dU, db")
            expected = _gradient(tree, W, U, b, v)
            for name, value, right in zip(("dW", "dU", "db"), found, expected, strict=True):
                close(name, value, right)
    return "the gradient of every tree, and of a chain the one that BPTT gives"


LOOPS = ast.For, ast.While, ast.AsyncFor


def _programs():
    """Functions of the standard library by name, and trees (is it a loop?, children)."""

    def tree(part):
        return (isinstance(part, LOOPS), [tree(p) for p in ast.iter_child_nodes(part)])

    for module in ("heapq", "textwrap", "calendar", "difflib", "shlex", "statistics"):
        source = ast.parse(inspect.getsource(importlib.import_module(module)))
        for part in ast.walk(source):
            if isinstance(part, ast.FunctionDef):
                yield f"{module}.{part.name}", tree(part)


def _awkward():
    """Trees made by hand: how each is described, and what it is."""
    leaf, loop = (False, []), (True, [])
    yield "an empty program", leaf
    yield "one loop", (False, [loop])
    yield "a hundred loops side by side", (False, [loop] * 100)
    yield "a loop with a hundred statements that are none", (True, [leaf] * 100)
    deep = (True, [(False, [(False, [(False, [loop])])])])
    yield "a loop four levels below a loop", deep
    yield "a loop in a loop, far below the root", (False, [(False, [(False, [deep, leaf])])])
    yield "nested loops and a hundred statements around them", (False, [deep, *[leaf] * 99])
    yield "a hundred nested pairs of loops", (False, [(True, [loop])] * 100)
    yield "loops side by side, deep down", (False, [(False, [(False, [loop, loop])]), loop])
    yield "three loops, each in the one before", (True, [(True, [loop])])
    yield "a loop around a hundred loops", (True, [loop] * 100)


def _nested(tree, inside=False):
    loop, children = tree
    return (loop and inside) or any(_nested(child, inside or loop) for child in children)


@tutor
def exercise_2(W_loop, U_loop, b_loop):
    """Two threshold units: does a loop stand inside a loop?"""
    W = array("W_loop", np.reshape(array("W_loop", W_loop), -1), (2,))
    U = array("U_loop", U_loop, (2, 2))
    b = array("b_loop", np.reshape(array("b_loop", b_loop), -1), (2,))

    def state(tree):
        below = sum((state(child) for child in tree[1]), np.zeros(2))
        return (W * tree[0] + U @ below + b > 0) * 1.0

    count = 0
    for name, tree in (*_awkward(), *_programs()):
        count += _nested(tree)
        if state(tree)[1] != _nested(tree):
            said, true = ("yes", "no") if state(tree)[1] else ("no", "yes")
            raise Wrong(f"of {name} the second unit says {said}, and the answer is {true}")
    return f"also on {count} programs where a loop does stand inside a loop"


def _looks(A, rounds=10):
    """The nodes' colours after rounds of refinement, as a count that no numbering changes."""
    colours = [0] * len(A)
    for _ in range(rounds):
        seen = [(c, tuple(sorted(colours[u] for u in np.flatnonzero(row))))
                for c, row in zip(colours, A, strict=True)]  # fmt: skip
        colours = [hash(s) for s in seen]
    return Counter(colours)


@tutor
def exercise_3(A_1, A_2):
    """Two connected graphs that are different, and alike to message passing."""
    graphs = {}
    for name, value in (("A_1", A_1), ("A_2", A_2)):
        A = graphs[name] = array(name, value)
        n = len(A)
        if A.ndim != 2 or A.shape != (n, n) or not 1 <= n <= 8:
            raise Wrong(f"{name} has shape {A.shape}, expected (n, n) with n at most 8")
        if not (np.isin(A, (0, 1)).all() and (A == A.T).all() and not A.diagonal().any()):
            raise Wrong(f"{name} must be symmetric, of 0 and 1, with zeros on the diagonal")
        if (np.linalg.matrix_power(A + np.eye(n), n) == 0).any():
            raise Wrong(f"the graph of {name} is in several pieces")
    A, B = graphs.values()
    if A.shape != B.shape or A.sum() != B.sum() or _looks(A) != _looks(B):
        raise Wrong("message passing can tell the two apart, with suitable weights")
    # Only nodes that send the same number can change places.
    degrees = B.sum(axis=1)
    for p in permutations(range(len(A))):
        p = list(p)
        if (degrees[p] == A.sum(axis=1)).all() and (B[p][:, p] == A).all():
            raise Wrong("the two are one graph, its nodes numbered differently")
    return "nothing that passes messages from equal inputs tells these two apart"
