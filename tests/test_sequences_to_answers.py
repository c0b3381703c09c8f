"""From text, series and arithmetic to batches, to sequences that answer sequences, to the best."""

import http.server
import math
import os
import threading
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd

from gluon_rnn import (
    RNN,
    Bidirectional,
    Classifier,
    EncoderDecoder,
    GRUCell,
    JordanCell,
    Labeller,
    LanguageModel,
    LSTMCell,
    PaddedBatches,
    RandomWindows,
    Stacked,
    TokenEmbedding,
    accuracy,
    additions,
    encode,
    fit,
    generate,
    perplexity,
    series_windows,
    split_words,
    time_machine,
    vocabulary,
)


def ready(model, seed=0):
    mx.random.seed(seed)
    model.initialize(mx.init.Uniform(0.5), force_reinit=True)
    return model


# --- symbols ---------------------------------------------------------------------------------


def test_words_are_symbols_as_characters_are():
    words = split_words("No, it's 3 循环 nets.\n")
    assert words == ["No", ",", "it", "'", "s", "3", "循环", "nets", "."]
    vocab = vocabulary([words, ["nets", "s"]], max_size=2)
    assert vocab.idx_to_token == ["<unk>", "nets", "s"]
    assert encode(words, vocab).tolist() == [0, 0, 0, 0, 2, 0, 0, 1, 0]
    assert vocabulary(["abba"], unknown=False).idx_to_token == ["a", "b"]


# --- windows ---------------------------------------------------------------------------------


def test_random_windows_come_from_everywhere_and_do_not_overlap():
    batches, seen, offsets = RandomWindows(np.arange(50), 3, 4, seed=1), set(), set()
    for _ in range(40):
        starts = []
        for x, y in batches:
            assert (y - x).asnumpy().tolist() == [[1] * 4] * 3
            assert (x[:, 1:] - x[:, :-1]).asnumpy().tolist() == [[1] * 3] * 3
            starts += x[:, 0].asnumpy().tolist()
            assert x.dtype == np.int32
        assert len(starts) == 3 * len(batches) == 9
        assert len({start % 4 for start in starts}) == 1  # one offset a pass, so no overlap
        assert len(set(starts)) == 9
        assert starts != sorted(starts)
        seen |= set(starts)
        offsets.add(starts[0] % 4)
    assert offsets == {0, 1, 2, 3}
    assert seen == set(range(48 - 4))  # every window that can begin a label row


def test_random_windows_are_repeatable():
    first, second, other = (RandomWindows(np.arange(99), 2, 5, seed=s) for s in (4, 4, 5))
    passes = [[[x.asnumpy().tolist() for x, _ in b] for _ in range(2)] for b in (first, second)]
    assert passes[0] == passes[1]
    assert passes[0][0] != passes[0][1]
    assert [x.asnumpy().tolist() for x, _ in other] != passes[0][0]


def test_padded_batches_hold_everything_once_and_like_with_like():
    draw = np.random.RandomState(0)
    texts = [draw.randint(1, 9, size=n) for n in draw.randint(1, 40, size=57)]
    batches = PaddedBatches(texts, labels=range(57), batch_size=8, buckets=4, seed=2)
    orders = []
    for _ in range(2):
        found, padding = {}, 0
        for x, lengths, labels in batches:
            assert x.shape == (len(lengths), max(lengths))
            padding += x.size - lengths.sum()
            for row, n, k in zip(x.asnumpy(), lengths, labels.asnumpy(), strict=True):
                found[int(k)] = row[:n].tolist()
                assert not row[n:].any()
        orders.append(list(found))
        assert sorted(found) == list(range(57))
        assert all(found[k] == texts[k].tolist() for k in found)
    assert orders[0] != orders[1]
    one_bucket = PaddedBatches(texts, labels=range(57), batch_size=8, buckets=1, seed=2)
    assert padding < 0.5 * sum(x.size - n.sum() for x, n, _ in one_bucket)
    assert len(list(batches)) == len(batches)
    again = PaddedBatches(texts, labels=range(57), batch_size=8, buckets=4, seed=2)
    first = next(iter(again))[2].asnumpy().tolist()
    assert first == orders[0][: len(first)]
    fixed = PaddedBatches(texts, labels=range(57), batch_size=8)
    assert [b[2].asnumpy().tolist() for b in fixed] == [b[2].asnumpy().tolist() for b in fixed]


def test_padded_batches_of_vectors_and_of_labels_by_step():
    sequences = [np.ones((2, 3)), np.ones((4, 3))]
    (x, lengths, labels), *_ = PaddedBatches(
        sequences, labels=[[1, 2], [3, 4, 5, 6]], batch_size=2, buckets=1
    )
    assert x.shape == (2, 4, 3)
    assert lengths.tolist() == [2, 4]
    assert labels.asnumpy().tolist() == [[1, 2, 0, 0], [3, 4, 5, 6]]


def test_a_series_is_cut_in_time():
    y = np.arange(100.0)
    parts = series_windows(y, length=5, horizon=2, validation=0.1, test=0.3)
    said = [set(after.ravel()) for _, after in parts]
    assert said == [set(range(5, 60)), set(range(60, 70)), set(range(70, 100))]
    for before, after in parts:
        assert before.shape[1:] == (5, 1)
        assert after.shape[1:] == (2, 1)
        assert (after[:, 0, 0] == before[:, -1, 0] + 1).all()
        assert (np.diff(before, axis=1) == 1).all()
    two = series_windows(np.stack([y, -y], axis=1), 3)
    assert two[0][0].shape[1:] == (3, 2)


@pytest.mark.parametrize("base", [2, 3, 10])
def test_sums_add_up(base):
    numbers, sums = additions(3, base=base)
    place = base ** np.arange(3)
    assert ((numbers * place[:, None]).sum(axis=(1, 2)) == (sums * place).sum(axis=1)).all()
    assert len(numbers) == math.ceil(base**3 / 2) ** 2 == len(np.unique(numbers, axis=0))
    assert numbers.max() == sums.max() == base - 1
    drawn, _ = additions(8, 100, base, seed=3)
    assert drawn.shape == (100, 8, 2)
    assert not np.array_equal(drawn, additions(8, 100, base, seed=4)[0])


# --- the famous text -------------------------------------------------------------------------

TEXT = Path(__file__).parents[1].parent / "shared" / "data" / "timemachine.txt"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves what is put into ``pages`` on the loopback; counts the requests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pages, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            told, data = pages.get(self.path, (None, None))
            if data is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(told))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield pages, asked, f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_the_time_machine_is_fetched_once_and_whole(server, tmp_path, monkeypatch):
    pages, asked, url = server
    text = b"The Time Machine, by H. G. Wells [1898]\n\n" * 50
    monkeypatch.setattr("gluon_rnn.data._SHA1", __import__("hashlib").sha1(text).hexdigest())
    pages["/whole"], pages["/cut"] = (len(text), text), (len(text), text[:99])
    pages["/altered"] = (len(text), text.replace(b"Wells", b"Welles"))
    with pytest.raises(ConnectionError, match=r"/cut, received IncompleteRead.*pass path="):
        time_machine(url=url + "/cut")
    with pytest.raises(ValueError, match=r"time_machine: expected a file of SHA-1 .* received"):
        time_machine(url=url + "/altered")
    with pytest.raises(ConnectionError, match="received HTTPError"):
        time_machine(url=url + "/none")
    assert not any(tmp_path.rglob("*.txt"))
    assert time_machine(url=url + "/whole") == text.decode()
    assert time_machine(url=url + "/whole") == text.decode()
    assert asked.count("/whole") == 1
    kept = next(tmp_path.rglob("timemachine.txt"))
    assert [f.name for f in kept.parent.iterdir()] == ["timemachine.txt"]
    kept.write_bytes(text[:40])  # a copy that went bad is fetched again
    assert time_machine(url=url + "/whole") == text.decode()
    assert asked.count("/whole") == 2
    assert time_machine(kept, url=url + "/none") == text.decode()


def test_the_time_machine_offline_and_without_a_place_to_keep_it(server, tmp_path, monkeypatch):
    pages, _, url = server
    with pytest.raises(ConnectionError, match=r"with a copy of your own, pass path="):
        time_machine(url="http://127.0.0.1:9/nobody")
    text = b"The Time Machine\n"
    monkeypatch.setattr("gluon_rnn.data._SHA1", __import__("hashlib").sha1(text).hexdigest())
    pages["/whole"] = (len(text), text)
    (tmp_path / "gluon_rnn").write_text("a file where the folder should be")
    assert time_machine(url=url + "/whole") == text.decode()


if TEXT.exists():

    def test_the_checksum_is_that_of_the_famous_text(server):
        pages, _, url = server
        data = TEXT.read_bytes()
        pages["/t"] = (len(data), data)
        text = time_machine(url=url + "/t")
        assert text.count("\n") == 3221
        assert os.path.getsize(TEXT) == 178979


# --- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("merge", ["concat", "sum"])
@pytest.mark.parametrize("lengths", [None, [6, 3]])
def test_of_two_directions_the_last_states_are_each_ones_own(merge, lengths):
    """Both last states of the cells alone, and not o_T, which knows one input from behind."""
    ahead, back = RNN(GRUCell(4)), RNN(GRUCell(4))
    layer = Stacked(RNN(LSTMCell(3)), Bidirectional(ahead, back, merge))
    width = 8 if merge == "concat" else 4
    model = ready(Classifier(layer, width, head=gluon.nn.Lambda(lambda h: h)))
    x = nd.random.uniform(shape=(2, 6, 3))
    got = model(x, lengths).asnumpy()
    h, _ = model.layer._parts[0](x, None, lengths)
    for n, T in enumerate(lengths or [6, 6]):
        own = h[n : n + 1, :T]
        ends = [ahead(own)[1][0], back(nd.flip(own, axis=1))[1][0]]
        expected = nd.concat(*ends, dim=1) if merge == "concat" else ends[0] + ends[1]
        assert got[n] == pytest.approx(expected.asnumpy()[0], abs=1e-6)
        assert got[n] != pytest.approx(model.layer(own)[0][0, -1].asnumpy(), abs=1e-3)


def test_a_head_may_be_any_block_of_the_right_width():
    def head():
        block = gluon.nn.HybridSequential()
        block.add(gluon.nn.Dense(7, "tanh", flatten=False), gluon.nn.Dense(3, flatten=False))
        return block

    x = nd.ones((2, 5, 4))
    by_class = ready(Classifier(RNN(GRUCell(6)), 3, head=head()))
    by_step = ready(Labeller(RNN(GRUCell(6)), 3, head=head()))
    assert by_class(x).shape == (2, 3)
    assert by_step(x).shape == (2, 5, 3)
    assert len(by_step.collect_params().keys()) == 8
    flat = ready(Labeller(RNN(GRUCell(6)), 3, head=gluon.nn.Dense(3)))
    with pytest.raises(ValueError, match=r"head: expected outputs \(2, 5, 3\), received \(2, 3\)"):
        flat(x)
    with pytest.raises(TypeError, match="head: expected a Block, received str"):
        Classifier(RNN(GRUCell(6)), 3, head="linear")


def pairs(make=lambda: RNN(GRUCell(9)), seed=0):
    return ready(EncoderDecoder(make(), make(), 6, 7, 4, begin=0, end=1), seed)


SOURCE, TARGET = nd.array([[1, 2, 3, 4], [5, 3, 0, 0]]), nd.array([[2, 3, 1], [4, 1, 0]])
CELLS = [lambda: RNN(GRUCell(9)), lambda: RNN(LSTMCell(9, peephole=True))]
CELLS.append(lambda: Stacked(RNN(LSTMCell(5)), RNN(GRUCell(9))))


@pytest.mark.parametrize("make", CELLS)
def test_an_encoder_decoder_is_two_loops_and_a_readout(make):
    """Source, begin token, teacher forcing: all logits from the parts, one step at a time."""
    model = pairs(make)
    logits = model(SOURCE, [4, 2], TARGET, [3, 2]).asnumpy()
    for n, (S, T) in enumerate([(4, 3), (2, 2)]):
        _, s = model.encoder(model.read(SOURCE[n : n + 1, :S]))
        before = 0
        for t in range(T):
            o, s = model.decoder(model.reread(nd.array([[before]])), s)
            assert logits[n, t] == pytest.approx(model.readout(o).asnumpy()[0, 0], abs=1e-5)
            before = TARGET[n, t].asscalar()


def test_padding_of_a_pair_changes_nothing():
    model, loss = pairs(), gluon.loss.SoftmaxCrossEntropyLoss()
    results = []
    for pad in (0, 1, 3):
        source = nd.concat(SOURCE, nd.full((2, pad + 1), 5), dim=1)
        target = nd.concat(TARGET, nd.full((2, pad + 1), 6), dim=1)
        with autograd.record():
            logits = model(source, [4, 2], target, [3, 2])
            value = loss(*model.scored(logits, target, source, [4, 2], target, [3, 2])).mean()
        value.backward()
        gradients = [p.grad().asnumpy().copy() for p in model.collect_params().values()]
        results.append([np.array(value.asscalar()), *gradients])
        written = model.write(source, 4, source_length=[4, 2])
        assert written == model.write(SOURCE, 4, source_length=[4, 2])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert a == pytest.approx(b, abs=1e-6)


def likeliest(model, source, length):
    """By trying all of them: the target of at most ``length`` tokens with the largest p."""
    V, begin, end = 7, 0, 1
    best = (-math.inf, None)
    states = model.encode(source)
    open_ends = [((), 0.0, begin, states)]
    for _ in range(length):
        longer = []
        for written, score, token, s in open_ends:
            logits, s = model.decode(nd.array([[token]]), s)
            log_p = nd.log_softmax(logits[0, 0]).asnumpy()
            best = max(best, (score + log_p[end], written))
            longer += [((*written, v), score + log_p[v], v, s) for v in range(V) if v != end]
        open_ends = longer
    return max([best, *((score, written) for written, score, _, _ in open_ends)])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_beams_find_what_trying_everything_finds(seed):
    """The greedy path by argmax; and with every beginning kept, the likeliest target of all."""
    model = ready(pairs(lambda: RNN(GRUCell(9))), seed)
    greedy, states, token = [], model.encode(SOURCE[:1]), 0
    for _ in range(3):
        logits, states = model.decode(nd.array([[token]]), states)
        token = int(logits[0, 0].argmax(axis=0).asscalar())
        if token == 1:
            break
        greedy.append(token)
    assert model.write(SOURCE, 3)[0] == greedy
    assert tuple(model.write(SOURCE[:1], 2, beam=7)[0]) == likeliest(model, SOURCE[:1], 2)[1]
    both = nd.concat(SOURCE[:1], SOURCE[:1, ::-1], dim=0)
    alone = [model.write(both[n : n + 1], 3, beam=2)[0] for n in range(2)]
    assert model.write(both, 3, beam=2) == alone


def test_a_pair_is_learned_and_said_without_end():
    draw = np.random.RandomState(0)
    sources = [draw.randint(1, 6, size=draw.randint(1, 5)) for _ in range(200)]
    targets = [[*(s[::-1] + 1), 1] for s in sources]
    model = pairs(lambda: RNN(GRUCell(40)))
    batches = PaddedBatches(sources, targets, labels=targets, batch_size=20, seed=0)
    history = fit(model, batches, 300, learning_rate=0.01)
    assert history.loss[-1] < 0.1 < 1 < history.loss[0]
    assert accuracy(model, batches) > 0.97
    assert model.write(nd.array([[1, 2, 3]]), 9) == [[4, 3, 2]]


def test_of_top_k_only_the_k_likeliest_are_drawn():
    model = ready(LanguageModel(7, RNN(GRUCell(8)), 5))
    order = np.argsort(-model(nd.array([[3, 1]]))[0][0, -1].asnumpy())
    for k in (1, 3, 7):
        drawn = {generate(model, [3, 1], 1, 5.0, seed, top_k=k)[0] for seed in range(200)}
        assert drawn == set(order[:k])
    assert generate(model, [3], 9, top_k=7, seed=1) == generate(model, [3], 9, seed=1)
    assert generate(model, [3], 9, top_k=1) == generate(model, [3], 9, temperature=0)


def test_text_is_continued_as_text():
    vocab = vocabulary(["hello"], unknown=False)
    model = ready(LanguageModel(len(vocab), RNN(GRUCell(8)), 5))
    text = generate(model, "hell", 6, vocab=vocab)
    assert encode(text, vocab).tolist() == generate(model, vocab[list("hell")], 6)
    with pytest.raises(ValueError, match=r"prompt: .*vocabulary, received \['x', '!'\]"):
        generate(model, "hexe!", 6, vocab=vocab)
    with pytest.raises(TypeError, match="vocab: expected a Vocab, received NoneType"):
        generate(model, "hell", 6)


# --- the best of a training ------------------------------------------------------------------


def model_and_batches():
    model = ready(Classifier(RNN(GRUCell(3)), 2))
    return model, [(nd.ones((2, 3, 2)), nd.zeros(2))]


def test_the_best_parameters_are_kept_and_patience_ends():
    model, batches = model_and_batches()
    said, seen = iter([5.0, 3.0, 4.0, 3.0, 3.5, 1.0]), []

    def validation(model):
        seen.append([p.data().asnumpy().copy() for p in model.collect_params().values()])
        return next(said)

    history = fit(model, batches, 100, validation=validation, every=4, patience=3)
    asked = np.flatnonzero(~np.isnan(history.validation))
    assert asked.tolist() == [3, 7, 11, 15, 19]
    assert [history.validation[k] for k in asked] == [5, 3, 4, 3, 3.5]
    assert len({len(column) for column in vars(history).values()}) == 1
    kept = [p.data().asnumpy() for p in model.collect_params().values()]
    assert all(np.array_equal(a, b) for a, b in zip(kept, seen[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, seen[-1], strict=True))


def test_the_last_step_is_validated_too_and_a_nan_is_named():
    model, batches = model_and_batches()
    history = fit(model, batches, 5, validation=lambda model: 1.0, every=3)
    assert np.flatnonzero(~np.isnan(history.validation)).tolist() == [2, 4]
    with pytest.raises(FloatingPointError, match="validation: expected a number, received nan"):
        fit(model, batches, 5, validation=lambda model: math.nan)
    assert len(fit(model, batches, 5).validation) == 5


def test_the_bar_shows_loss_and_speed(monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    model, batches = model_and_batches()
    fit(model, batches, 30, label="reading")
    shown = capsys.readouterr().err
    assert "reading" in shown
    assert "tokens/s" in shown


# --- bad input -------------------------------------------------------------------------------

RNN3 = ready(Classifier(RNN(GRUCell(3)), 3))
LM = ready(LanguageModel(7, RNN(GRUCell(8)), 5))
AB = vocabulary(["ab"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: PaddedBatches([[1], []], labels=[0, 1], batch_size=1), "sequence 1: .* one step"),
        (lambda: PaddedBatches([[1]], labels=[0, 1], batch_size=1), "sequences: expected 2"),
        (lambda: PaddedBatches([[1]], labels=[0], batch_size=2), "batch_size: expected at most"),
        (lambda: PaddedBatches(labels=[0], batch_size=1), "sequences: expected at least one"),
        (lambda: RandomWindows(range(15), 3, 4), "tokens: expected at least 16"),
        (lambda: series_windows([1, 2, math.nan, 4] * 9, 2), r"series: .*nan.* in row \[2\]"),
        (lambda: series_windows([math.inf] + [0] * 9, 2), r"series: .*inf.* in row \[0\]"),
        (lambda: series_windows(range(9), 2, horizon=3), "validation: expected at least 3 values"),
        (lambda: series_windows(range(9), 8), "training: expected at least 1 values after 8"),
        (lambda: additions(0), "digits: expected at least 1"),
        (lambda: additions(3, base=1), "base: expected at least 2"),
        (lambda: pairs().write(SOURCE, 3, beam=0), "beam: expected at least 1, received 0"),
        (lambda: pairs().write(SOURCE, 3, beam=8), "beam: expected at most 7, received 8"),
        (lambda: pairs().write(SOURCE, 0), "length: expected at least 1"),
        (lambda: pairs()(SOURCE, [4, 0], TARGET), "valid_length: .* from 1 to 4"),
        (lambda: pairs()(SOURCE, None, TARGET + 6), "tokens: expected whole numbers from 0 to 6"),
        (
            lambda: EncoderDecoder(RNN(GRUCell(3)), RNN(LSTMCell(3)), 5, 5, 2, 0, 1),
            r"decoder: expected states \[3\] as the encoder, received \[3, 3\]",
        ),
        (
            lambda: EncoderDecoder(RNN(GRUCell(3)), RNN(GRUCell(3)), 5, 5, 2, 1, 1),
            "end: expected another token than begin",
        ),
        (
            lambda: EncoderDecoder(RNN(GRUCell(3)), RNN(GRUCell(3)), 5, 5, 2, 0, 5),
            "begin, end: expected whole numbers from 0 to 4",
        ),
        (lambda: generate(LM, [1], 2, top_k=0), "top_k: expected at least 1"),
        (lambda: generate(LM, [1], 2, top_k=8), "top_k: expected at most 7"),
        (lambda: vocabulary([[]]), "documents: expected at least one"),
        (lambda: fit(RNN3, [(nd.ones((2, 3, 2)), nd.array([0, 3]))], 1), "labels: .* from 0 to 2"),
        (lambda: fit(RNN3, [(nd.ones((2, 3, 2)), nd.array([0, -1]))], 1), r"received \[-1"),
        (lambda: fit(RNN3, [(nd.ones((2, 3, 2)), nd.array([0, 0.5]))], 1), r"received \[0.5"),
        (lambda: accuracy(RNN3, [(nd.ones((1, 3, 2)), nd.array([3]))]), "labels: .* from 0 to 2"),
        (lambda: perplexity(LM, [(nd.ones((1, 2)), nd.array([[1, 7]]))]), "labels: .*from 0 to 6"),
        (lambda: fit(RNN3, [(nd.ones((1, 3, 2)), nd.zeros(1))], 1, every=0), "every: expected at"),
        (lambda: fit(RNN3, [(nd.ones((1, 3, 2)), nd.zeros(1))], 1, patience=0), "patience: exp"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_labels_beyond_the_end_may_be_anything():
    model = ready(Labeller(RNN(JordanCell(4, 3)), 3, embed=TokenEmbedding(5, 2)))
    x, labels = nd.array([[1, 2, 3], [4, 0, 0]]), nd.array([[0, 1, 2], [2, -1, 99]])
    assert 0 <= accuracy(model, [(x, [3, 1], labels)]) <= 1
    fit(model, [(x, [3, 1], labels)], 1)
    with pytest.raises(ValueError, match="labels: expected whole numbers from 0 to 2"):
        fit(model, [(x, [3, 2], labels)], 1)
