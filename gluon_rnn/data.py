"""From text to batches: documents, a vocabulary, token indices, inputs and shifted labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import gluonnlp
import numpy as np
from mxnet import nd

from gluon_rnn.checks import require, whole

__all__ = [
    "TokenBatches",
    "copied_share",
    "encode",
    "read_text",
    "split_documents",
    "split_unseen",
    "vocabulary",
]


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


def vocabulary(documents: Sequence[str]) -> gluonnlp.Vocab:
    """The characters of ``documents``, the most frequent first, after one symbol for all others.

    Raises ``ValueError`` if there are none.
    """
    counter = gluonnlp.data.count_tokens([symbol for text in documents for symbol in text])
    require(len(counter) > 0, "documents", "at least one character", "none")
    return gluonnlp.Vocab(counter, padding_token=None, bos_token=None, eos_token=None)


def encode(text: str, vocab: gluonnlp.Vocab) -> np.ndarray:
    """Token indices (T,) of the characters of ``text``.

    A character outside the vocabulary becomes ``vocab.unknown_token``; where there is none, it
    raises ``ValueError`` with the character and its line.
    """
    if vocab.unknown_token is None:
        outside = next((k for k, symbol in enumerate(text) if symbol not in vocab), None)
        if outside is not None:
            received = f"{text[outside]!r} in line {text.count(chr(10), 0, outside) + 1}"
            require(False, "text", "characters of the vocabulary", received)
    return np.array(vocab[list(text)], dtype="int32")


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
        tokens = np.asarray(tokens)
        require(tokens.ndim == 1, "tokens", "one axis (T,)", tokens.shape)
        broken = tokens[tokens != np.floor(tokens)]
        require(broken.size == 0, "tokens", "whole numbers", broken[:3].tolist())
        needed = f"at least {N * T + 1} for one batch of {N} × {T} and its labels"
        require(len(tokens) > N * T, "tokens", needed, len(tokens))
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
