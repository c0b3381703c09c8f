"""What several notebooks of the book use: each thing is written out once, where it is taught.

Beside the notebooks and not in the package: it prints, trains and counts as this book does.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from pydoc_data.topics import topics
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon, nd

from gluon_rnn import History, fit

__all__ = [
    "central_differences",
    "claim",
    "claim_all",
    "help_pages",
    "ngram",
    "recall_batches",
    "sigmoid",
    "train_seeds",
]


def claim(value: Any, low: float, high: float, digits: int = 3) -> str:
    """A measured number beside the interval claimed of it: ``4.75 ∈ [4.3, 5.2]``, or ∉.

    The interval is typed where it is claimed. Before two outputs are compared, ``claims.cfg`` takes
    away the number in front of ``∈``, so the claim holds wherever the number stays inside.
    ``digits`` are significant. NaN is in no interval. Raises ``TypeError`` for what is no number,
    ``ValueError`` for an interval that is empty, reversed or not finite.
    """
    return claim_all([value], low, high, digits)


def claim_all(values: Iterable[Any], low: float, high: float, digits: int = 3) -> str:
    """The least and the greatest of several numbers, of seeds say: ``4.72 … 4.80 ∈ [4.3, 5.2]``."""
    if not (all(isinstance(end, Real) and math.isfinite(end) for end in (low, high))):
        raise ValueError(f"interval: expected two finite numbers, received [{low}, {high}]")
    if not low < high:
        raise ValueError(f"interval: expected low < high, received [{low}, {high}]")
    numbers = sorted(map(_number, values), key=lambda v: (math.isnan(v), v))
    if not numbers:
        raise ValueError("values: expected at least one number, received none")
    inside = all(low <= v <= high for v in numbers)
    ends = dict.fromkeys(_written(v, digits) for v in (numbers[0], numbers[-1]))
    return f"{' … '.join(ends)} {'∈' if inside else '∉'} [{_written(low)}, {_written(high)}]"


def _number(value: Any) -> float:
    if isinstance(value, nd.NDArray):
        value = value.asnumpy()
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if not isinstance(value, Real):
        shape = f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""
        raise TypeError(f"value: expected one number, received {type(value).__name__}{shape}")
    return float(value)


def _written(value: float, digits: int = 6) -> str:
    """Without trailing zeros or a padded exponent: 4.75, 300, 2.6e-6."""
    mantissa, e, exponent = f"{value:.{digits}g}".partition("e")
    if e and 0 < int(exponent) < 6:
        return f"{float(mantissa + e + exponent):.0f}"
    return mantissa + (f"e{int(exponent)}" if e else "")


def sigmoid(a: np.ndarray) -> np.ndarray:
    """σ(a) = 1 / (1 + e^-a), written so that no large a overflows. From notebook 02."""
    return (1 + np.tanh(np.asarray(a) / 2)) / 2


def central_differences(
    loss: Callable[..., float], *arrays: np.ndarray, eps: float = 1e-6
) -> list[np.ndarray]:
    """∂loss/∂a at every entry of every array a, (loss(a + ε) - loss(a - ε)) / 2ε. From notebook 02.

    ``loss(*arrays)`` is called with float64 copies. Returns arrays of the shapes of ``arrays``.
    """
    moved = [np.array(a, dtype="float64") for a in arrays]
    slopes = [np.zeros_like(a) for a in moved]
    for a, slope in zip(moved, slopes, strict=True):
        for place in np.ndindex(a.shape):
            here = a[place]
            a[place] = here + eps
            up = loss(*moved)
            a[place] = here - eps
            slope[place] = (up - loss(*moved)) / (2 * eps)
            a[place] = here
    return slopes


def train_seeds(
    seeds: Iterable[int],
    build: Callable[[], gluon.Block],
    batches: Callable[[int], Any],
    steps: int,
    **settings: Any,
) -> list[tuple[gluon.Block, History]]:
    """Train one fresh model per seed: seed, build, initialise (Xavier), fit on batches(seed).

    ``settings`` go to ``gluon_rnn.fit`` (learning_rate, optimizer, clip, loss …). The loop that
    ``fit`` runs is written out in notebook 04.
    """
    trained = []
    for seed in seeds:
        mx.random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - mx.init.Orthogonal draws there
        model = build()
        model.initialize(mx.init.Xavier())
        history = fit(model, batches(seed), steps, label=f"seed {seed}", **settings)
        trained.append((model, history))
    return trained


def recall_batches(
    seed: int, T: int, batches: int, K: int = 4, N: int = 32
) -> list[tuple[nd.NDArray, nd.NDArray]]:
    """The recall task: one-hot symbols (N, T, K), and the first of each sequence (N,) to be named.

    All later symbols are distraction, so the lag is T - 1, and chance 1/K. From notebook 06.
    """
    symbols = np.random.RandomState(seed).randint(K, size=(batches, N, T))
    return [(nd.one_hot(nd.array(s), K), nd.array(s[:, 0])) for s in symbols]


def help_pages() -> list[str]:
    """The help texts of the Python that runs this, by name: English prose and code."""
    return [topics[name] for name in sorted(topics)]


def ngram(train: Sequence[int], text: Sequence[int], order: int, vocab_size: int) -> np.ndarray:
    """p of each symbol of ``text`` (n,) after the order - 1 before it, counted in ``train``.

    Interpolated after Witten and Bell: p(c | u) = (n(uc) + k(u) p(c | shorter u)) / (n(u) + k(u)),
    with k(u) different symbols seen after u; below the unigram (order 1) stands the uniform guess.
    The first symbols of ``text`` have shorter contexts. From notebook 00.
    """
    train, text = [int(c) for c in train], [int(c) for c in text]
    p = np.full(len(text), 1 / vocab_size)
    for n in range(1, order + 1):
        grams = Counter(zip(*(train[k:] for k in range(n)), strict=False))
        seen, kinds = Counter(), Counter()
        for gram, times in grams.items():
            seen[gram[:-1]] += times
            kinds[gram[:-1]] += 1
        for t in range(n - 1, len(text)):
            gram = tuple(text[t - n + 1 : t + 1])
            u = gram[:-1]
            if seen[u]:
                p[t] = (grams[gram] + kinds[u] * p[t]) / (seen[u] + kinds[u])
    return p
