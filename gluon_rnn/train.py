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

from gluon_rnn.checks import require, whole

__all__ = ["History", "accuracy", "clip_global_norm", "fit", "global_norm", "perplexity"]


@dataclass
class History:
    """What training saw at each step: the loss, and the gradient's norm before clipping."""

    loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)

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


def fit(
    model: gluon.Block,
    batches: Iterable[tuple[nd.NDArray, ...]],
    steps: int,
    loss: Callable[[nd.NDArray, nd.NDArray], nd.NDArray] | None = None,
    *,
    optimizer: str | mx.optimizer.Optimizer = "adam",
    learning_rate: float = 1e-3,
    clip: float | None = 1.0,
    carry_state: bool = False,
    seed: int | None = None,
    label: str = "training",
) -> History:
    """Take ``steps`` training steps over ``batches``, again from the first when they end.

    Parameters: ``model`` called as ``model(*inputs)``; ``batches`` tuples (*inputs, labels), an
    iterable that can be iterated again; ``loss(output, labels)``, of which the mean is minimised,
    cross-entropy if ``None``; ``optimizer`` a name, or one of Gluon's with its own learning rate;
    ``clip`` the largest global gradient norm, ``None`` for no clipping; ``carry_state`` whether
    the model takes and returns states that go from batch to batch, cut from the graph in between
    (truncated BPTT) and zero again at the first batch; ``seed`` of dropout; ``label`` beside the
    progress bar.

    Returns the :class:`History`.

    Raises: ``FloatingPointError`` with step and gradient norm when the loss or the gradient is not
    finite, before that step touches the model; ``ValueError`` for batches that run dry.
    """
    steps = whole("steps", steps)
    loss = gluon.loss.SoftmaxCrossEntropyLoss() if loss is None else loss
    if seed is not None:
        mx.random.seed(seed)
    settings = {"learning_rate": learning_rate} if isinstance(optimizer, str) else None
    parameters = model.collect_params()
    trainer = gluon.Trainer(parameters, optimizer, settings, kvstore=None)
    history, states = History(), None
    endless = _forever(batches)
    quiet = bool(os.environ.get("TQDM_DISABLE"))  # in a notebook tqdm does not look itself
    for step in tqdm(range(steps), desc=label, leave=False, disable=quiet):
        k, (*inputs, labels) = next(endless)
        if carry_state:
            inputs.append(states if k else None)
        with autograd.record():
            output = model(*inputs)
            if carry_state:
                output, states = output
            value = loss(output, labels).mean()
        value.backward()
        if carry_state:
            states = [s.detach() for s in states]
        gradients = [p.grad() for p in parameters.values() if p.grad_req != "null"]
        norm = clip_global_norm(gradients, clip) if clip else global_norm(gradients)
        history.loss.append(value.asscalar().item())
        history.gradient_norm.append(norm.asscalar().item())
        finite = math.isfinite(history.loss[-1]) and math.isfinite(history.gradient_norm[-1])
        received = f"{history.loss[-1]} with gradient norm {history.gradient_norm[-1]}"
        require(finite, f"loss at step {step}", "a finite number", received, FloatingPointError)
        trainer.step(1)
    return history


def perplexity(model: gluon.Block, batches: Iterable[tuple[nd.NDArray, nd.NDArray]]) -> float:
    r"""The perplexity of a language model over ``batches``, every token of equal weight.

    Source: document 003 (which calls it a harmonic mean; it is the geometric mean of 1/p).

    .. math:: \exp\Big(-\frac1n \sum_{t=1}^n \log p(x_t \mid x_{<t})\Big)

    States are carried from batch to batch. 1 is certainty, V a blind guess among V tokens.
    """
    total, count, states = 0.0, 0, None
    for tokens, labels in batches:
        logits, states = model(tokens, states)
        log_p = nd.pick(nd.log_softmax(logits, axis=-1), labels, axis=-1)  # (N, T)
        total -= log_p.astype("float64").sum().asscalar().item()
        count += labels.size
    require(count > 0, "batches", "at least one", "none")
    return math.exp(total / count)


def accuracy(model: gluon.Block, batches: Iterable[tuple[Any, ...]]) -> float:
    """The share of labels that are the model's first choice, over batches (*inputs, labels)."""
    right, count = 0, 0
    for *inputs, labels in batches:
        chosen = model(*inputs).argmax(axis=-1)
        right += int((chosen.asnumpy() == labels.asnumpy()).sum())
        count += labels.size
    require(count > 0, "batches", "at least one", "none")
    return right / count
