"""From text, series and arithmetic to arrays, and from there to batches."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import gluonnlp
import numpy as np
from mxnet import nd

from gluon_rnn.checks import require, whole

__all__ = [
    "PaddedBatches",
    "RandomWindows",
    "TokenBatches",
    "additions",
    "copied_share",
    "encode",
    "read_text",
    "series_windows",
    "split_documents",
    "split_unseen",
    "split_words",
    "time_machine",
    "vocabulary",
]

TIME_MACHINE = "http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt"
_SHA1 = "090b5e7e70c295757f55df93cb0a180b9691891a"
_PAD = gluonnlp.data.batchify.Pad(axis=0, pad_val=0)


def read_text(path: str | Path) -> str:
    r"""Read a UTF-8 text, with every line ending as ``\n`` and without a byte-order mark.

    Raises ``ValueError`` with the line and the byte where a file is not UTF-8, or if it is empty.
    """
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        received = f"byte 0x{data[error.start]:02x} at offset {error.start}, line {line}"
        raise ValueError(f"{Path(path).name}: expected UTF-8 text, received {received}") from None
    require(text.strip() != "", Path(path).name, "a text", "an empty file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def time_machine(path: str | Path | None = None, url: str = TIME_MACHINE) -> str:
    """*The Time Machine* of H. G. Wells (1895), the text on which famous tutorials train.

    Read from ``path``; without one from ``url``, once: 179 kB of known checksum, kept in
    ``~/.cache/gluon_rnn`` (or below ``$XDG_CACHE_HOME``).

    Raises: ``ConnectionError`` where it cannot be fetched, ``ValueError`` where what came is not
    that text; as :func:`read_text`.
    """
    if path is not None:
        return read_text(path)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gluon_rnn"
    kept = cache / "timemachine.txt"
    if kept.exists() and hashlib.sha1(kept.read_bytes()).hexdigest() == _SHA1:
        return read_text(kept)
    try:
        with urlopen(url, timeout=30) as answer:
            data = answer.read()
    except (OSError, HTTPException) as error:
        received = f"{type(error).__name__} ({error}); with a copy of your own, pass path="
        raise ConnectionError(f"time_machine: expected {url}, received {received}") from None
    found = hashlib.sha1(data).hexdigest()
    expected, received = f"a file of SHA-1 {_SHA1}", f"{len(data)} bytes of SHA-1 {found}"
    require(found == _SHA1, "time_machine", expected, received)
    with contextlib.suppress(OSError):  # where nothing can be kept, it is fetched again next time
        cache.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_bytes(data)
        partial.replace(kept)
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def split_words(text: str) -> list[str]:
    """The words and punctuation marks of ``text``, one by one, without the spaces between."""
    return re.findall(r"\w+|[^\w\s]", text)


def split_documents(
    documents: Sequence[str], validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> tuple[list[str], list[str], list[str]]:
    """Split whole documents, shuffled by ``seed``, into training, validation and test lists.

    Splitting inside a document would let a model be tested on sentences it has half read. Shares
    are of the number of documents; each part with a share gets at least one.

    Raises ``ValueError`` for shares outside 0..1 and for too few documents, ``TypeError`` for one
    text instead of a list.
    """
    listed = not isinstance(documents, str)
    require(listed, "documents", "a list of texts", "one text", TypeError)
    for name, share in (("validation", validation), ("test", test)):
        require(0 <= share < 1, name, "a share of at least 0 and less than 1", share)
    n_validation, n_test = (
        max(1, round(s * len(documents))) if s else 0 for s in (validation, test)
    )
    n_train = len(documents) - n_validation - n_test
    needed = n_validation + n_test + 1
    require(n_train > 0, "documents", f"at least {needed} for these shares", len(documents))
    shuffled = [documents[k] for k in np.random.RandomState(seed).permutation(len(documents))]
    return (
        shuffled[:n_train],
        shuffled[n_train : n_train + n_validation],
        shuffled[n_train + n_validation :],
    )


def split_unseen(
    documents: Sequence[str], validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> tuple[list[str], list[str], list[str]]:
    """Split documents as :func:`split_documents`, and strike what would be read twice.

    Manuals repeat themselves: a paragraph (text between blank lines, spaces aside) that stands in
    training is struck from validation, and one that stands in either is struck from test. Documents
    of which nothing is left go. Derived in notebooks/00_start_here.ipynb.

    Raises ``ValueError`` as :func:`split_documents`, for documents without paragraphs (where copies
    could not be found), and where nothing of validation or test is left.
    """
    blank = re.compile(r"\n\s*\n")
    parts = split_documents(documents, validation, test, seed)
    divided = any(blank.search(text.strip()) for text in documents)
    require(divided, "documents", "paragraphs, with blank lines between them", "none")
    seen: set[str] = set()
    unseen: list[list[str]] = []
    for name, texts in zip(("training", "validation", "test"), parts, strict=True):
        split = [[(p, " ".join(p.split())) for p in blank.split(text)] for text in texts]
        kept = texts
        if name != "training":
            kept = ["\n\n".join(p for p, words in text if words not in seen) for text in split]
            kept = [text for text in kept if text.strip()]
        whole = bool(kept) or not texts
        require(whole, name, "text that the other parts do not hold", "only copies")
        seen |= {words for text in split for _, words in text}
        unseen.append(kept)
    return unseen[0], unseen[1], unseen[2]


def copied_share(texts: Sequence[str], others: Sequence[str], width: int = 50) -> float:
    """The share of the windows of ``width`` characters in ``texts`` that stand in ``others``.

    Raises ``ValueError`` where ``texts`` hold no window.
    """
    w = whole("width", width)
    read = {text[k : k + w] for text in others for k in range(len(text) - w + 1)}
    found = [text[k : k + w] in read for text in texts for k in range(len(text) - w + 1)]
    require(len(found) > 0, "texts", f"at least one of {w} characters", "none")
    return float(np.mean(found))


def vocabulary(
    documents: Sequence[Sequence[str]], max_size: int | None = None, unknown: bool = True
) -> gluonnlp.Vocab:
    """The symbols of ``documents``, the most frequent first, after one for all others.

    Symbols are the characters of a text, or the words of a list of them (:func:`split_words`);
    ``max_size`` keeps so many; ``unknown`` whether there is the symbol for all others.

    Raises ``ValueError`` if there are none.
    """
    counter = gluonnlp.data.count_tokens([symbol for text in documents for symbol in text])
    require(len(counter) > 0, "documents", "at least one character", "none")
    other = "<unk>" if unknown else None
    special = dict.fromkeys(("padding_token", "bos_token", "eos_token"))
    return gluonnlp.Vocab(counter, max_size, unknown_token=other, **special)


def encode(text: Sequence[str], vocab: gluonnlp.Vocab) -> np.ndarray:
    """Token indices (T,) of the characters of ``text``, or of the words of a list.

    A symbol outside the vocabulary becomes ``vocab.unknown_token``; where there is none, it raises
    ``ValueError`` with the symbol and its line, or its place in the list.
    """
    if vocab.unknown_token is None:
        outside = next((k for k, symbol in enumerate(text) if symbol not in vocab), None)
        if outside is not None:
            line = f"in line {text.count(chr(10), 0, outside) + 1}" if isinstance(text, str) else ""
            received = f"{text[outside]!r} {line or f'at {outside}'}"
            require(False, "text", "symbols of the vocabulary", received)
    return np.array(vocab[list(text)], dtype="int32")


def _tokens(tokens: Sequence[int] | np.ndarray, N: int, T: int) -> np.ndarray:
    """Whole numbers (T,) that fill at least one batch of N × T and its labels."""
    tokens = np.asarray(tokens)
    require(tokens.ndim == 1, "tokens", "one axis (T,)", tokens.shape)
    broken = tokens[tokens != np.floor(tokens)]
    require(broken.size == 0, "tokens", "whole numbers", broken[:3].tolist())
    needed = f"at least {N * T + 1} for one batch of {N} × {T} and its labels"
    require(len(tokens) > N * T, "tokens", needed, len(tokens))
    return tokens


class TokenBatches:
    """Consecutive batches (inputs, labels), each (N, T), the labels one step ahead.

    The sequential partition: the tokens are cut into ``batch_size`` rows, and a batch takes the
    next ``length`` columns of all rows. So row n of a batch goes on where row n of the batch before
    it ended, and a state can be carried along. At 2 × 3, the tokens 0 1 2 ... 12 give inputs
    [[0 1 2], [6 7 8]] with labels [[1 2 3], [7 8 9]], then [[3 4 5], [9 10 11]] with [[4 5 6],
    [10 11 12]]. A remainder that does not fill a batch is left out.

    Parameters: ``tokens`` (T,) whole numbers; ``batch_size`` N; ``length`` T of a batch.

    Raises: ``ValueError`` if the tokens do not fill one batch.

    >>> batches = TokenBatches(range(13), batch_size=2, length=3)
    >>> inputs, labels = next(iter(batches))
    >>> inputs.asnumpy().tolist(), labels.asnumpy().tolist()
    ([[0, 1, 2], [6, 7, 8]], [[1, 2, 3], [7, 8, 9]])
    """

    def __init__(self, tokens: Sequence[int] | np.ndarray, batch_size: int, length: int) -> None:
        N, T = whole("batch_size", batch_size), whole("length", length)
        tokens = _tokens(tokens, N, T)
        columns = (len(tokens) - 1) // N
        self._length, self._count = T, columns // T
        self._inputs = tokens[: N * columns].reshape(N, columns)
        self._labels = tokens[1 : N * columns + 1].reshape(N, columns)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[nd.NDArray, nd.NDArray]]:
        for k in range(self._count):
            window = slice(k * self._length, (k + 1) * self._length)
            yield tuple(nd.array(a[:, window], dtype="int32") for a in (self._inputs, self._labels))


class RandomWindows:
    """Batches (inputs, labels), each (N, T), of windows from all over the tokens.

    The random partition: each pass cuts the tokens, from an offset below T on, into windows of T
    that do not overlap, and takes them in a random order. No row goes on where the one before it
    ended: a state must begin in zeros in every batch. What does not fill a batch is left out.

    Parameters: as :class:`TokenBatches`; ``seed`` of the first pass, which draws the next ones'.

    Raises: ``ValueError`` if the tokens do not fill one batch from every offset.

    >>> batches = RandomWindows(range(15), batch_size=2, length=3)
    >>> inputs, labels = next(iter(batches))
    >>> inputs.shape, (labels - inputs).asnumpy().max()
    ((2, 3), 1)
    """

    def __init__(
        self, tokens: Sequence[int] | np.ndarray, batch_size: int, length: int, seed: int = 0
    ) -> None:
        self._N, self._T = whole("batch_size", batch_size), whole("length", length)
        self._tokens = _tokens(tokens, self._N, self._T)
        needed = (self._N + 1) * self._T
        require(len(self._tokens) >= needed, "tokens", f"at least {needed}", len(self._tokens))
        self._random = np.random.RandomState(seed)

    def __len__(self) -> int:
        return (len(self._tokens) - self._T) // self._T // self._N

    def __iter__(self) -> Iterator[tuple[nd.NDArray, nd.NDArray]]:
        N, T = self._N, self._T
        first = self._random.randint(T) + T * np.arange((len(self._tokens) - T) // T)
        first = self._random.permutation(first)[: N * len(self)].reshape(-1, N)
        for starts in first:
            windows = starts[:, None] + np.arange(T)  # (N, T)
            yield tuple(nd.array(self._tokens[windows + k], dtype="int32") for k in (0, 1))


class PaddedBatches:
    """Batches (inputs, valid_length, labels) of sequences of unequal length, like with like.

    gluonnlp's ``FixedBucketSampler`` puts sequences of similar length together, its ``Pad`` fills
    the shorter ones up with zeros. Several sets of sequences go side by side, each with its
    lengths: ``PaddedBatches(sources, targets, labels=targets, batch_size=32)`` gives what an
    :class:`gluon_rnn.tasks.EncoderDecoder` takes.

    Parameters: ``*sequences`` lists of arrays (T,) or (T, C); ``labels`` numbers, one for each
    sequence, or arrays (T,); ``batch_size`` N; ``buckets`` how many, by the first set's lengths;
    ``seed`` of a new order in every pass, ``None`` for always the same.

    Raises: ``ValueError`` for an empty sequence (naming it), sets of unequal size, and a batch
    larger than the data.

    >>> batches = PaddedBatches([[5], [3, 4], [1, 2, 6]], labels=[0, 1, 1], batch_size=2, buckets=1)
    >>> for inputs, valid_length, labels in batches:
    ...     print(inputs.asnumpy().tolist(), valid_length.tolist(), labels.asnumpy().tolist())
    [[5.0, 0.0], [3.0, 4.0]] [1, 2] [0.0, 1.0]
    [[1.0, 2.0, 6.0]] [3] [1.0]
    """

    def __init__(
        self,
        *sequences: Sequence[Sequence[float] | np.ndarray],
        labels: Sequence[float] | Sequence[Sequence[float]],
        batch_size: int,
        buckets: int = 10,
        seed: int | None = None,
    ) -> None:
        require(len(sequences) > 0, "sequences", "at least one set", "none")
        n, N = len(labels), whole("batch_size", batch_size)
        require(n >= N, "batch_size", f"at most the {n} sequences", N)
        for own in sequences:
            require(len(own) == n, "sequences", f"{n}, as many as labels", len(own))
            empty = next((k for k, sequence in enumerate(own) if len(sequence) == 0), None)
            require(empty is None, f"sequence {empty}", "at least one step", "none")
        self._sets = [[np.asarray(a, dtype="float32") for a in own] for own in sequences]
        self._labels = [np.asarray(a, dtype="float32") for a in labels]
        self._N, self._lengths = N, np.array([len(a) for a in self._sets[0]])
        shares = np.linspace(0, 1, whole("buckets", buckets) + 1)[1:]
        keys = np.quantile(self._lengths, shares, method="higher")
        self._keys = sorted(set(keys.tolist()))
        self._random = None if seed is None else np.random.RandomState(seed)
        self._count = len(self._sampler(self._lengths))

    def _sampler(self, lengths: np.ndarray) -> gluonnlp.data.FixedBucketSampler:
        return gluonnlp.data.FixedBucketSampler(lengths, self._N, None, self._keys)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        order, turn = np.arange(len(self._labels)), np.arange(self._count)
        if self._random is not None:
            order, turn = self._random.permutation(order), self._random.permutation(turn)
        batches = list(self._sampler(self._lengths[order]))
        for k in turn:
            chosen, columns = order[batches[k]], []
            for own in (*self._sets, self._labels):
                rows = [own[n] for n in chosen]
                columns.append(nd.array(rows) if rows[0].ndim == 0 else _PAD(rows))
                if own is not self._labels:
                    columns.append(np.array([len(row) for row in rows]))
            yield tuple(columns)


def series_windows(
    series: Sequence[float] | np.ndarray,
    length: int,
    horizon: int = 1,
    validation: float = 0.2,
    test: float = 0.2,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Windows (N, T, C) of a series and the values after each, (N, ``horizon``, C), in three parts.

    The series is cut in time: what training has to say lies before what validation has to say, and
    that before the test. A window may look back across a cut, as a forecaster does.

    Parameters: ``series`` (S,) or (S, C), oldest first; ``length`` T; shares of the series.

    Raises: ``ValueError`` for a value that is not finite (naming its row), and for parts too short.
    """
    y = np.asarray(series, dtype="float64")
    y = y[:, None] if y.ndim == 1 else y
    require(y.ndim == 2, "series", "axes (S,) or (S, C)", y.shape)
    broken = np.flatnonzero(~np.isfinite(y).all(axis=1)).tolist()
    require(not broken, "series", "finite numbers", f"{y[broken[:1]].tolist()} in row {broken[:1]}")
    T, M = whole("length", length), whole("horizon", horizon)
    ends = np.round(len(y) * np.array([0, 1 - validation - test, 1 - test, 1])).astype(int)
    parts = []
    for name, start, end in zip(("training", "validation", "test"), ends, ends[1:], strict=False):
        first = np.arange(max(start, T), end - M + 1)[:, None]  # where the values after begin
        require(first.size > 0, name, f"at least {M} values after {T} others", end - start)
        parts.append((y[first + np.arange(-T, 0)], y[first + np.arange(M)]))
    return parts


def additions(
    digits: int, count: int | None = None, base: int = 2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Sums written out: both numbers (N, T, 2) and the sum (N, T), lowest digit first.

    T = ``digits`` and the sum fits: both numbers are below half of ``base`` to the T. ``count`` N
    of them are drawn by ``seed``; without it, every pair comes once.

    >>> numbers, sums = additions(digits=4, count=1)
    >>> numbers.shape, sums.shape
    ((1, 4, 2), (1, 4))
    """
    T, b = whole("digits", digits), whole("base", base, least=2)
    highest = -(-(b**T) // 2)
    if count is None:
        a = np.stack(np.divmod(np.arange(highest**2), highest), axis=1)  # (N, 2)
    else:
        a = np.random.RandomState(seed).randint(highest, size=(whole("count", count), 2))
    place = b ** np.arange(T)[:, None]
    return a[:, None] // place % b, a.sum(axis=1)[:, None] // place[:, 0] % b
