"""From a sequence layer to an answer: a class, a label per step, the next token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gluonnlp
import numpy as np
from gluonnlp.model import BeamSearchSampler, BeamSearchScorer
from mxnet import nd
from mxnet.gluon import Block, nn

from gluon_rnn.cells import Cell
from gluon_rnn.checks import (
    Keywords,
    array,
    indices,
    instance,
    one_of,
    require,
    sequence_lengths,
    whole,
)
from gluon_rnn.layers import Layer, silence_past_the_end

__all__ = [
    "Classifier",
    "EncoderDecoder",
    "Labeller",
    "LanguageModel",
    "TokenEmbedding",
    "generate",
]


class Readout(nn.Dense):
    """V h + c along the last axis, with a gradient of c that is right beside a frozen V."""

    def hybrid_forward(self, F, x, weight, bias):
        return Cell._affine(F, x, weight, bias, self._units)


def _lengths(argument: str, inputs: nd.NDArray, valid_length: Any) -> np.ndarray | None:
    """``valid_length`` read from the host and checked against inputs (N, T, ...)."""
    array(argument, inputs)
    require(inputs.ndim >= 2, argument, "axes (N, T, ...)", inputs.shape)
    return None if valid_length is None else sequence_lengths(valid_length, *inputs.shape[:2])


def _embedded(embed: Block | None, inputs: nd.NDArray, lengths: np.ndarray | None) -> nd.NDArray:
    """Vectors (N, T, C). The padding becomes zeros, or token 0, before: it reaches no gradient."""
    if lengths is not None:
        inputs = silence_past_the_end(inputs, nd.array(lengths, ctx=inputs.context))
    return inputs if embed is None else embed(inputs)


def _answered(head: Block, h: nd.NDArray, count: int) -> nd.NDArray:
    """The head's logits, of which there must be ``count`` for each h."""
    logits, shape = head(h), (*h.shape[:-1], count)
    require(logits.shape == shape, "head", f"outputs {shape}", logits.shape)
    return logits


def _not_padded(logits: nd.NDArray, labels: nd.NDArray, lengths: np.ndarray | None):
    """Logits (n, Q) and labels, (n,) or (n, Q), of the n steps within ``lengths``."""
    if lengths is None:
        return logits, labels
    inside = np.flatnonzero(np.arange(logits.shape[1]) < lengths[:, None])
    inside = nd.array(inside, dtype="int32", ctx=logits.context)
    flat = (-3, 0) if labels.ndim == logits.ndim else -1
    return logits.reshape((-3, 0)).take(inside), labels.reshape(flat).take(inside)


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
        indices("tokens", tokens, self._V)
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
        self.vocab_size = whole("vocab_size", vocab_size)
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
    prompt: Sequence[int] | str,
    length: int,
    temperature: float = 1.0,
    seed: int = 0,
    top_k: int | None = None,
    vocab: gluonnlp.Vocab | None = None,
) -> list[int] | str:
    """Continue ``prompt`` by ``length`` tokens, drawn one at a time from the model.

    Parameters: ``temperature`` divides the logits: 1 draws as the model predicts, towards 0 the
    likeliest token wins, at 0 always; ``seed`` of the draws; ``top_k`` draws among so many of the
    likeliest; ``vocab`` for a prompt of characters: then the continuation is text, too.

    Raises: ``ValueError`` for an empty prompt, a character that is not in ``vocab``, a negative
    temperature, and a ``top_k`` outside 1..V.
    """
    require(len(prompt) > 0, "prompt", "at least one token", "none")
    require(temperature >= 0, "temperature", "at least 0", temperature)
    written = isinstance(prompt, str)
    if written:
        instance("vocab", vocab, gluonnlp.Vocab)
        unknown = [symbol for symbol in prompt if symbol not in vocab]
        require(not unknown, "prompt", "characters of the vocabulary", unknown[:3])
        prompt = vocab[list(prompt)]
    V, draw = model.vocab_size, np.random.RandomState(seed)
    k = V if top_k is None else whole("top_k", top_k)
    require(k <= V, "top_k", f"at most {V}", k)
    ctx = model.decoder.weight.list_ctx()[0]
    logits, states = model(nd.array([prompt], dtype="int32", ctx=ctx))
    tokens: list[int] = []
    for _ in range(whole("length", length)):
        scores = logits[0, -1].asnumpy().astype("float64")  # (V,)
        if temperature == 0:
            tokens.append(int(scores.argmax()))
        else:
            scores[np.argsort(-scores, kind="stable")[k:]] = -np.inf
            p = np.exp((scores - scores.max()) / temperature)
            tokens.append(int(draw.choice(V, p=p / p.sum())))
        logits, states = model(nd.array([tokens[-1:]], dtype="int32", ctx=ctx), states)
    return "".join(vocab.to_tokens(tokens)) if written else tokens


class Classifier(Keywords, Block):
    r"""One class for a whole sequence.

    Source: document 001, "sequence to class".

    .. math:: \hat y = g(h_T) \qquad\text{or}\qquad \hat y = g\Big(\frac1T \sum_t h_t\Big)

    Parameters: ``layer`` any sequence layer; ``classes`` Q; ``pool`` "last" or "mean"; ``embed`` a
    block that makes vectors of the inputs, such as :class:`TokenEmbedding`; ``head`` a block g from
    (N, H) to (N, Q), linear if ``None``.

    Inputs and outputs: inputs (N, T, C), or what ``embed`` takes, and ``valid_length`` (N,) to
    logits (N, Q). Padding changes neither h_T nor the mean. Of two directions "last" takes each
    one's own last state: o_T holds the backward layer after a single step.

    Raises: ``ValueError``, ``TypeError`` naming the argument; for a head of another width.

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
        head: Block | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self._pool = one_of("pool", pool, ("last", "mean"))
        self._Q = whole("classes", classes)
        with self.name_scope():
            self.embed = embed
            self.layer = instance("layer", layer, Layer)
            self.decoder = Readout(classes) if head is None else instance("head", head, Block)

    def forward(self, inputs: nd.NDArray, valid_length: Any = None) -> nd.NDArray:
        lengths = _lengths("inputs", inputs, valid_length)
        x = _embedded(self.embed, inputs, lengths)  # (N, T, C)
        if self._pool == "last":
            pooled = self.layer.final(x, None, lengths)  # (N, H)
        else:
            h, _ = self.layer(x, None, lengths)
            n = np.full(len(h), h.shape[1]) if lengths is None else lengths
            n = nd.array(n, ctx=h.context, dtype=h.dtype)
            pooled = nd.broadcast_div(h.sum(axis=1), n.expand_dims(1))
        return _answered(self.decoder, pooled, self._Q)


class Labeller(Keywords, Block):
    r"""One label for every step.

    Source: document 001, "synchronous sequence to sequence".

    .. math:: \hat y_t = g(h_t), \qquad t = 1 \ldots T

    Parameters: ``layer`` any sequence layer; ``labels`` Q; ``embed`` and ``head`` as in
    :class:`Classifier`, the head from (N, T, H) to (N, T, Q).

    Inputs and outputs: inputs (N, T, C), or what ``embed`` takes, and ``valid_length`` (N,) to
    logits (N, T, Q), of which :meth:`scored` takes what a loss or a measure should count.

    Raises: ``ValueError``, ``TypeError`` naming the argument; for a head of another width.

    >>> model = Labeller(Bidirectional(RNN(GRUCell(8)), RNN(GRUCell(8))), labels=3)
    >>> model.initialize()
    >>> model(mx.nd.ones((2, 7, 4)), valid_length=[7, 5]).shape
    (2, 7, 3)
    """

    def __init__(
        self,
        layer: Layer,
        labels: int,
        embed: Block | None = None,
        head: Block | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self._Q = whole("labels", labels)
        with self.name_scope():
            self.embed = embed
            self.layer = instance("layer", layer, Layer)
            self.decoder = Readout(labels) if head is None else instance("head", head, Block)

    def scored(
        self, logits: nd.NDArray, labels: nd.NDArray, inputs: nd.NDArray, valid_length: Any = None
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Logits (n, Q) and labels, (n,) or (n, Q), of the n steps that are no padding."""
        return _not_padded(logits, labels, _lengths("inputs", inputs, valid_length))

    def forward(self, inputs: nd.NDArray, valid_length: Any = None) -> nd.NDArray:
        lengths = _lengths("inputs", inputs, valid_length)
        h, _ = self.layer(_embedded(self.embed, inputs, lengths), None, lengths)
        return _answered(self.decoder, h, self._Q)  # (N, T, Q)


class EncoderDecoder(Keywords, Block):
    r"""A sequence for a sequence, each of its own length: one network reads, another writes.

    Source: document 001, "asynchronous sequence to sequence"; document 002, "Seq2Seq"; Cho et al.
    2014; Sutskever et al. 2014.

    .. math::
        h_t &= f_1(h_{t-1}, x_t), \qquad t = 1 \ldots T \\
        s_t &= f_2(s_{t-1}, y_{t-1}), \qquad s_0 = h_T \\
        p(y_t \mid y_{<t}, x) &= \mathrm{softmax}(g(s_t))

    y_0, which document 001 leaves open, is the token ``begin``; the token ``end`` closes a target.

    Parameters: ``encoder`` f_1 and ``decoder`` f_2, sequence layers with states of equal widths;
    ``source_size``, ``target_size`` the numbers of tokens; ``embedding_size`` E; ``begin``,
    ``end`` tokens of the target.

    Inputs and outputs: source (N, S), its lengths (N,) or ``None``, target (N, T) with ``end`` and
    without ``begin``, its lengths, to logits (N, T, V) of the target's tokens, each after the true
    ones before it (teacher forcing): the labels are the target. Padding changes nothing.

    Raises: ``ValueError``, ``TypeError`` naming the argument; where the states do not fit.

    >>> reader, writer = RNN(GRUCell(8)), RNN(GRUCell(8))
    >>> model = EncoderDecoder(reader, writer, 10, 12, embedding_size=5, begin=0, end=1)
    >>> model.initialize()
    >>> model(mx.nd.ones((2, 7)), [7, 5], mx.nd.ones((2, 4)), [4, 2]).shape
    (2, 4, 12)
    >>> len(model.write(mx.nd.ones((2, 7)), length=4, beam=3))
    2
    """

    def __init__(
        self,
        encoder: Layer,
        decoder: Layer,
        source_size: int,
        target_size: int,
        embedding_size: int,
        begin: int,
        end: int,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        widths = [
            [info["shape"][1] for info in instance(name, layer, Layer).state_info()]
            for name, layer in (("encoder", encoder), ("decoder", decoder))
        ]
        require(widths[0] == widths[1], "decoder", f"states {widths[0]} as the encoder", widths[1])
        self._V = whole("target_size", target_size)
        indices("begin, end", np.array([begin, end]), self._V)
        require(begin != end, "end", "another token than begin", end)
        self._begin, self._end = begin, end
        with self.name_scope():
            self.encoder, self.decoder = encoder, decoder
            self.read = TokenEmbedding(source_size, embedding_size)
            self.reread = TokenEmbedding(target_size, embedding_size)
            self.readout = Readout(target_size)

    def encode(self, source: nd.NDArray, source_length: Any = None) -> list[nd.NDArray]:
        """h_T of each source (N, S), where the decoder begins."""
        lengths = _lengths("source", source, source_length)
        return self.encoder(_embedded(self.read, source, lengths), None, lengths)[1]

    def decode(
        self, tokens: nd.NDArray, states: list[nd.NDArray], valid_length: Any = None
    ) -> tuple[nd.NDArray, list[nd.NDArray]]:
        """Logits (N, T, V) after each of tokens (N, T), and the decoder's last states."""
        s, states = self.decoder(self.reread(tokens), states, valid_length)
        return self.readout(s), states

    def forward(
        self,
        source: nd.NDArray,
        source_length: Any,
        target: nd.NDArray,
        target_length: Any = None,
    ) -> nd.NDArray:
        lengths = _lengths("target", target, target_length)
        target = _embedded(None, target, lengths)
        before = nd.concat(nd.zeros_like(target[:, :1]) + self._begin, target[:, :-1], dim=1)
        return self.decode(before, self.encode(source, source_length), lengths)[0]

    def scored(
        self,
        logits: nd.NDArray,
        labels: nd.NDArray,
        source: nd.NDArray,
        source_length: Any,
        target: nd.NDArray,
        target_length: Any = None,
    ) -> tuple[nd.NDArray, nd.NDArray]:
        """Logits (n, V) and labels (n,) of the n steps that are no padding."""
        return _not_padded(logits, labels, _lengths("target", target, target_length))

    def write(
        self, source: nd.NDArray, length: int, beam: int = 1, source_length: Any = None
    ) -> list[list[int]]:
        """The likeliest target found for each source, of at most ``length`` tokens, without end.

        Free running: every token is fed the one before it that the model itself chose. ``beam`` B:
        after each token the B likeliest beginnings are kept, by gluonnlp's ``BeamSearchSampler``;
        1 takes the likeliest token each time.
        """
        require(whole("beam", beam) <= self._V, "beam", f"at most {self._V}", beam)
        sums = BeamSearchScorer(alpha=0, from_logits=False)  # log p, without a prize for length
        search = BeamSearchSampler(beam, self._next, self._end, sums, whole("length", length))
        begin = nd.full(source.shape[:1], self._begin, ctx=source.context)
        samples, _, lengths = search(begin, self.encode(source, source_length))
        rows = zip(samples[:, 0].asnumpy().tolist(), lengths[:, 0].asnumpy().tolist(), strict=True)
        return [row[1 : int(n) - 1] for row, n in rows]  # without begin and end

    def _next(self, tokens: nd.NDArray, states: list[nd.NDArray]):
        logits, states = self.decode(tokens.expand_dims(1), states)
        return logits[:, 0], states
