"""Heads on sequence layers: padding, tokens out of range, and drawing text."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd

from gluon_rnn import (
    RNN,
    Bidirectional,
    Classifier,
    ElmanCell,
    GRUCell,
    Labeller,
    LanguageModel,
    LSTMCell,
    Stacked,
    TokenEmbedding,
    generate,
)


def ready(model):
    mx.random.seed(0)
    model.initialize(mx.init.Uniform(0.5))
    return model


def language_model(V=7, layer=None):
    return ready(LanguageModel(V, layer or RNN(GRUCell(8)), 5))


TOKENS = nd.array([[1, 2, 3, 4], [6, 5, 0, 0]], dtype="int32")


def test_a_language_model_goes_on_where_it_stopped():
    model = language_model(layer=Stacked(RNN(LSTMCell(8)), RNN(GRUCell(6))))
    logits, states = model(TOKENS)
    assert logits.shape == (2, 4, 7)
    first, carried = model(TOKENS[:, :2])
    second, carried = model(TOKENS[:, 2:], carried)
    joined = nd.concat(first, second, dim=1)
    assert joined.asnumpy() == pytest.approx(logits.asnumpy(), abs=1e-6)
    assert [s.shape for s in carried] == [s.shape for s in model.begin_state(2)]
    for a, b in zip(carried, states, strict=True):
        assert a.asnumpy() == pytest.approx(b.asnumpy(), abs=1e-6)


def test_a_language_model_sees_no_future():
    model = language_model()
    changed = TOKENS.copy()
    changed[:, 3] = 1
    before, after = model(TOKENS)[0].asnumpy(), model(changed)[0].asnumpy()
    assert np.array_equal(before[:, :3], after[:, :3])
    assert not np.array_equal(before[:, 3], after[:, 3])


@pytest.mark.parametrize(
    ("tokens", "error", "words"),
    [
        (nd.array([[0, 7]]), ValueError, r"tokens: .* from 0 to 6, received \[7"),
        (nd.array([[-1, 2]]), ValueError, r"received \[-1"),
        (nd.array([[1.5]]), ValueError, r"received \[1.5\]"),
        (nd.array([[np.nan]]), ValueError, r"received \[nan\]"),
        (nd.array([1, 2]), ValueError, r"tokens: expected axes \(N, T\), received \(2,\)"),
        (np.array([[1, 2]]), TypeError, "tokens: expected a NDArray, received ndarray"),
    ],
)
def test_tokens_outside_the_vocabulary(tokens, error, words):
    with pytest.raises(error, match=words):
        language_model()(tokens)


def test_an_embedding_is_rows_of_a_table():
    embed = ready(TokenEmbedding(7, 3))
    table = embed.table.weight.data().asnumpy()
    assert np.array_equal(embed(TOKENS).asnumpy(), table[TOKENS.asnumpy()])


@pytest.mark.parametrize("pool", ["last", "mean"])
@pytest.mark.parametrize("both_ways", [False, True])
def test_padding_never_changes_a_class(pool, both_ways):
    layer = Bidirectional(RNN(GRUCell(4)), RNN(LSTMCell(4))) if both_ways else RNN(LSTMCell(4))
    model = ready(Classifier(layer, 3, pool, embed=TokenEmbedding(7, 5)))
    lengths = [4, 2]
    padded = model(TOKENS, lengths).asnumpy()
    alone = [model(TOKENS[n : n + 1, :T]).asnumpy()[0] for n, T in enumerate(lengths)]
    assert padded == pytest.approx(np.array(alone), abs=1e-6)
    garbage = TOKENS.copy()
    garbage[1, 2:] = 6
    assert np.array_equal(model(garbage, lengths).asnumpy(), padded)
    assert not np.array_equal(model(garbage).asnumpy()[1], padded[1])


def test_the_mean_is_the_mean():
    model = ready(Classifier(RNN(ElmanCell(4)), 3, "mean"))
    x = nd.random.normal(shape=(2, 5, 3))
    h, _ = model.layer(x)
    expected = model.decoder(h.mean(axis=1)).asnumpy()
    assert model(x).asnumpy() == pytest.approx(expected, abs=1e-6)


def test_a_labeller_labels_every_step():
    model = ready(Labeller(RNN(ElmanCell(4)), 3, embed=TokenEmbedding(7, 5)))
    h, _ = model.layer(model.embed(TOKENS))
    assert model(TOKENS).shape == (2, 4, 3)
    step = model.decoder(h[:, 2:3]).asnumpy()
    assert model(TOKENS)[:, 2:3].asnumpy() == pytest.approx(step, abs=1e-6)


def test_a_cold_draw_is_the_likeliest_and_a_seed_repeats():
    model = language_model()
    greedy = generate(model, [1, 2], 12, temperature=0)
    logits, _ = model(nd.array([[1, 2, *greedy[:-1]]], dtype="int32"))
    assert greedy == logits[0, 1:].argmax(axis=1).asnumpy().astype(int).tolist()
    assert generate(model, [1, 2], 12, temperature=1e-4, seed=5) == greedy
    warm = generate(model, [1, 2], 40, seed=5)
    assert warm == generate(model, [1, 2], 40, seed=5)
    assert warm != generate(model, [1, 2], 40, seed=6)


def test_draws_follow_the_model():
    model = language_model()
    p = nd.softmax(model(nd.array([[3]], dtype="int32"))[0][0, -1]).asnumpy()
    firsts = [generate(model, [3], 1, seed=s)[0] for s in range(600)]
    share = np.bincount(firsts, minlength=7) / 600
    assert np.abs(share - p).max() < 5 * np.sqrt(0.25 / 600)
    assert np.abs(share - p).max() < np.abs(share - 1 / 7).max()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: generate(m, [], 3), "prompt: expected at least one token"),
        (lambda m: generate(m, [1], 0), "length: expected at least 1, received 0"),
        (lambda m: generate(m, [1], 3, temperature=-1), "temperature: expected at least 0"),
        (lambda m: generate(m, [9], 3), "tokens: expected whole numbers from 0 to 6"),
        (lambda m: Classifier(m.layer, 0), "classes: expected at least 1"),
        (lambda m: Classifier(m.layer, 2, "max"), "pool: expected one of 'last', 'mean'"),
        (lambda m: Labeller(m.layer, 0), "labels: expected at least 1"),
        (lambda m: LanguageModel(0, m.layer, 3), "vocab_size: expected at least 1"),
        (lambda m: LanguageModel(3, m.layer, 0), "embedding_size: expected at least 1"),
    ],
)
def test_what_a_head_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call(language_model())


def test_a_head_wants_a_layer():
    for make in (lambda: Classifier(GRUCell(2), 2), lambda: LanguageModel(3, GRUCell(2), 2)):
        with pytest.raises(TypeError, match="layer: expected a Layer, received GRUCell"):
            make()


def test_a_classifier_reads_the_last_state_or_the_mean():
    x = nd.array(np.random.RandomState(0).normal(size=(2, 5, 3)))
    for pool in ("last", "mean"):
        model = ready(Classifier(RNN(GRUCell(4)), 2, pool))
        logits = model(x)
        h, _ = model.layer(x)
        read = h[:, -1] if pool == "last" else h.mean(axis=1)
        assert logits.asnumpy() == pytest.approx(model.decoder(read).asnumpy(), abs=1e-6)


def test_text_is_drawn_where_the_model_is():
    model = language_model()
    expected = generate(model, [1, 2], 8, seed=4)
    model.collect_params().reset_ctx(mx.cpu(1))
    assert generate(model, [1, 2], 8, seed=4) == expected


@pytest.mark.parametrize("make", [Classifier, Labeller])
def test_a_head_wants_an_array_of_mxnet(make):
    model = ready(make(RNN(GRUCell(4)), 2))
    with pytest.raises(TypeError, match="inputs: expected a NDArray, received ndarray"):
        model(np.ones((2, 5, 3)), [5, 2])


@pytest.mark.parametrize("share", [1, 1.5, -0.1])
def test_dropout_is_a_share(share):
    with pytest.raises(ValueError, match="dropout: expected at least 0 and less than 1"):
        LanguageModel(7, RNN(GRUCell(4)), 5, dropout=share)
