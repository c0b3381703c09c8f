"""One gradient, five ways: by hand, BPTT, RTRL, autograd, central differences."""

from itertools import count, islice, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mxnet import autograd, nd
from table import assert_same

from gluon_rnn import ElmanCell
from gluon_rnn.gradients import ACTIVATIONS, Cost, Parameters, bptt, deltas, forward, rtrl

ACTIVATION = st.sampled_from(sorted(ACTIVATIONS))
SIZE = st.integers(1, 6)
every_activation = pytest.mark.parametrize("f", ACTIVATIONS)

# Document 001's example, and what it leaves out: the gradient of ½ Σ‖y‖², computed by hand.
HAND = Parameters(
    U=np.array([[-1.0, 0], [2, 1]]),
    W=np.array([[1.0, 2, 3], [4, 5, 6]]),
    b=np.array([-2.0, 2]),
    V=np.array([[1.0, 0], [2, -1], [3, 1]]),
    h0=np.array([1.0, 2]),
)
HAND_X = np.eye(3)[:2]
HAND_GRADIENT = Parameters(
    U=[[0, 0], [54, 448]],
    W=[[0, 0, 0], [54, 34, 0]],
    b=[0, 88],
    V=[[0, 0], [0, -389], [0, 389]],
    h0=[108, 54],
)


def half_square(t, y):
    return y


def network(f, H=4, C=3, Q=2, T=6, seed=0):
    """Random parameters, inputs, and the gradient of L_t = ½‖y_t - target_t‖²."""
    draw = np.random.RandomState(seed)
    shapes = ((H, H), (H, C), (H,), (Q, H), (H,))
    p = Parameters(*(draw.normal(0, 0.5, shape) for shape in shapes))
    targets = draw.normal(2, 1, (T, Q))
    return p, draw.normal(size=(T, C)), lambda t, y: y - targets[t], targets


def same(received, expected, tolerance):
    """Equal relative to the whole gradient's largest number, which must not be small."""
    expected = {name: np.asarray(d) for name, d in expected._asdict().items()}
    largest = max(np.abs(d).max() for d in expected.values())
    assert largest > 1e-3, f"a gradient of at most {largest} compares nothing"
    scaled = [{n: np.asarray(d) / largest for n, d in g.items()} for g in (received, expected)]
    assert_same(*scaled, tolerance)


def central_differences(p, x, loss, f, step=1e-5):
    """The gradient of loss(y) by moving each parameter a little either way."""
    moved = {name: np.zeros(a.shape) for name, a in p._asdict().items()}
    for name, a in p._asdict().items():
        for where in np.ndindex(a.shape):
            up, down = a.copy(), a.copy()
            up[where] += step
            down[where] -= step
            ends = [loss(forward(p._replace(**{name: v}), x, f)[2]) for v in (up, down)]
            moved[name][where] = (ends[0] - ends[1]) / (2 * step)
    return moved


def by_autograd(p, x, loss, f):
    """The gradient of loss(y) through the Gluon cell."""
    cell = ElmanCell(len(p.U), f, input_size=x.shape[1])
    cell.initialize()
    cell.cast("float64")
    values = {"h2h_weight": p.U, "i2h_weight": p.W, "i2h_bias": p.b}
    for name, value in values.items():
        cell._reg_params[name].set_data(nd.array(value, dtype="float64"))
    V, h0 = nd.array(p.V, dtype="float64"), nd.array(p.h0[None], dtype="float64")
    V.attach_grad()
    h0.attach_grad()
    with autograd.record():
        states, ys = [h0], []
        for x_t in nd.array(x, dtype="float64"):
            h, states = cell(x_t.expand_dims(0), states)
            ys.append(nd.dot(h, V, transpose_b=True))
        value = loss(nd.concat(*ys, dim=0))
    value.backward()
    U, W, b = (cell._reg_params[name].grad().asnumpy() for name in values)
    return {"U": U, "W": W, "b": b, "V": V.grad.asnumpy(), "h0": h0.grad.asnumpy()[0]}


def last(steps):
    return list(steps)[-1]


# --- the numbers of document 001


def test_the_hand_example_forward():
    z, h, y = forward(HAND, HAND_X, "relu")
    assert z.tolist() == [[-2, 10], [0, 17]]
    assert h.tolist() == [[1, 2], [0, 10], [0, 17]]
    assert y.tolist() == [[0, -10, 10], [0, -17, 17]]
    assert (y**2).sum() / 2 == 389


def test_the_hand_example_backward_five_ways():
    expected = {name: np.array(d) for name, d in HAND_GRADIENT._asdict().items()}
    exact = {
        "BPTT": bptt(HAND, HAND_X, half_square, "relu")._asdict(),
        "RTRL": last(rtrl(HAND, HAND_X, half_square, "relu")).total._asdict(),
        "autograd": by_autograd(HAND, HAND_X, lambda y: (y**2).sum() / 2, "relu"),
    }
    for received in exact.values():
        assert_same(received, expected, 0)
    # z_2 has a 0 on ReLU's kink; off it by half, the gradient is the same, and differences see it
    off = HAND._replace(b=np.array([-2.5, 2]))
    moved = central_differences(off, HAND_X, lambda y: (y**2).sum() / 2, "relu")
    same(moved, HAND_GRADIENT, 1e-9)
    assert_same(bptt(off, HAND_X, half_square, "relu")._asdict(), expected, 0)


def test_on_the_kink_central_differences_say_half():
    moved = central_differences(HAND, HAND_X, lambda y: (y**2).sum() / 2, "relu")
    assert round(moved["U"][0, 1]) == 85  # (0 + 17 · 10) / 2, where relu'(0) = 0 gives 0


# --- the five ways on random networks


@given(f=ACTIVATION, H=SIZE, C=SIZE, Q=SIZE, T=st.integers(1, 12), seed=st.integers(0, 10**6))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_bptt_is_rtrl_at_every_prefix(f, H, C, Q, T, seed):
    p, x, loss_gradient, _ = network(f, H, C, Q, T, seed)
    assume((forward(p, x, f)[1][1:] != 0).any(axis=1).all())  # a dead ReLU has no gradient
    before = Parameters(*(0 * a for a in p))
    for t, step in enumerate(rtrl(p, x, loss_gradient, f)):
        full = bptt(p, x[: t + 1], loss_gradient, f)
        same(step.total._asdict(), full, 1e-12)
        change = {n: step.now._asdict()[n] + b for n, b in before._asdict().items()}
        same(change, full, 1e-12)
        before = full


@given(f=ACTIVATION, H=SIZE, T=st.integers(1, 8), seed=st.integers(0, 10**6))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_bptt_is_autograd_and_central_differences(f, H, T, seed):
    p, x, loss_gradient, targets = network(f, H, T=T, seed=seed)
    z = forward(p, x, f)[0]
    assume(f != "relu" or (np.abs(z).min() > 1e-3 and (z > 0).any(axis=1).all()))  # off its kink
    full = bptt(p, x, loss_gradient, f)
    moved = central_differences(p, x, lambda y: ((y - targets) ** 2).sum() / 2, f)
    same(moved, full, 1e-7)
    want = nd.array(targets, dtype="float64")
    same(by_autograd(p, x, lambda y: ((y - want) ** 2).sum() / 2, f), full, 1e-12)


@every_activation
def test_the_slope_is_the_derivative(f):
    value, slope = ACTIVATIONS[f]
    z = np.array([-3.0, -1.1, -0.2, 0.3, 1.7, 4.0])
    moved = (value(z + 1e-6) - value(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope(z), moved, atol=1e-9)


@every_activation
def test_deltas_are_the_gradients_of_each_loss(f):
    """δ_{t,k} + … + δ_{t,t} is ∂L_t/∂b of a network that starts in h_{k-1}."""
    p, x, loss_gradient, targets = network(f)
    δ, (_, h, _) = deltas(p, x, loss_gradient, f), forward(p, x, f)
    assert np.abs(np.triu(δ.sum(axis=-1), 1)).max() == 0  # no loss reaches a later step
    for t, k in zip(*np.tril_indices(len(x)), strict=True):
        late = bptt(p._replace(h0=h[k]), x[k : t + 1], at(t - k, targets[t]), f)
        np.testing.assert_allclose(δ[t, k:].sum(axis=0), late.b, rtol=1e-12, atol=1e-12)
        assert np.abs(δ[t, k]).max() > 1e-6


def at(step, target):
    """The gradient of one L_t alone."""
    return lambda t, y: (y - target) * (t == step)


@every_activation
def test_the_gradient_is_a_sum_over_steps(f):
    p, x, loss_gradient, targets = network(f)
    each = [bptt(p, x, at(t, targets[t]), f) for t in range(len(x))]
    summed = {name: sum(getattr(d, name) for d in each) for name in p._fields}
    same(summed, bptt(p, x, loss_gradient, f), 1e-13)


def test_an_array_is_as_good_as_a_function():
    p, x, loss_gradient, targets = network("tanh")
    g = forward(p, x)[2] - targets
    assert_same(bptt(p, x, g)._asdict(), bptt(p, x, loss_gradient)._asdict(), 0)
    assert_same(
        last(rtrl(p, x, g)).total._asdict(), last(rtrl(p, x, loss_gradient)).total._asdict(), 0
    )


def test_the_sensitivity_is_a_jacobian():
    p, x, loss_gradient, _ = network("tanh")
    received = last(rtrl(p, x, loss_gradient)).sensitivity
    for name, expected in received.items():
        for unit in range(len(p.U)):
            moved = central_differences(
                p._replace(V=np.eye(len(p.U))), x, lambda y, i=unit: y[-1, i], "tanh"
            )
            np.testing.assert_allclose(expected[unit], moved[name], rtol=0, atol=1e-9)
            assert np.abs(expected[unit]).max() > 1e-5


# --- truncation


@every_activation
def test_a_window_of_all_steps_is_the_whole_gradient(f):
    p, x, loss_gradient, _ = network(f)
    full = bptt(p, x, loss_gradient, f)
    same(bptt(p, x, loss_gradient, f, window=len(x))._asdict(), full, 1e-13)
    same(bptt(p, x, loss_gradient, f, window=len(x) + 5)._asdict(), full, 1e-13)
    for K in range(1, len(x)):
        error = np.abs(bptt(p, x, loss_gradient, f, window=K).U - full.U).max()
        assert error > 1e-6 * np.abs(full.U).max(), f"window {K} of {len(x)} loses nothing"


def test_a_window_keeps_the_deltas_within_it():
    p, x, loss_gradient, _ = network("tanh")
    δ, (_, h, _) = deltas(p, x, loss_gradient), forward(p, x)
    t, k = np.indices(δ.shape[:2])
    for K in range(1, len(x) + 1):
        kept = δ * (t - k < K)[..., None]
        expected = np.einsum("tki,kj->ij", kept, h[:-1])
        np.testing.assert_allclose(bptt(p, x, loss_gradient, window=K).U, expected, rtol=1e-12)


def test_a_cut_starts_afresh_from_the_same_state():
    p, x, loss_gradient, targets = network("tanh")
    cut = bptt(p, x, loss_gradient, xi=np.array([1, 1, 0, 1, 0, 1.0]))  # before steps 2 and 4
    h, expected = forward(p, x)[1], dict.fromkeys(p._fields, 0)
    for a, b in ((0, 2), (2, 4), (4, 6)):
        part = bptt(p._replace(h0=h[a]), x[a:b], lambda t, y, a=a: y - targets[a + t])
        for name in p._fields:
            expected[name] = expected[name] + getattr(part, name) * (name != "h0" or a == 0)
    assert_same(cut._asdict(), expected, 1e-13)


def test_random_cuts_are_right_in_the_mean():
    """Every pattern of cuts with its probability: the expectation itself, not a sample of it."""
    p, x, loss_gradient, _ = network("tanh", T=5)
    keep, mean = 0.6, dict.fromkeys(p._fields, 0)
    for pattern in product((0, 1), repeat=len(x)):
        probability = np.prod([keep if passed else 1 - keep for passed in pattern])
        d = bptt(p, x, loss_gradient, xi=np.array(pattern) / keep)
        mean = {name: mean[name] + probability * getattr(d, name) for name in p._fields}
    same(mean, bptt(p, x, loss_gradient), 1e-13)


# --- cost, counted


def cost(method, T, H, C=1, Q=1):
    p, x, loss_gradient, _ = network("tanh", H, C, Q, T)
    counted = Cost()
    if method is bptt:
        bptt(p, x, loss_gradient, cost=counted)
    else:
        last(rtrl(p, x, loss_gradient, cost=counted))
    return counted


def test_products_are_counted():
    counted = Cost()
    counted.dot(np.ones((3, 4)), np.ones((4, 5)))
    counted.dot(np.ones((3, 4)), np.ones(4))
    counted.hold(np.ones(7), np.ones((2, 3)))
    counted.hold(np.ones(4))
    assert (counted.operations, counted.memory) == (60 + 12, 13)
    # T = 1, H = 2, C = Q = 1: Uh, Wx, Vh; then Vᵀg, Uᵀδ, δhᵀ, δxᵀ, ghᵀ
    assert cost(bptt, 1, 2).operations == (4 + 2 + 2) + (2 + 4 + 4 + 2 + 2)
    # the same forward; U S (2 by 2 by 2 × 4), U J, Vᵀg, ghᵀ, eᵀS, eᵀJ
    assert cost(rtrl, 1, 2).operations == (4 + 2 + 2) + (32 + 8 + 2 + 2 + 16 + 4)


@pytest.mark.parametrize("method", [bptt, rtrl])
def test_operations_grow_with_length(method):
    assert cost(method, 20, 5).operations == 2 * cost(method, 10, 5).operations


def test_memory_grows_with_length_in_bptt_only():
    assert cost(rtrl, 40, 5).memory == cost(rtrl, 10, 5).memory
    first, second, third = (cost(bptt, T, 5).memory for T in (10, 20, 40))
    assert third - second == 2 * (second - first) > 0


def exponent(counted, H=64):
    """How often the count doubles when H does."""
    return np.log2(counted(2 * H) / counted(H))


def test_growth_with_width():
    assert exponent(lambda H: cost(bptt, 2, H).operations) == pytest.approx(2, abs=0.1)
    assert exponent(lambda H: cost(rtrl, 2, H, C=2).operations, 24) == pytest.approx(4, abs=0.2)
    assert exponent(lambda H: cost(rtrl, 1, H).memory) == pytest.approx(3, abs=0.1)
    per_step = [cost(bptt, 9, H).memory - cost(bptt, 8, H).memory for H in (64, 128)]
    assert np.log2(per_step[1] / per_step[0]) == pytest.approx(1, abs=0.1)


# --- online


def test_rtrl_takes_an_endless_stream_and_reads_parameters_anew():
    p, _, _, _ = network("tanh", C=1)
    stream = (np.array([np.sin(t)]) for t in count())
    first, second = islice(rtrl(p, stream, half_square), 2)
    p.V[:] = 0
    changed = islice(rtrl(p, (np.array([np.sin(t)]) for t in count()), half_square), 2)
    assert np.abs(second.y).max() > 1e-3
    assert np.abs(next(changed).y).max() == 0
    p.V[:] = 1
    assert np.abs(next(changed).y).max() > 1e-3
    assert first.total.U is not second.total.U


def test_rtrl_in_float32_learns_online_too():
    """Its own float64 copy must not hide what is written between steps."""
    p, _, _, _ = network("tanh", C=1)
    ends = []
    for dtype in ("float64", "float32"):
        q = Parameters(*(a.astype(dtype) for a in p))
        for step in islice(rtrl(q, (np.array([np.sin(t)]) for t in count()), half_square), 30):
            for a, g in zip(q, step.now, strict=True):
                a -= (0.1 * g).astype(dtype)
        ends.append(q)
    assert np.abs(ends[0].U - p.U).max() > 1e-3
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


# --- bad input


BAD = {
    "U": (lambda p, x, g: (p._replace(U=p.U[:, :2]), x, g), r"U: expected shape \(4, 4\)"),
    "U empty": (lambda p, x, g: (p._replace(U=np.ones((0, 0))), x, g), "U: "),
    "U flat": (lambda p, x, g: (p._replace(U=p.b), x, g), r"U: expected shape \(4, 4\)"),
    "W": (lambda p, x, g: (p._replace(W=p.W.T), x, g), r"W: expected shape \(4, 4\), received"),
    "b": (lambda p, x, g: (p._replace(b=p.b[None]), x, g), r"b: expected shape \(4,\), received"),
    "V": (lambda p, x, g: (p._replace(V=p.V.T), x, g), r"V: expected shape \(4, 4\), received"),
    "h0": (lambda p, x, g: (p._replace(h0=p.h0[:3]), x, g), r"h0: expected shape \(4,\)"),
    "x": (lambda p, x, g: (p, x[:, :2], g), r"x: expected shape \(T, 3\)"),
    "loss": (lambda p, x, g: (p, x, lambda t, y: 1.0), r"loss_gradient at t = \d: expected shape"),
    "loss rows": (lambda p, x, g: (p, x, np.ones((4, 2))), "loss_gradient"),
    "loss columns": (lambda p, x, g: (p, x, np.ones((6, 3))), r"loss_gradient at t = \d"),
}


@pytest.mark.parametrize("method", [bptt, deltas, lambda *a: last(rtrl(*a))])
@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_named(case, method):
    alter, message = BAD[case]
    p, x, loss_gradient, _ = network("tanh")
    with pytest.raises(ValueError, match=message):
        method(*alter(p, x, loss_gradient))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": "softplus"}, ValueError, "f: expected one of"),
        ({"window": 0}, ValueError, "window: expected at least 1"),
        ({"window": 1.5}, TypeError, "window: expected a whole number"),
        ({"xi": np.ones(5)}, ValueError, r"xi: expected shape \(6,\), received \(5,\)"),
        ({"loss_gradient": np.ones((7, 2))}, ValueError, "loss_gradient: expected 6 rows"),
        ({"x": np.ones((0, 3))}, ValueError, "x: expected shape"),
        ({"p": "parameters"}, TypeError, "p: expected a Parameters"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    p, x, loss_gradient, _ = network("tanh")
    with pytest.raises(error, match=message):
        bptt(**({"p": p, "x": x, "loss_gradient": loss_gradient} | arguments))


def test_a_failure_says_which_number_differs():
    p, x, loss_gradient, _ = network("tanh")
    full = bptt(p, x, loss_gradient)
    wrong = {name: d.copy() for name, d in full._asdict().items()}
    wrong["W"][2, 1] += 1
    with pytest.raises(AssertionError, match=r"W\[2, 1\]: received .+, expected .+"):
        same(wrong, full, 1e-12)
