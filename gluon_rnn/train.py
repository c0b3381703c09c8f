"""From batches to a fitted model: record, backward, clip, step."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
from mxnet import autograd, gluon, nd
from tqdm.auto import tqdm

from gluon_rnn.checks import array, indices, require, whole

__all__ = ["History", "accuracy", "clip_global_norm", "fit", "global_norm", "perplexity"]


@dataclass
class History:
    """What training saw at each step, as columns of equal length.

    ``loss``; ``gradient_norm`` before clipping; ``validation``, what ``fit``'s function of that
    name gave after the step, NaN where it was not asked. ``pandas.DataFrame(vars(history))`` is a
    table of them.

    >>> history = History(loss=[2.0, 1.5], gradient_norm=[0.3, 0.2])
    >>> history, min(history.loss)
    (History of 2 steps, 1.5)
    """

    loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"History of {len(self.loss)} steps"


def global_norm(gradients: Sequence[nd.NDArray]) -> nd.NDArray:
    """The Euclidean norm of all gradients as one vector, shape (1,), without waiting for it."""
    return nd.multi_sum_sq(*gradients, num_arrays=len(gradients)).sum().sqrt()


def clip_global_norm(gradients: Sequence[nd.NDArray], limit: float) -> nd.NDArray:
    r"""Shorten all gradients together to norm ``limit`` if they are longer, in place.

    Source: document 003; Pascanu et al. 2013.

    .. math:: g \leftarrow \min\Big(1, \frac{\theta}{\lVert g \rVert}\Big)\, g

    The direction is kept; a gradient of zeros stays one. Returns the norm before clipping, shape
    (1,), without waiting for it. Derived in notebooks/06_long_range_gradients.ipynb.

    Raises: ``ValueError`` unless ``limit`` is positive.
    """
    require(limit > 0, "limit", "a positive number", limit)
    norm = global_norm(gradients)
    scale = limit / nd.maximum(norm, limit)  # never a division by zero
    for g in gradients:
        g *= scale.astype(g.dtype)
    return norm


def _forever(batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """Batches and their numbers, from 0 again in each pass."""
    while True:
        k = -1
        for k, batch in enumerate(batches):
            yield k, batch
        require(k >= 0, "batches", "at least one in every pass", "none")


_CLASSES = gluon.loss.SoftmaxCELoss
_BY_NUMBER = tuple(getattr(gluon.loss, f"{n}Loss") for n in ("SoftmaxCE", "SigmoidBCE", "L1", "L2"))


def _one(output: Any) -> nd.NDArray:
    """A model's output, which must be one array."""
    kind = f"{len(output)} values" if isinstance(output, (tuple, list)) else type(output).__name__
    single = isinstance(output, nd.NDArray)
    require(single, "model", "one array of outputs (a LanguageModel gives states too)", kind)
    return output


def _scored(model: gluon.Block, output: Any, labels: Any, inputs: list, loss: Any = None):
    """Outputs and labels, without padded steps where the model knows them.

    Where classes are counted, and for the losses number by number, their shapes must fit, and
    labels be among the classes; any other loss takes what it wants.
    """
    if loss is None or (isinstance(loss, _BY_NUMBER) and getattr(loss, "_axis", -1) == -1):
        array("labels", labels)
        shapes = [_one(output).shape[:-1]]
        if loss is not None and not getattr(loss, "_sparse_label", False):
            shapes.append(output.shape)
        expected = " or ".join(f"shape {shape}" for shape in shapes)
        require(labels.shape in shapes, "labels", expected, labels.shape)
    if hasattr(model, "scored") and isinstance(output, nd.NDArray):
        output, labels = model.scored(output, labels, *inputs)
    if loss is None or (isinstance(loss, _CLASSES) and loss._sparse_label and loss._axis == -1):
        indices("labels", labels, output.shape[-1])
    return output, labels


def fit(
    model: gluon.Block,
    batches: Iterable[tuple[nd.NDArray, ...]],
    steps: int,
    loss: Callable[[nd.NDArray, nd.NDArray], nd.NDArray] | None = None,
    *,
    optimizer: str | mx.optimizer.Optimizer = "adam",
    learning_rate: float | None = None,
    clip: float | None = 1.0,
    carry_state: bool = False,
    seed: int | None = None,
    label: str = "training",
    validation: Callable[[gluon.Block], float] | None = None,
    every: int = 100,
    patience: int | None = None,
) -> History:
    """Take ``steps`` training steps over ``batches``, again from the first when they end.

    Parameters: ``model`` called as ``model(*inputs)``; ``batches`` tuples (*inputs, labels), an
    iterable that can be iterated again; ``loss(output, labels)``, of which the mean is minimised,
    cross-entropy if ``None``, without the padded steps where the model knows them (``scored``);
    ``optimizer`` a name, for which ``learning_rate`` is .001 if ``None``, or one of Gluon's with
    its own; ``clip`` the largest global gradient norm, ``None`` for no clipping; ``carry_state``
    whether the model takes and returns states that go from batch to batch, cut from the graph in
    between (truncated BPTT) and zero again at the first batch; ``seed`` of dropout; ``label``
    beside the progress bar; ``validation(model)`` a number, the smaller the better, such as
    ``lambda model: perplexity(model, held_out)``, asked ``every`` so many steps and at the last:
    in the end the model has the parameters of the best; ``patience`` how many times in a row
    without a better one end the training early.

    Returns the :class:`History`.

    Raises: ``FloatingPointError`` with step and gradient norm when the loss or the gradient is not
    finite, before that step touches the model; ``ValueError`` for batches that run dry, for labels
    of another shape than the outputs' or outside the classes, for a ``clip`` that is not positive,
    for a model on several contexts, and for a model's second value without ``carry_state``.

    >>> batches = [(mx.nd.ones((4, 5, 2)), mx.nd.zeros(4))]
    >>> model = Classifier(RNN(GRUCell(3)), classes=2)
    >>> model.initialize()
    >>> fit(model, batches, steps=3)
    History of 3 steps
    """
    steps, every = whole("steps", steps), whole("every", every)
    require(clip is None or clip > 0, "clip", "a positive number or None", clip)
    named = isinstance(optimizer, str)
    own = named or learning_rate is None
    require(own, "learning_rate", "None beside an optimizer that has its own", learning_rate)
    loss = gluon.loss.SoftmaxCrossEntropyLoss() if loss is None else loss
    if seed is not None:
        mx.random.seed(seed)
    rate = 1e-3 if learning_rate is None else learning_rate
    settings = {"learning_rate": rate} if named else None
    parameters = model.collect_params()
    learns = any(p.grad_req != "null" for p in parameters.values())
    require(learns, "model", "a parameter that is not frozen", "none")
    places = {ctx for p in parameters.values() for ctx in p.list_ctx()}
    require(len(places) == 1, "model", "parameters on one context", sorted(map(str, places)))
    trainer = gluon.Trainer(parameters, optimizer, settings, kvstore=None)
    history, states, best = History(), None, _Best(validation, patience)
    endless, tokens = _forever(batches), 0
    quiet = bool(os.environ.get("TQDM_DISABLE"))  # in a notebook tqdm does not look itself
    bar = tqdm(range(1, steps + 1), desc=label, leave=False, disable=quiet)
    for step in bar:
        k, (*inputs, labels) = next(endless)
        if carry_state:
            inputs.append(states if k else None)
        with autograd.record():
            output = model(*inputs)
            if carry_state:
                pair = isinstance(output, (tuple, list)) and len(output) == 2
                require(pair, "model", "outputs and states to carry", type(output).__name__)
                output, states = output
            value = loss(*_scored(model, output, labels, inputs, loss)).mean()
        for p in parameters.values():
            if p.grad_req == "add":  # a step's gradient is its own
                p.zero_grad()
        value.backward()
        if carry_state:
            states = [s.detach() for s in states]
        gradients = [p.grad() for p in parameters.values() if p.grad_req != "null"]
        norm = clip_global_norm(gradients, clip) if clip else global_norm(gradients)
        seen = nd.concat(value.reshape(1), norm.astype(value.dtype), dim=0).asnumpy()  # one wait
        history.loss.append(seen[0].item())
        history.gradient_norm.append(seen[1].item())
        finite = math.isfinite(history.loss[-1]) and math.isfinite(history.gradient_norm[-1])
        received = f"{history.loss[-1]} with gradient norm {history.gradient_norm[-1]}"
        require(finite, f"loss at step {step - 1}", "a finite number", received, FloatingPointError)
        trainer.step(1)
        tokens += labels.size
        if not quiet:
            speed = tokens / (bar.format_dict["elapsed"] or math.inf)
            shown = f"loss {history.loss[-1]:.3f}, {speed:,.0f} tokens/s"
            bar.set_postfix_str(shown, refresh=False)
        asked = validation is not None and (step % every == 0 or step == steps)
        history.validation.append(best.ask(model, parameters) if asked else math.nan)
        if best.enough:
            break
    best.restore(parameters)
    bar.close()
    return history


class _Best:
    """The parameters with the smallest validation so far."""

    def __init__(self, validation: Callable[[gluon.Block], float] | None, patience: int | None):
        self._validation, self._value, self._kept, self._worse = validation, math.inf, None, 0
        self._patience = math.inf if patience is None else whole("patience", patience)

    @property
    def enough(self) -> bool:
        """Whether the last ``patience`` askings in a row brought nothing better."""
        return self._worse >= self._patience

    def ask(self, model: gluon.Block, parameters: gluon.ParameterDict) -> float:
        value = float(self._validation(model))
        require(not math.isnan(value), "validation", "a number", value, FloatingPointError)
        self._worse += 1
        if value < self._value:
            self._value, self._worse = value, 0
            self._kept = {name: p.data().copy() for name, p in parameters.items()}
        return value

    def restore(self, parameters: gluon.ParameterDict) -> None:
        for name, value in (self._kept or {}).items():
            parameters[name].set_data(value)


def perplexity(model: gluon.Block, batches: Iterable[tuple[nd.NDArray, nd.NDArray]]) -> float:
    r"""The perplexity of a language model over ``batches``, every token of equal weight.

    Source: document 003 (which calls it a harmonic mean; it is the geometric mean of 1/p).

    .. math:: \exp\Big(-\frac1n \sum_{t=1}^n \log p(x_t \mid x_{<t})\Big)

    States are carried from batch to batch. 1 is certainty, V a blind guess among V tokens.

    Raises: ``ValueError`` for no batches, for labels of another shape than the tokens or outside
    the vocabulary.
    """
    total, count, states = 0.0, 0, None
    for tokens, labels in batches:
        logits, states = model(tokens, states)
        require(labels.shape == tokens.shape, "labels", f"shape {tokens.shape}", labels.shape)
        indices("labels", labels, logits.shape[-1])
        log_p = nd.pick(nd.log_softmax(logits, axis=-1), labels, axis=-1)  # (N, T)
        total -= log_p.astype("float64").sum().asscalar().item()
        count += labels.size
    require(count > 0, "batches", "at least one", "none")
    return math.exp(total / count)


def accuracy(model: gluon.Block, batches: Iterable[tuple[Any, ...]]) -> float:
    """The share of labels that are the model's first choice, over batches (*inputs, labels).

    Padded steps do not count where the model knows them (``scored``).

    Raises: ``ValueError`` for no batches, for labels of another shape than the choices, and for a
    model with a second value.
    """
    right, count = 0, 0
    for *inputs, labels in batches:
        output, labels = _scored(model, model(*inputs), labels, inputs)
        chosen = output.argmax(axis=-1)
        right += int((chosen.asnumpy() == labels.asnumpy()).sum())
        count += labels.size
    require(count > 0, "batches", "at least one", "none")
    return right / count
