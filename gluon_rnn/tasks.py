"""From a sequence layer to an answer: a class, a label per step, the next token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.gluon import Block, nn

from gluon_rnn.cells import Cell
from gluon_rnn.checks import Keywords, array, instance, one_of, require, sequence_lengths, whole
from gluon_rnn.layers import Layer, silence_past_the_end

__all__ = ["Classifier", "Labeller", "LanguageModel", "TokenEmbedding", "generate"]


class Readout(nn.Dense):
    """V h + c along the last axis, with a gradient of c that is right beside a frozen V."""

    def hybrid_forward(self, F, x, weight, bias):
        return Cell._affine(F, x, weight, bias, self._units)


def _lengths(inputs: nd.NDArray, valid_length: Any) -> np.ndarray:
    """``valid_length`` read from the host and checked against inputs (N, T, ...)."""
    array("inputs", inputs)
    require(inputs.ndim >= 2, "inputs", "axes (N, T, ...)", inputs.shape)
    return sequence_lengths(valid_length, *inputs.shape[:2])


def _outputs(model: Classifier | Labeller, inputs: nd.NDArray, valid_length: Any):
    """The layer's outputs (N, T, H), zeros past the end, and the lengths that were checked.

    The padding becomes zeros, or token 0, before it is embedded: it reaches no gradient there.
    """
    if valid_length is not None:
        valid_length = _lengths(inputs, valid_length)
        inputs = silence_past_the_end(inputs, nd.array(valid_length, ctx=inputs.context))
    x = model.embed(inputs) if model.embed else inputs  # (N, T, C)
    h, _ = model.layer(x, None, valid_length)
    return h, valid_length


class TokenEmbedding(Block):
    """A vector for each token: indices (N, T) to vectors (N, T, E).

    Parameters: ``vocab_size`` V; ``embedding_size`` E.

    Raises: ``ValueError`` for an index outside 0..V-1 (``nn.Embedding`` would take the nearest row
    without a word) or a wrong rank.

    >>> embedding = TokenEmbedding(26, 5)
    >>> embedding.initialize()
    >>> embedding(mx.nd.array([[0, 25, 3]])).shape
    (1, 3, 5)
    """

    def __init__(self, vocab_size: int, embedding_size: int, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self._V = whole("vocab_size", vocab_size)
        with self.name_scope():
            self.table = nn.Embedding(self._V, whole("embedding_size", embedding_size))

    def forward(self, tokens: nd.NDArray) -> nd.NDArray:
        array("tokens", tokens)
        require(tokens.ndim == 2, "tokens", "axes (N, T)", tokens.shape)
        host = tokens.asnumpy()
        outside = host[(host < 0) | (host >= self._V) | (host != np.floor(host))]
        require(
            outside.size == 0, "tokens", f"indices from 0 to {self._V - 1}", outside[:3].tolist()
        )
        return self.table(tokens)


class LanguageModel(Keywords, Block):
    r"""Predict every token from those before it.

    Source: document 003, "character-level language model".

    .. math:: p(x_{t+1} \mid x_1 \ldots x_t) = \mathrm{softmax}(V h_t + c)

    Parameters: ``vocab_size`` V; ``layer`` any sequence layer; ``embedding_size`` E; ``dropout`` on
    what enters and leaves the layer.

    Inputs and outputs: tokens (N, T) and states (zeros if ``None``) to logits (N, T, V), before the
    softmax, and the layer's last states.

    Raises: ``ValueError`` for tokens outside the vocabulary or of a wrong rank.

    Differs from document 003, whose o_t passes through an activation: logits are linear.

    >>> model = LanguageModel(26, RNN(GRUCell(8)), embedding_size=5)
    >>> model.initialize()
    >>> logits, states = model(mx.nd.array([[0, 25, 3]]))
    >>> logits.shape, len(generate(model, prompt=[0, 25], length=4))
    ((1, 3, 26), 4)
    """

    def __init__(
        self,
        vocab_size: int,
        layer: Layer,
        embedding_size: int,
        dropout: float = 0.0,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        require(0 <= dropout < 1, "dropout", "at least 0 and less than 1", dropout)
        with self.name_scope():
            self.embedding = TokenEmbedding(vocab_size, embedding_size)
            self.layer = instance("layer", layer, Layer)
            self.dropout = nn.Dropout(dropout)
            self.decoder = Readout(vocab_size)

    def begin_state(self, batch_size: int, **kwargs: Any) -> list[nd.NDArray]:
        """States of zeros, as the layer's ``begin_state``."""
        return self.layer.begin_state(batch_size, **kwargs)

    def forward(
        self, tokens: nd.NDArray, states: list[nd.NDArray] | None = None
    ) -> tuple[nd.NDArray, list[nd.NDArray]]:
        x = self.dropout(self.embedding(tokens))  # (N, T, E)
        h, states = self.layer(x, states)  # (N, T, H)
        return self.decoder(self.dropout(h)), states


def generate(
    model: LanguageModel,
    prompt: Sequence[int],
    length: int,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[int]:
    """Continue ``prompt`` by ``length`` tokens, drawn one at a time from the model.

    Parameters: ``temperature`` divides the logits: 1 draws as the model predicts, towards 0 the
    likeliest token wins, at 0 always; ``seed`` of the draws.

    Raises: ``ValueError`` for an empty prompt or a negative temperature.
    """
    require(len(prompt) > 0, "prompt", "at least one token", "none")
    require(temperature >= 0, "temperature", "at least 0", temperature)
    draw = np.random.RandomState(seed)
    ctx = model.decoder.weight.list_ctx()[0]
    logits, states = model(nd.array([prompt], dtype="int32", ctx=ctx))
    tokens: list[int] = []
    for _ in range(whole("length", length)):
        scores = logits[0, -1].asnumpy().astype("float64")  # (V,)
        if temperature == 0:
            tokens.append(int(scores.argmax()))
        else:
            p = np.exp((scores - scores.max()) / temperature)
            tokens.append(int(draw.choice(len(p), p=p / p.sum())))
        logits, states = model(nd.array([tokens[-1:]], dtype="int32", ctx=ctx), states)
    return tokens


class Classifier(Keywords, Block):
    r"""One class for a whole sequence.

    Source: document 001, "sequence to class".

    .. math:: \hat y = g(h_T) \qquad\text{or}\qquad \hat y = g\Big(\frac1T \sum_t h_t\Big)

    Parameters: ``layer`` any sequence layer; ``classes`` Q; ``pool`` "last" or "mean"; ``embed`` a
    block that makes vectors of the inputs, such as :class:`TokenEmbedding`.

    Inputs and outputs: inputs (N, T, C), or what ``embed`` takes, and ``valid_length`` (N,) to
    logits (N, Q). Padding changes neither h_T nor the mean.

    Raises: ``ValueError``, ``TypeError`` naming the argument.

    >>> model = Classifier(RNN(GRUCell(8)), classes=3, pool="mean")
    >>> model.initialize()
    >>> model(mx.nd.ones((2, 7, 4)), valid_length=[7, 5]).shape
    (2, 3)
    """

    def __init__(
        self,
        layer: Layer,
        classes: int,
        pool: str = "last",
        embed: Block | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self._pool = one_of("pool", pool, ("last", "mean"))
        with self.name_scope():
            self.embed = embed
            self.layer = instance("layer", layer, Layer)
            self.decoder = Readout(whole("classes", classes))

    def forward(self, inputs: nd.NDArray, valid_length: Any = None) -> nd.NDArray:
        h, valid_length = _outputs(self, inputs, valid_length)
        T = h.shape[1]
        lengths = np.full(len(h), T) if valid_length is None else valid_length
        lengths = nd.array(lengths, ctx=h.context, dtype=h.dtype)
        if self._pool == "last":
            pooled = nd.SequenceLast(nd.swapaxes(h, 0, 1), lengths, use_sequence_length=True)
        else:
            pooled = nd.broadcast_div(h.sum(axis=1), lengths.expand_dims(1))
        return self.decoder(pooled)


class Labeller(Keywords, Block):
    r"""One label for every step.

    Source: document 001, "synchronous sequence to sequence".

    .. math:: \hat y_t = g(h_t), \qquad t = 1 \ldots T

    Parameters: ``layer`` any sequence layer; ``labels`` Q; ``embed`` as in :class:`Classifier`.

    Inputs and outputs: inputs (N, T, C), or what ``embed`` takes, and ``valid_length`` (N,) to
    logits (N, T, Q), of which :meth:`scored` takes what a loss or a measure should count.

    Raises: ``ValueError``, ``TypeError`` naming the argument.

    >>> model = Labeller(Bidirectional(RNN(GRUCell(8)), RNN(GRUCell(8))), labels=3)
    >>> model.initialize()
    >>> model(mx.nd.ones((2, 7, 4)), valid_length=[7, 5]).shape
    (2, 7, 3)
    """

    def __init__(
        self, layer: Layer, labels: int, embed: Block | None = None, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        with self.name_scope():
            self.embed = embed
            self.layer = instance("layer", layer, Layer)
            self.decoder = Readout(whole("labels", labels))

    def scored(
        self, logits: nd.NDArray, labels: nd.NDArray, inputs: nd.NDArray, valid_length: Any = None
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Logits (n, Q) and labels, (n,) or (n, Q), of the n steps that are no padding."""
        if valid_length is None:
            return logits, labels
        lengths = _lengths(inputs, valid_length)
        inside = np.flatnonzero(np.arange(inputs.shape[1]) < lengths[:, None])
        inside = nd.array(inside, dtype="int32", ctx=logits.context)
        flat = (-3, 0) if labels.ndim == logits.ndim else -1
        return logits.reshape((-3, 0)).take(inside), labels.reshape(flat).take(inside)

    def forward(self, inputs: nd.NDArray, valid_length: Any = None) -> nd.NDArray:
        h, _ = _outputs(self, inputs, valid_length)
        return self.decoder(h)
