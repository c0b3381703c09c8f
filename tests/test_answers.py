"""The answer helper: tables of answers and of what is said to them."""

import collections
import importlib
import io
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import redirect_stdout
from decimal import Decimal
from fractions import Fraction
from unittest import mock

import mxnet as mx
import numpy as np
import pytest
from book import BOOK
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import autograd, nd

sys.path.insert(0, str(BOOK))
answers = importlib.import_module("answers")
Wrong, array, case = answers.Wrong, answers.array, answers.case
close, fresh = answers.close, answers.fresh
number, run, same, tutor, whole = (
    answers.number,
    answers.run,
    answers.same,
    answers.tutor,
    answers.whole,
)

NAN, INF = float("nan"), float("inf")
LIMIT = 0.1  # seconds, for what does not end
RIGHT = np.array([[1.7, -2.3, 3.1], [0.9, 5.3, 6.7]])
CUBE = np.arange(24.0).reshape(2, 3, 4) ** 2


def told(check, *given):
    """What a call prints; and what `.grade` raises is the same."""
    with redirect_stdout(io.StringIO()) as out:
        assert check(*given) is None
    text = out.getvalue()
    assert text.endswith("\n")
    return text[:-1]


def graded(check, *given):
    try:
        assert check.grade(*given) is None
    except AssertionError as error:
        return str(error)
    return "Right."


@tutor
def z_81(z):
    """Three to the fourth."""
    close("z", z, 81)


@tutor
def n_81(n):
    same("n", n, 81)


@tutor
def dU_right(dU):
    close("dU", dU, RIGHT, tolerance=1e-5)


@tutor
def two_parts(dU, dW):
    close("dU", dU, 1)
    close("dW", dW, 2)


class Odd:
    pass


class Frame:
    """As pandas' are."""

    def __array__(self, dtype=None):
        return np.array([[81]])


class Broken:
    def __array__(self, dtype=None):
        raise OSError("gone")


def with_entry(index, value):
    changed = RIGHT.copy()
    changed[index] = value
    return changed


def pending():
    """An array at whose computation MXNet will fail when it is read."""
    return nd.random.normal(0, -1, shape=(1,))


ENDLESS = []
ENDLESS.append(ENDLESS)
NO = "not a number or an array"
NUMBERS = {
    "...": (..., "Nothing yet."),
    "...s": ((1, [...]), "Nothing yet."),
    "int": (81, "Right."),
    "float": (81.0, "Right."),
    "float32": (np.float32(81), "Right."),
    "float16": (np.float16(81), "Right."),
    "int64": (np.int64(81), "Right."),
    "uint8": (np.uint8(81), "Right."),
    "0-d": (np.array(81), "Right."),
    "list": ([81], "Right."),
    "lists": ([[[81]]], "Right."),
    "array": (np.array([[81.0]]), "Right."),
    "object array": (np.array([Fraction(81)], dtype=object), "Right."),
    "0-d object array": (np.array(81, dtype=object), "Right."),
    "matrix": (np.asmatrix([[81]]), "Right."),
    "nd": (nd.array([81]), "Right."),
    "nd int": (nd.array([81], dtype="int32"), "Right."),
    "nd float16": (nd.array([[81]], dtype="float16"), "Right."),
    "mx.np": (mx.np.array([81]), "Right."),
    "mx.np 0-d": (mx.np.array(81), "Right."),
    "frame": (Frame(), "Right."),
    "Fraction": (Fraction(162, 2), "Right."),
    "Decimal": (Decimal("81.00"), "Right."),
    "real complex": (81 + 0j, "Right."),
    "real complex array": (np.array([81 + 0j]), "Right."),
    "range": (range(81, 82), "Right."),
    "off by one": (82, "Not yet: {} is off by one."),
    "off by one, as float": (80.0, "Not yet: {} is off by one."),
    "sign": (-81, "Not yet: {} has the wrong sign."),
    "sign and more": (-7, "Not yet: {} has the wrong sign, and not only that."),
    "twice": (162, "Not yet: {} is off by a factor."),
    "tenth": (810, "Not yet: {} is off by a factor."),
    "high": (200, "Not yet: {} is too high."),
    "low": (0, "Not yet: {} is too low."),
    "2**53 + 1": (2**53 + 1, "Not yet: {} is too high."),
    "...s by name": ({"W": ...}, "Nothing yet."),
    "broken": (Broken(), "Not yet: {} cannot be read, OSError: gone."),
    "NaN": (NAN, "Not yet: {} is NaN."),
    "NaN in nd": (nd.array([NAN]), "Not yet: {} is NaN."),
    "infinity": (-INF, "Not yet: {} is infinite."),
    "10**400": (10**400, "Not yet: {} holds a number too large for a float."),
    "complex": (81 + 1j, "Not yet: {} is a complex number, expected a real one."),
    "two": ([81, 81], "Not yet: {} has shape (2,), expected one number."),
    "none": ([], "Not yet: {} has shape (0,), expected one number."),
    "ragged": ([[81], [1, 2]], "Not yet: {} has rows of different lengths."),
    "ragged arrays": ([np.ones(2), nd.ones(3)], "Not yet: {} has rows of different lengths."),
    "None": (None, f"Not yet: {{}} is None, {NO}."),
    "True": (True, f"Not yet: {{}} is a bool, {NO}."),
    "np.True_": (np.True_, f"Not yet: {{}} is a bool, {NO}."),
    "0-d True": (np.array(True), f"Not yet: {{}} is a bool, {NO}."),
    "text": ("81", f"Not yet: {{}} is a str, {NO}: leave out the quotes."),
    "text in a list": (["81"], "Not yet: {}[0] is a str, not a number: leave out the quotes."),
    "text in an array": (np.array(["81"]), None),
    "bytes": (b"81", f"Not yet: {{}} is a bytes, {NO}."),
    "dict": ({81: 81}, f"Not yet: {{}} is a dict, {NO}."),
    "set": ({81}, f"Not yet: {{}} is a set, {NO}."),
    "generator": (
        (i for i in [81]),
        f"Not yet: {{}} is a generator, {NO}: put `list(…)` around it.",
    ),
    "map": (map(int, "81"), f"Not yet: {{}} is a map, {NO}: put `list(…)` around it."),
    "slice": (slice(81), f"Not yet: {{}} is a slice, {NO}."),
    "lambda": (lambda: 81, f"Not yet: {{}} is a function, {NO}."),
    "builtin": (print, f"Not yet: {{}} is a function, {NO}."),
    "class": (int, f"Not yet: {{}} is a class, {NO}."),
    "module": (np, f"Not yet: {{}} is a module, {NO}."),
    "object": (Odd(), f"Not yet: {{}} is an Odd, {NO}."),
    "ANY": (mock.ANY, f"Not yet: {{}} is a _ANY, {NO}."),
    "ANY in a list": ([mock.ANY], "Not yet: {}[0] is a _ANY, not a number."),
    "mock of an int": (
        mock.MagicMock(spec=int),
        "Not yet: {} is a complex number, expected a real one.",
    ),
    "structured": (np.zeros(1, dtype="i,f"), None),
    "date": (np.datetime64(81, "ns"), f"Not yet: {{}} is a datetime64, {NO}."),
    "masked": (np.ma.array([81, 81], mask=[0, 1]), "Not yet: {}[1] is None, not a number."),
    "list in itself": (
        ENDLESS,
        "Not yet: the check stopped with RecursionError: maximum recursion depth exceeded.",
    ),
}


@pytest.mark.parametrize("check", [z_81, n_81], ids=["close", "same"])
@pytest.mark.parametrize("row", NUMBERS)
def test_one_number(row, check):
    answer, expected = NUMBERS[row]
    text = told(check, answer)
    if expected is None:
        assert text.startswith("Not yet: ")
    else:
        assert text == expected.format("z" if check is z_81 else "n")
    assert graded(check, answer) == text


@pytest.mark.parametrize(
    ("check", "text"),
    [(z_81, "z cannot be read, MXNetError: "), (n_81, "the check stopped with MXNetError: ")],
)
def test_an_array_that_mxnet_cannot_compute(check, text):
    """Fresh ones, for MXNet tells of a failure only once."""
    assert told(check, pending()).startswith(f"Not yet: {text}scale parameter")
    assert told(check, [pending()]).startswith("Not yet: ")


SHAPE = "Not yet: dU has shape"
ARRAYS = {
    "lists": (RIGHT.tolist(), "Right."),
    "tuples": (tuple(map(tuple, RIGHT)), "Right."),
    "float32": (RIGHT.astype("float32"), "Right."),
    "nd": (nd.array(RIGHT), "Right."),
    "mx.np": (mx.np.array(RIGHT), "Right."),
    "list of nd": ([nd.array(row) for row in RIGHT], "Right."),
    "list of lists of nd": ([[nd.array([x]).reshape(()) for x in row] for row in RIGHT], None),
    "mixture": ([nd.array(RIGHT[0]), [Fraction(9, 10), "5.3", 6.7]], "Not yet: dU[1, 1] is a str,"),
    "fractions": ([[Fraction(round(10 * x), 10) for x in row] for row in RIGHT], "Right."),
    "row": (RIGHT[0], f"{SHAPE} (3,), expected (2, 3)."),
    "number": (3, "Not yet: dU is one number, expected shape (2, 3)."),
    "transposed": (RIGHT.T, f"{SHAPE} (3, 2), expected (2, 3): it is transposed."),
    "flat": (RIGHT.ravel(), f"{SHAPE} (6,), expected (2, 3): it has the right entries."),
    "axis": (RIGHT[None], f"{SHAPE} (1, 2, 3), expected (2, 3): it has the right entries."),
    "no row": (RIGHT[1:], f"{SHAPE} (1, 3), expected (2, 3)."),
    "a row more": (
        [[0, 0, 0], *RIGHT],
        f"{SHAPE} (3, 3), expected (2, 3): it has an entry too many, number 0.",
    ),
    "large": (np.zeros((3000, 3000)), f"{SHAPE} (3000, 3000), expected (2, 3)."),
    "sign": (-RIGHT, "Not yet: dU has the wrong sign everywhere."),
    "twice": (2 * RIGHT, "Not yet: dU is 2 times what it should be."),
    "half": (RIGHT / 2, "Not yet: dU is 1/2 of what it should be."),
    "sum": (6 * RIGHT, "Not yet: dU is 6 times what it should be, a sum instead of a mean?"),
    "mean": (RIGHT / 3, "Not yet: dU is 1/3 of what it should be, a mean instead of a sum?"),
    "factor": (1.7 * RIGHT, "Not yet: dU is off by the same factor everywhere."),
    "one more": (RIGHT + 1, "Not yet: dU is off by one everywhere."),
    "upside down": (RIGHT[::-1], "Not yet: dU is in reverse order along axis 0."),
    "backwards": (RIGHT[:, ::-1], "Not yet: dU is in reverse order along axis 1."),
    "late": (np.roll(RIGHT, 1, 1), "Not yet: dU is shifted by one along axis 1 (off by one)."),
    "early": (np.roll(RIGHT, -1, 1), "Not yet: dU is shifted by one along axis 1 (off by one)."),
    "order": (
        np.roll(RIGHT, 2).reshape(3, 2).T,
        "Not yet: dU has the right entries in another order.",
    ),
    "float16": (
        RIGHT.astype("float16"),
        "Not yet: dU is close, but not within the tolerance asked for (relative 1e-5).",
    ),
    "entry's sign": (
        with_entry((1, 0), -0.9),
        "Not yet: 5 of the 6 entries of dU are right: the first wrong one, dU[1, 0], has the wrong"
        " sign.",
    ),
    "one right": (
        np.where(RIGHT == 6.7, 6.7, 9),
        "Not yet: 1 of the 6 entries of dU is right: the first wrong one, dU[0, 0], is too high.",
    ),
    "entry": (
        with_entry((1, 2), 7.1),
        "Not yet: 5 of the 6 entries of dU are right: the first wrong one, dU[1, 2], is too high.",
    ),
    "zeros": (
        0 * RIGHT,
        "Not yet: none of the 6 entries of dU are right: the first wrong one, dU[0, 0],"
        " is too low.",
    ),
    "NaN": (with_entry((1, 1), NAN), "Not yet: dU[1, 1] is NaN."),
    "all NaN": (NAN * RIGHT, "Not yet: dU[0, 0] is NaN."),
    "infinity": (with_entry((0, 2), INF), "Not yet: dU[0, 2] is infinite."),
    "1e308": (
        with_entry((0, 2), -1e308),
        "Not yet: dU[0, 2] is beyond 1e100: did something overflow?",
    ),
    "...": ([[1, 2, 3], [..., 2, 3]], "Nothing yet."),
    "complex": (RIGHT * 1j, "Not yet: dU[0, 0] is a complex number, expected a real one."),
    "deque": (collections.deque([1]), f"Not yet: dU is a deque, {NO}."),
}


@pytest.mark.parametrize("row", ARRAYS)
def test_an_array(row):
    answer, expected = ARRAYS[row]
    text = told(dU_right, answer)
    assert text.startswith(expected or "")
    assert text.startswith("Right") or not re.search(r"1\.7|2\.3|3\.1|0\.9|5\.3|6\.7", text)


PATTERNS = {
    "another order of axes": (CUBE, CUBE.transpose(1, 0, 2), "it has its axes in another order"),
    "axes, same shape": (
        CUBE[:2, :2, :2],
        CUBE[:2, :2, :2].swapaxes(1, 2),
        "dU has its axes in another order",
    ),
    "square": (CUBE[0, :3, :3], CUBE[0, :3, :3].T, "dU is transposed"),
    "no h_0": ([1, 4, 9, 16], [4, 9, 16], "expected (4,): it lacks entry 0"),
    "a gap": ([1, 4, 9, 16], [1, 4, 16], "expected (4,): it lacks entry 2"),
    "no end": ([1, 4, 9, 16], [1, 4, 9], "expected (4,): it lacks entry 3"),
    "h_0 too many": ([1, 4, 9], [0, 1, 4, 9], "it has an entry too many, number 0"),
    "end too many": ([1, 4, 9], [1, 4, 9, 16], "it has an entry too many, number 3"),
    "vector in reverse": ([1, 4, 9], [9, 4, 1], "dU is in reverse order"),
    "vector, shifted": ([1, 4, 9], [0, 1, 4], "dU is shifted by one (off by one)"),
    "a constant is not shifted": ([2, 2, 2, 7], [2, 2, 2, 2], "dU[3], is too low"),
    "one live entry gives no factor": ([0, 0, 3], [0, 0, 6], "dU[2], is off by a factor"),
    "one live entry's sign": ([0, 0, 3.5], [0, 0, -3.5], "dU[2], has the wrong sign"),
    "one entry": ([[3.5]], [[7]], "dU is off by a factor"),
    "all too high by one": ([0, 5, 8], [1, 6, 9], "dU is off by one everywhere"),
    "no infinity": ([1, INF], [1, 5], "dU[1], is too low"),
    "no NaN": ([1, NAN], [1, 5], "1 of the 2 entries of dU"),
    "opposite infinities": ([1, -INF], [1, INF], "dU[1], has the wrong sign"),
    "close to zero": ([0, 3], [5e-6, 3], "dU[0], is too high"),
}


@pytest.mark.parametrize("row", PATTERNS)
def test_what_is_the_matter(row):
    expected, answer, text = PATTERNS[row]
    with pytest.raises(Wrong, match=re.escape(text) + "$" * (not row.startswith("no NaN"))):
        close("dU", answer, expected)
    close("dU", np.array(expected), expected)


@pytest.mark.parametrize("tolerance", [1e-9, 1e-6, 0.01])
@pytest.mark.parametrize("right", [0, 0.003, -1, 450])
def test_tolerance(right, tolerance):
    allowed = tolerance * max(1, abs(right))
    close("z", right + 0.99 * allowed, right, tolerance)
    with pytest.raises(Wrong, match=r"^z "):
        close("z", right + 1.01 * allowed, right, tolerance)
    text = f"({'relative ' * (right > 1)}{tolerance:g})".replace("e-0", "e-")
    if right and tolerance < 1e-3:
        with pytest.raises(Wrong, match=re.escape(text)):
            close("z", right * 1.00399, right, tolerance)


class Agreeable(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


EXACT = {
    "text": ("GRU", "GRU", None),
    "other text": ("gru", "GRU", "x is not right"),
    "number for a text": (3, "GRU", "x is an int, expected a str"),
    "text that equals all": (Agreeable("gru"), "GRU", "x is not right"),
    "ANY for a text": (mock.ANY, "GRU", "x is a _ANY, expected a str"),
    "True": (True, True, None),
    "np.True_": (np.array([1]) > 0, [True], None),
    "False": (False, True, "x is not right"),
    "1 for True": (1, True, "x is an int, expected a bool"),
    "set": ({1, 2}, {2, 1}, None),
    "list for a set": ([2, 1.0], {2, 1}, None),
    "array for a set": (np.array([1, 2]), {1, 2}, None),
    "set with more": ({1, 2, 3}, {1, 2}, "x holds what does not belong there (1 of 3)"),
    "set with less": ({1}, {1, 2}, "x is right so far, but 1 are missing"),
    "text for a set": ("12", {1, 2}, "x is a str, expected a set"),
    "tuple": ((4, "a", True), (4, "a", True), None),
    "list for a tuple": ([4.0, "a", True], (4, "a", True), None),
    "array": (np.array([1, 0, 1]), [1, 0, 1], None),
    "nd": (nd.array([1, 0, 1]), [1, 0, 1], None),
    "to an array": ([1, 0, 1], np.array([1, 0, 1]), None),
    "first wrong": ((4, "b", False), (4, "a", True), "x[1] is not right"),
    "length": ((4,), (4, 5), "x has 1 entries, expected 2"),
    "number for a tuple": (4, (4, 5), "x is an int, expected a tuple"),
    "nested": ([[1, 2], [3, 5]], [[1, 2], [3, 4]], "x[1][1] is off by one"),
    "half": (1.5, 1, "x is not a whole number"),
    "large": (2**53 + 1, 2**53 + 1, None),
    "large, off by one": (2**53, 2**53 + 1, "x is off by one"),
    "large in an array": (np.array([2**60 + 1]), 2**60 + 1, None),
}


@pytest.mark.parametrize("row", EXACT)
def test_same(row):
    answer, expected, text = EXACT[row]
    if text is None:
        assert same("x", answer, expected) is None
    else:
        with pytest.raises(Wrong, match=f"^{re.escape(text)}$"):
            same("x", answer, expected)


def test_what_a_check_reads():
    assert number("u", [nd.array([0.5])]) == 0.5
    assert type(number("u", 2)) is float
    for value in (81, 81.0, np.int64(81), Fraction(81), nd.array([81]), [[81]]):
        assert (whole("n", value), type(whole("n", value))) == (81, int)
    W = array("W", [nd.array([1, 2]), (3, Fraction(1, 2))], (2, 2))
    assert (W.dtype, W.tolist()) == ("float64", [[1, 2], [3, 0.5]])
    assert array("bits", [True, False]).tolist() == [1, 0]
    assert array("b", 3, (1,)).shape == (1,)
    for value, text in [([1, NAN], r"W\[1\] is NaN"), ([[INF]], r"W\[0, 0\] is infinite")]:
        with pytest.raises(Wrong, match=text):
            array("W", value)
    with pytest.raises(Wrong, match=re.escape("W has shape (2,), expected (2, 1)")):
        array("W", [1, 2], (2, 1))
    given = np.ones(2)
    array("W", given)[:] = 0
    assert given.all()


# ---- functions


class Skeleton:
    def __init__(self):
        self.state = 0

    def step(self, x):
        """What comes next."""


class Bare:
    """To be written."""


class HalfFinished(Exception):
    def __str__(self):
        raise ValueError


def helper(g):
    return g[5]


def raises(g, theta):
    # The line below is the third.
    return theta / 0


def raises_elsewhere(g, theta):
    return [helper(g)]


def raises_its_own(g, theta):
    raise HalfFinished


def raises_a_base(g, theta):
    raise GeneratorExit


def exits(g, theta):
    sys.exit(1)


def interrupts(g, theta):
    raise KeyboardInterrupt


def recurses(g, theta):
    return recurses(g, theta)


def no_return(g, theta):
    g / 5


def in_place(g, theta):
    g /= 5
    return g


def in_place_second(g, theta):
    theta[0] = 2
    return g / 5


def changes_a_list(g, theta):
    theta.append(1)
    return g / 5


def empty(g, theta):
    """The gradient, at most theta long."""


def dots_alone(g, theta): ...


def dots(g, theta):
    return ...


def dots_later(g, theta):
    norm = sum(g)
    return norm, ...


def for_ever(g, theta):
    while True:
        pass


def prints_for_ever(g, theta):
    while True:
        print("…" * 1000)


def catches_everything(g, theta):
    while True:
        try:
            while True:
                time.sleep(1)
        except BaseException:
            pass


def catches_at_many_places(g, theta):
    for _ in iter(int, 1):
        try:
            try:
                sum(i for i in iter(int, 1))
            except BaseException as error:
                print([error])
            finally:
                g = g + theta
        except BaseException:
            continue


def returns_late(g, theta):
    try:
        time.sleep(10)
    except BaseException:
        return g / 5


def endless_generator(g, theta):
    while True:
        yield 1


def generator(g, theta):
    yield from g / 5


def from_nd(g, theta):
    return nd.array(g) / 5


def asynchronous(g, theta):
    return pending()


def shapes(g, theta):
    return nd.dot(nd.ones((2, 3)), nd.ones((2, 3)))


def varargs(*given):
    return given[0] / 5


def defaults(g, theta=1, *, scale=5):
    return g / scale


def one_argument(g):
    return g / 5


def prints(g, theta):
    print("do not show this")
    print("nor this", file=sys.stderr)
    return g / 5


def asks(g, theta):
    return input()


def closes_stdout(g, theta):
    sys.stdout.close()
    return g / 5


def spawns(g, theta):
    threading.Thread(target=time.sleep, args=(0.01,)).start()
    return g / 5


FUNCTIONS = {
    generator: "Right.",
    from_nd: "Right.",
    varargs: "Right.",
    defaults: "Right.",
    prints: "Right.",
    closes_stdout: "Right.",
    spawns: "Right.",
    (lambda g, theta: g / 5): "Right.",
    (lambda g, theta: (g / 5).tolist()): "Right.",
    (lambda g, theta: map(float, g / 5)): "Right.",
    (lambda g, theta: ...): "Nothing yet.",
    empty: "Nothing yet.",
    dots_alone: "Nothing yet.",
    dots: "Nothing yet.",
    dots_later: "Nothing yet for dots_later.",
    Bare: "Nothing yet.",
    Skeleton: "Nothing yet for clip.step.",
    raises: "Not yet: raises(g, theta) raised ZeroDivisionError: float division by zero"
    " (line 3 of raises).",
    raises_elsewhere: "Not yet: raises_elsewhere(g, theta) raised IndexError: index 5 is out of "
    "bounds for axis 0 with size 2 (line 2 of helper).",
    raises_its_own: "Not yet: raises_its_own(g, theta) raised HalfFinished (line 2 of",
    raises_a_base: "Not yet: raises_a_base(g, theta) raised GeneratorExit",
    exits: "Not yet: exits(g, theta) raised SystemExit: 1 (line 2 of exits).",
    interrupts: "Not yet: interrupts(g, theta) was interrupted.",
    recurses: "Not yet: recurses(g, theta) raised RecursionError: maximum recursion depth exceeded",
    no_return: "Not yet: no_return(g, theta) returned None: is there a return?",
    in_place: "Not yet: in_place(g, theta) changes its argument g in place.",
    for_ever: f"Not yet: for_ever(g, theta) took more than {LIMIT} seconds.",
    prints_for_ever: f"Not yet: prints_for_ever(g, theta) took more than {LIMIT} seconds.",
    catches_everything: f"Not yet: catches_everything(g, theta) took more than {LIMIT} seconds.",
    catches_at_many_places: "Not yet: catches_at_many_places(g, theta) took more than",
    returns_late: "Not yet: returns_late(g, theta) took more than",
    endless_generator: "Not yet: endless_generator(g, theta) took more than",
    asynchronous: "Not yet: asynchronous(g, theta) raised MXNetError: scale parameter in gaussian",
    shapes: "Not yet: shapes(g, theta) raised MXNetError: dot shape error: [2,3] X [2,3] (line 2",
    one_argument: "Not yet: one_argument(g) raised TypeError: one_argument() takes 1 positional",
    asks: "Not yet: asks(g, theta) raised ",
    (lambda g, theta: g[7]): "Not yet: the lambda(g, theta) raised IndexError: index 7 is out of",
    (lambda g, theta: lambda: g): f"Not yet: clip(g, 1) is a function, {NO}.",
    (lambda g, theta: 10**5000): "Not yet: clip(g, 1) holds a number too large for a float.",
    (lambda g, theta: np.zeros((10**7, 10**7))): "Not yet: the lambda(g, theta) raised MemoryError",
    (lambda g, theta: ENDLESS): "Not yet: the lambda(g, theta) raised RecursionError",
    (lambda g, theta: g / 0): "Not yet: clip(g, 1)[0] is infinite.",
    (lambda g, theta: g / 2.5): "Not yet: clip(g, 1) is 2 times what it should be.",
    max: "Not yet: max() raised ValueError: The truth value of an array",
    np.tanh: "Not yet: tanh() raised TypeError: ",
    5: "Not yet: a function is asked for, not an int.",
    None: "Not yet: a function is asked for, not None.",
    "clip": "Not yet: a function is asked for, not a str.",
    Odd: "Nothing yet.",
}


@tutor
def clip_works(clip):
    close("clip(g, 1)", run(clip, np.array([3.0, 4.0]), 1.0, seconds=LIMIT), [0.6, 0.8])


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: getattr(f, "__name__", repr(f)))
def test_a_function(function, capfd):
    handler, out = signal.getsignal(signal.SIGALRM), sys.stdout
    text = told(clip_works, function)
    assert text.startswith(FUNCTIONS[function])
    assert "\n" not in text
    assert signal.getsignal(signal.SIGALRM) == handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert sys.stdout is out
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (in_place_second, [1]),
        (in_place_second, nd.ones(2)),
        (changes_a_list, [1]),
        (lambda g, theta: theta.update(a=2) or 1, {"a": np.ones(1)}),
        (lambda g, theta: theta["a"].fill(2) or 1, {"a": np.ones(1)}),
    ],
)
def test_a_changed_argument(function, argument):
    before = repr(argument)
    with pytest.raises(Wrong, match="changes its argument theta in place"):
        run(function, np.ones(2), argument)
    assert repr(argument) == before


def test_what_a_function_is_given_and_returns():
    """NaN is equal to itself; what is no data goes in as it is; a buffer is returned as a copy."""
    given = [NAN, np.array([NAN]), nd.array([NAN]), {"f": helper, 1: [NAN]}, [mock.ANY], slice(3)]
    assert run(lambda *a: len(a), *given) == 6
    buffer = np.zeros(2)
    first = run(lambda: buffer)
    buffer += 1
    assert not first.any()
    x = nd.ones(2)
    x.attach_grad()
    with autograd.record():
        y = run(lambda x: x * x, x)
    y.backward()
    assert x.grad.asnumpy().tolist() == [2, 2]  # the copies are recorded too


def test_an_alarm_that_was_set_before():
    """… rings after a student's function, and not in it."""
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert run(lambda: time.sleep(0.15) or 1) == 1
        assert not rung
        time.sleep(0.15)
        assert rung == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_outside_the_main_thread():
    texts = []
    thread = threading.Thread(target=lambda: texts.append(graded(clip_works, varargs)))
    thread.start()
    thread.join()
    assert texts == ["Right."]


# ---- the verdict


def test_parts():
    assert told(two_parts, ..., ...) == "Nothing yet."
    assert told(two_parts, ..., 2) == "Nothing yet for dU."
    assert told(two_parts, 1, ...) == "Nothing yet for dW."
    assert told(two_parts, 1, 3) == "Not yet: dW is off by one."
    assert told(two_parts, 1, 2) == "Right."
    assert told(two_parts, 1).startswith("Not yet: the check stopped with TypeError: missing a req")


@tutor
def two_sizes(f):
    for K in (2, 3):
        with case(f"for K = {K}"):
            close("f(K)", run(f, K), [K] * K)


CASES = {
    "right": (lambda K: [K] * K, "Right."),
    "first": (lambda K: [K + 1] * K, "Not yet: for K = 2, f(K) is off by one everywhere."),
    "second": (lambda K: [2] * K, "Not yet: for K = 3, f(K) is off by one everywhere."),
    "raises": (
        lambda K: K[0],
        "Not yet: for K = 2, the lambda(K) raised TypeError: 'int' object is not subscriptable.",
    ),
    "dots": (lambda K: [...] * K, "Nothing yet for the lambda."),
}


@pytest.mark.parametrize("row", CASES)
def test_case(row):
    function, text = CASES[row]
    assert told(two_sizes, function) == text


def check_that(outcome):
    @tutor
    def check(x):
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return check


VERDICTS = {
    "none": (None, "Right."),
    "remark": ("all 256 sums", "Right: all 256 sums."),
    "question": (Wrong("what is θ/‖g‖ there?"), "Not yet: what is θ/‖g‖ there?"),
    "error": (ValueError("no\nsuch thing"), "Not yet: the check stopped with ValueError: no."),
    "silent": (AssertionError(), "Not yet: the check stopped with AssertionError."),
    "exit": (SystemExit(), "Not yet: the check stopped with SystemExit."),
    "long": (KeyError("x" * 999), "Not yet: the check stopped with KeyError: '" + "x" * 199 + "."),
    "half": (HalfFinished(), "Not yet: the check stopped with HalfFinished."),
}


@pytest.mark.parametrize("row", VERDICTS)
def test_verdict(row):
    outcome, text = VERDICTS[row]
    check = check_that(outcome)
    assert told(check, 1) == text
    assert graded(check, 1) == ("Right." if text.startswith("Right") else text)


def test_a_networks_error_is_one_sentence():
    @tutor
    def check(W):
        nd.dot(nd.ones((1, 2)), nd.array(W)).asnumpy()

    text = told(check, [[1.0], [2.0], [3.0]])
    assert text == "Not yet: the check stopped with MXNetError: dot shape error: [1,2] X [3,1]."


def test_ctrl_c_is_let_through():
    with pytest.raises(KeyboardInterrupt):
        check_that(KeyboardInterrupt())(1)


def test_a_check_works_on_copies():
    @tutor
    def check(a, b, c, d):
        a[:] = 0
        b[0][:] = 0
        c["W"].append(1)
        d.clear()

    given = [np.ones(2), (nd.ones(2),), {"W": [1]}, [1, 2]]
    before = repr(given)
    assert told(check, *given) == "Right."
    assert repr(given) == before


def test_nothing_of_the_kernel_is_needed_or_changed():
    before = np.geterr()
    try:
        np.seterr(all="raise")
        assert told(z_81, 1e308) == "Not yet: z is beyond 1e100: did something overflow?"
        assert told(dU_right, 0 * RIGHT).startswith("Not yet: none of the 6")
        assert told(clip_works, lambda g, theta: np.float64(1) / 0 * g) != ""
        assert set(np.geterr().values()) == {"raise"}
    finally:
        np.seterr(**before)


def test_fresh_numbers():
    a, b = fresh("by_hand", 3).rand(3), fresh("by_hand", 3).rand(3)
    assert a.tolist() == b.tolist() != fresh("by_hand", 4).rand(3).tolist()


def test_it_looks_like_the_check():
    assert (z_81.__name__, z_81.__doc__) == ("z_81", "Three to the fourth.")
    for name in answers.__all__:
        assert getattr(answers, name).__doc__, name


def test_mxnet_is_not_loaded():
    code = "import answers, sys; sys.exit('mxnet' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=BOOK).returncode == 0


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.fractions()
    | st.decimals()
    | st.text(max_size=3)
    | st.binary(max_size=3)
    | st.dates()
    | st.sampled_from([..., mock.ANY, helper, Odd, Odd(), np.float16(2), np.ma.masked, nd.ones(2)])
    | st.builds(np.zeros, st.lists(st.integers(0, 2), max_size=3), st.sampled_from("?ifcOSUM")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers(), inner, max_size=2)
        | st.builds(lambda x: np.array([x, None], dtype=object)[:1], inner)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ANYTHING)
def test_anything_at_all(answer):
    """One line, never "Right", and never the right value."""
    exact = tutor(lambda x: same("x", x, [739, "GRU", {5, 739}]))
    near = tutor(lambda x: close("x", x, [[0.739, 739.5], [-73.9, 7.39e-3]]))
    single = tutor(lambda x: close("x", x, 0.739))
    function = tutor(lambda x: close("f(x)", run(lambda: x), 0.739))
    for check in (exact, near, single, function):
        text = told(check, answer)
        assert re.fullmatch("(Not yet: .*|Nothing yet( for .*)?)[.?]", text), text
        assert "739" not in text
