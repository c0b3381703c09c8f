"""Training: the clip, the cut between batches, repeatability, and a loss that breaks."""

import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd

from gluon_rnn import (
    RNN,
    Classifier,
    ElmanCell,
    Labeller,
    LanguageModel,
    TokenBatches,
    accuracy,
    clip_global_norm,
    fit,
    perplexity,
)

TOKENS = np.tile([0, 1, 2, 1, 0, 3], 60)


def language_model(seed=0, dropout=0.0):
    mx.random.seed(seed)
    model = LanguageModel(4, RNN(ElmanCell(12)), 6, dropout)
    model.initialize(mx.init.Xavier())
    return model


def parameters(model):
    return [p.data().asnumpy().copy() for p in model.collect_params().values()]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
def test_the_clip_shortens_and_keeps_the_direction(scale):
    draw = np.random.RandomState(0)
    before = [draw.normal(size=s).astype("float32") * scale for s in ((3, 4), (5,))]
    gradients = [nd.array(g) for g in before]
    norm = clip_global_norm(gradients, 2.0).asscalar()
    flat, after = (
        np.concatenate([np.ravel(g) for g in gs])
        for gs in (before, [g.asnumpy() for g in gradients])
    )
    assert norm == pytest.approx(np.linalg.norm(flat), rel=1e-5)
    assert np.linalg.norm(after) == pytest.approx(min(2.0, norm), rel=1e-5)
    assert after @ flat == pytest.approx(np.linalg.norm(after) * np.linalg.norm(flat), rel=1e-5)


def test_a_gradient_of_zeros_stays_one():
    g = nd.zeros((2, 3))
    assert clip_global_norm([g], 1.0).asscalar() == 0
    assert np.array_equal(g.asnumpy(), np.zeros((2, 3)))


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_the_clip_wants_a_limit(limit):
    with pytest.raises(ValueError, match="limit: expected a positive number"):
        clip_global_norm([nd.ones(2)], limit)


def test_training_learns_and_repeats():
    batches = TokenBatches(TOKENS, 4, 10)
    runs = []
    for _ in range(2):
        model = language_model(dropout=0.1)
        before = perplexity(model, batches)
        history = fit(model, batches, 60, learning_rate=1e-2, carry_state=True, seed=3)
        runs.append((history, parameters(model), perplexity(model, batches)))
    (first, weights, after), (second, again, _) = runs
    assert after < 1.4 < 3 < before
    assert len(first.loss) == len(first.gradient_norm) == 60
    assert first == second
    assert all(np.array_equal(a, b) for a, b in zip(weights, again, strict=True))


def test_a_step_is_the_clipped_gradient_times_the_rate():
    batches, model = TokenBatches(TOKENS, 4, 10), language_model()
    (x, y), *_ = batches
    model(x)
    before = parameters(model)
    with autograd.record():
        loss = gluon.loss.SoftmaxCrossEntropyLoss()(model(x)[0], y).mean()
    loss.backward()
    gradient = [p.grad().asnumpy().copy() for p in model.collect_params().values()]
    norm = math.sqrt(sum((g**2).sum() for g in gradient))
    history = fit(
        model, batches, 1, optimizer="sgd", learning_rate=0.5, clip=norm / 2, carry_state=True
    )
    assert history.gradient_norm == pytest.approx([norm], rel=1e-5)
    assert history.loss == pytest.approx([loss.asscalar()], rel=1e-6)
    for a, b, g in zip(parameters(model), before, gradient, strict=True):
        assert a == pytest.approx(b - 0.5 * g / 2, abs=1e-6)


class Watched(gluon.Block):
    """A model that adds up its inputs, and notes which states it was given."""

    def __init__(self):
        super().__init__()
        self.scale = self.params.get("scale", shape=(1,), init="ones")
        self.given = []

    def forward(self, x, states=None):
        self.given.append(states)
        state = x if states is None else states[0] + x
        return state * self.scale.data(), [state * self.scale.data()]


def test_states_are_carried_cut_and_reset():
    batches = [(nd.array([[k]]), nd.zeros((1, 1))) for k in (1.0, 2.0, 3.0)]
    model = Watched()
    model.initialize()
    rate = 0.0
    fit(
        model,
        batches,
        7,
        lambda o, y: o,
        optimizer="sgd",
        learning_rate=rate,
        clip=None,
        carry_state=True,
    )
    given = [None if s is None else s[0].asscalar() for s in model.given]
    assert given == [None, 1, 3, None, 1, 3, None]  # sums so far, from zero in each pass
    with pytest.raises(mx.MXNetError, match="not in a computational graph"):
        model.given[1][0].backward()  # cut: it has no past


def test_a_carried_state_brings_no_gradient_from_the_batch_before():
    """Two batches in one pass: the second step's gradient is that of its own batch alone."""
    model = Watched()
    model.initialize()
    batches = [(nd.array([[2.0]]), nd.zeros((1, 1))), (nd.array([[5.0]]), nd.zeros((1, 1)))]
    history = fit(
        model,
        batches,
        2,
        lambda o, y: o,
        optimizer="sgd",
        learning_rate=0.0,
        clip=None,
        carry_state=True,
    )
    assert history.gradient_norm == [
        2.0,
        7.0,
    ]  # d(s·(2 + 5))/ds = 7; through the first batch it would be 9


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_loss_that_breaks_stops_before_it_harms(poison):
    mx.random.seed(0)
    model = Labeller(RNN(ElmanCell(4)), 3)
    model.initialize(mx.init.Xavier())
    good = (nd.ones((2, 3, 2)), nd.zeros((2, 3)))
    bad = (nd.ones((2, 3, 2)) * poison, nd.zeros((2, 3)))
    fit(model, [good], 2)
    before = parameters(model)
    with pytest.raises(
        FloatingPointError, match="loss at step 0: expected a finite number"
    ) as caught:
        fit(model, [bad], 5)
    assert "gradient norm" in str(caught.value)
    assert all(np.array_equal(a, b) for a, b in zip(parameters(model), before, strict=True))


@pytest.mark.parametrize("batches", [[], iter([(nd.ones((1, 2, 2)), nd.zeros((1, 2)))])])
def test_batches_that_run_dry(batches):
    model = Labeller(RNN(ElmanCell(4)), 3)
    model.initialize()
    with pytest.raises(ValueError, match="batches: expected at least one in every pass"):
        fit(model, batches, 3)


def test_steps_are_whole():
    for steps, error in ((0, ValueError), (2.5, TypeError)):
        with pytest.raises(error, match="steps: expected"):
            fit(language_model(), [], steps)


class Constant(gluon.Block):
    """A language model that gives every step the same probabilities."""

    def __init__(self, p):
        super().__init__()
        self.logits = nd.log(nd.array(p))

    def forward(self, tokens, states=None):
        N, T = tokens.shape
        return nd.broadcast_to(self.logits.reshape((1, 1, -1)), (N, T, len(self.logits))), []


def test_perplexity_of_a_blind_a_perfect_and_a_hopeless_guess():
    batches = [(nd.zeros((1, 4)), nd.zeros((1, 4)))]
    assert perplexity(Constant([0.25] * 4), batches) == pytest.approx(4, rel=1e-5)
    assert perplexity(Constant([1.0, 1e-30]), batches) == pytest.approx(1, rel=1e-5)
    assert perplexity(Constant([1e-30, 1.0]), batches) > 1e29


def test_perplexity_is_the_geometric_mean_and_weighs_tokens():
    """p = 1/2 and 1/8: 4, not the harmonic mean 3.2 nor the arithmetic 5; batches of any size."""
    model = Constant([0.5, 0.125, 0.375])
    batches = [(nd.zeros((1, 2)), nd.array([[0, 1]]))]
    assert perplexity(model, batches) == pytest.approx(4, rel=1e-5)
    uneven = [(nd.zeros((1, 3)), nd.array([[0, 0, 0]])), (nd.zeros((1, 1)), nd.array([[1]]))]
    assert perplexity(model, uneven) == pytest.approx(2 ** (3 / 4) * 8 ** (1 / 4), rel=1e-5)


def test_accuracy_counts_labels():
    model = Constant([0.3, 0.7])
    model.forward = lambda tokens: Constant.forward(model, tokens)[0]
    batches = [(nd.zeros((1, 3)), nd.array([[1, 1, 0]])), (nd.zeros((1, 1)), nd.array([[1]]))]
    assert accuracy(model, batches) == 0.75


@pytest.mark.parametrize("measure", [perplexity, accuracy])
def test_nothing_to_measure(measure):
    with pytest.raises(ValueError, match="batches: expected at least one, received none"):
        measure(language_model(), [])


# Bad input ------------------------------------------------------------------------------------

ROWS = nd.ones((4, 5, 2))


def classifier():
    model = Classifier(RNN(ElmanCell(3)), 2)
    model.initialize()
    return model


@pytest.mark.parametrize("measure", [accuracy, lambda m, b: fit(m, b, 1)])
@pytest.mark.parametrize("shape", [(4, 1), (1, 4), (3,), (4, 2), ()])
def test_labels_of_another_shape_than_the_outputs(measure, shape):
    with pytest.raises(ValueError, match=r"labels: expected shape \(4,\), received"):
        measure(classifier(), [(ROWS, nd.zeros(shape or (1,)))])


def test_labels_of_another_shape_than_the_tokens():
    batch = (nd.zeros((2, 3)), nd.zeros((2, 3, 1)))
    with pytest.raises(ValueError, match=r"labels: expected shape \(2, 3\), received \(2, 3, 1\)"):
        perplexity(language_model(), [batch])


def test_a_loss_of_values_takes_labels_as_large_as_the_output():
    history = fit(classifier(), [(ROWS, nd.ones((4, 2)))], 2, gluon.loss.L2Loss())
    assert history.loss[1] < history.loss[0]
    with pytest.raises(ValueError, match=r"labels: expected shape \(4,\) or shape \(4, 2\)"):
        fit(classifier(), [(ROWS, nd.ones((4, 3)))], 1, gluon.loss.L2Loss())


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"clip": 0}, "clip: expected a positive number or None, received 0"),
        ({"clip": -1.0}, "clip: expected a positive number or None, received -1.0"),
        ({"clip": math.nan}, "clip: expected a positive number or None, received nan"),
        (
            {"optimizer": mx.optimizer.SGD(), "learning_rate": 0.1},
            "learning_rate: expected None beside an optimizer that has its own, received 0.1",
        ),
        ({"steps": 0}, "steps: expected at least 1, received 0"),
    ],
)
def test_what_fit_refuses(faults, message):
    arguments = {"steps": 1} | faults
    with pytest.raises(ValueError, match=message):
        fit(classifier(), [(ROWS, nd.zeros(4))], **arguments)


def test_a_loss_of_ones_own_takes_what_the_model_gives():
    layer = RNN(ElmanCell(3))
    layer.initialize()
    own = lambda output, y: (output[0] ** 2).sum() + (output[1][0] - y.reshape((1, 1))).sum() ** 2  # noqa: E731
    losses = fit(layer, [(ROWS, nd.ones(1))], 3, own, learning_rate=0.1).loss
    assert losses[2] < losses[0]


def test_a_language_model_wants_its_state_carried():
    batches = TokenBatches(TOKENS, 4, 10)
    with pytest.raises(ValueError, match=r"model: expected one array .* received 2 values"):
        fit(language_model(), batches, 1)
    with pytest.raises(ValueError, match="model: expected one array of outputs"):
        accuracy(language_model(), batches)


@pytest.mark.parametrize("clip", [None, 1.0])
def test_gradients_that_add_up_are_a_steps_own(clip):
    results = []
    for grad_req in ("write", "add"):
        mx.random.seed(1)
        model = classifier()
        model(ROWS)
        model.collect_params().setattr("grad_req", grad_req)
        fit(model, [(ROWS, nd.array([0, 1, 1, 0]))], 4, learning_rate=0.1, clip=clip)
        results.append(parameters(model))
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


def test_a_rate_is_a_thousandth_unless_said():
    ends = []
    for rate in (None, 1e-3):
        mx.random.seed(1)
        model = classifier()
        fit(model, [(ROWS, nd.zeros(4))], 3, learning_rate=rate)
        ends.append(parameters(model))
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))


def test_a_loss_that_is_not_finite_stops_even_where_its_gradient_is():
    calls = []

    def loss(output, labels):
        calls.append(0)
        return (output * 0).sum() + (np.inf if len(calls) > 2 else 1.0)

    model = classifier()
    with pytest.raises(FloatingPointError, match="loss at step 2: expected a finite number"):
        fit(model, [(ROWS, nd.zeros(4))], 5, loss)


def test_the_seed_of_dropout_repeats_a_run_whatever_came_before():
    ends = []
    for drawn in (1, 7):
        model = language_model(dropout=0.5)
        mx.nd.random.normal(shape=(drawn,)).wait_to_read()
        fit(model, TokenBatches(TOKENS, 4, 10), 3, carry_state=True, seed=3)
        ends.append(parameters(model))
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))


def test_a_frozen_parameter_stays_while_the_others_learn():
    model = classifier()
    model(ROWS)
    model.layer.cell.h2h_weight.grad_req = "null"
    before = parameters(model)
    fit(model, [(ROWS, nd.array([0, 1, 1, 0]))], 3, learning_rate=0.1)
    moved = [not np.array_equal(a, b) for a, b in zip(before, parameters(model), strict=True)]
    names = list(model.collect_params())
    assert [n for n, m in zip(names, moved, strict=True) if not m] == [
        model.layer.cell.h2h_weight.name
    ]


def test_a_loss_that_aligns_by_itself_takes_shorter_labels():
    model = Labeller(RNN(ElmanCell(3)), 3)
    model.initialize()
    fit(model, [(ROWS, nd.array([[0, 1]] * 4))], 1, gluon.loss.CTCLoss())


def test_a_model_that_cannot_learn_or_carry_says_so():
    model = classifier()
    with pytest.raises(ValueError, match="model: expected outputs and states to carry"):
        fit(model, [(ROWS, nd.zeros(4))], 1, carry_state=True)
    model.collect_params().setattr("grad_req", "null")
    with pytest.raises(ValueError, match="model: expected a parameter that is not frozen"):
        fit(model, [(ROWS, nd.zeros(4))], 1)


def test_a_loss_along_another_axis_judges_shapes_itself():
    class Turned(Labeller):
        def forward(self, inputs):
            return super().forward(inputs).swapaxes(1, 2)  # (N, Q, T)

    model = Turned(RNN(ElmanCell(3)), 3)
    model.initialize()
    loss = gluon.loss.SoftmaxCrossEntropyLoss(axis=1)
    assert len(fit(model, [(ROWS, nd.zeros((4, 5)))], 2, loss).loss) == 2
