"""Cells, layers and heads in every way of using them that Gluon's users know."""

import copy
import gc
import itertools
import pickle
import re
import time
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn
from table import ROWS, C, H, Q, assert_same, build, fill, random_states, record, sample

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
    accuracy,
    fit,
)
from gluon_rnn.cells import Cell
from gluon_rnn.diagnostics import gate_traces

every_cell = pytest.mark.parametrize("name", ROWS)
TOKENS = nd.array([[1, 2, 3, 4], [6, 5, 0, 0]], dtype="int32")


def filled(block, dtype="float32"):
    """The block with random parameters, its deferred sizes settled by the first call."""
    block.initialize()
    draw = np.random.RandomState(5)
    block.cast(dtype)
    for p in block.collect_params().values():
        p.shape = tuple(n or C for n in p.shape)
        p.set_data(nd.array(draw.uniform(-0.7, 0.7, p.shape), dtype=dtype))
    return block


MODELS = {  # what is made, and what it is called with
    "rnn": (lambda: RNN(GRUCell(H)), (nd.ones((2, 4, C)),)),
    "fused": (lambda: RNN(LSTMCell(H)), (nd.ones((2, 4, C)),)),
    "bidirectional": (
        lambda: Bidirectional(RNN(LSTMCell(H)), RNN(ElmanCell(H))),
        (nd.ones((2, 4, C)),),
    ),
    "stacked": (lambda: Stacked(RNN(GRUCell(C)), RNN(GRUCell(H))), (nd.ones((2, 4, C)),)),
    "classifier": (lambda: Classifier(RNN(GRUCell(C)), Q), (nd.ones((2, 4, C)), nd.array([4, 2]))),
    "labeller": (lambda: Labeller(RNN(LSTMCell(C)), Q), (nd.ones((2, 4, C)), nd.array([4, 2]))),
    "language model": (lambda: LanguageModel(7, RNN(GRUCell(C)), C), (TOKENS,)),
}
every_model = pytest.mark.parametrize("model", MODELS)


def first(output):
    return output[0] if isinstance(output, (tuple, list)) else output


def gradients(model, inputs):
    with autograd.record():
        output = first(model(*inputs))
        loss = (output * nd.arange(output.size, dtype=output.dtype).reshape(output.shape)).sum()
    loss.backward()
    return {n: p.grad().asnumpy() for n, p in model._collect_params_with_prefix().items()}


# Copies ---------------------------------------------------------------------------------------


@every_model
@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_copy_computes_the_same_and_shares_nothing(model, how, compiled):
    make, inputs = MODELS[model]
    original = filled(make())
    if compiled:
        original.hybridize()
    expected = gradients(original, inputs)  # graphs exist when it is copied
    kept = first(original(*inputs)).asnumpy()
    gluon.Trainer(original.collect_params(), "sgd", kvstore=None)
    other = how(original)
    for name, g in gradients(other, inputs).items():
        assert np.array_equal(g, expected[name]), name
    for p in original.collect_params().values():
        p.set_data(p.data() * 0)
        p.zero_grad()
    assert np.array_equal(first(other(*inputs)).asnumpy(), kept)
    gradients(other, inputs)
    assert all(not p.grad().asnumpy().any() for p in original.collect_params().values())
    for p in other.collect_params().values():
        p.set_data(p.data() + 1)
    assert all(not p.data().asnumpy().any() for p in original.collect_params().values())


def test_a_copy_of_what_is_not_initialised_or_frozen():
    layer = copy.deepcopy(RNN(GRUCell(H)))
    layer.initialize()
    assert layer(nd.ones((2, 3, C)))[0].shape == (2, 3, H)
    layer.cell.h2h_weight.grad_req = "null"
    other = copy.deepcopy(layer)
    assert other.cell.h2h_weight.grad_req == "null"
    with pytest.raises(RuntimeError, match="grad_req='null'"):
        other.cell.h2h_weight.grad()
    assert other.cell.i2h_weight.grad() is not layer.cell.i2h_weight.grad()


def test_the_best_model_can_be_kept_by_copy():
    model = filled(Classifier(RNN(GRUCell(C)), 2))
    batches = [(nd.ones((4, 5, C)), nd.zeros(4))]
    best = copy.deepcopy(model)
    before = best(nd.ones((4, 5, C))).asnumpy()
    fit(model, batches, 3, learning_rate=0.1)
    assert np.array_equal(best(nd.ones((4, 5, C))).asnumpy(), before)
    fit(best, batches, 3, learning_rate=0.1)  # and it trains on
    assert np.array_equal(best(batches[0][0]).asnumpy(), model(batches[0][0]).asnumpy())


# Frozen parameters ----------------------------------------------------------------------------


@every_cell
@pytest.mark.parametrize("engine", ["auto", "unrolled", "step by step", "cell", "compiled cell"])
def test_a_frozen_parameter_changes_no_other_gradient(name, engine):
    cell, x = build(name), sample(name, T=3)
    run = RNN(cell, "unrolled" if engine == "unrolled" else "auto")
    if engine == "step by step":
        run.hybridize(False)
    if "cell" in engine:
        cell.hybridize(engine == "compiled cell")

    def found():
        with autograd.record():
            h = cell.unroll(3, x, merge_outputs=True)[0] if "cell" in engine else run(x)[0]
            (h * nd.arange(h.size, dtype="float64").reshape(h.shape)).sum().backward()
        params = cell._reg_params.items()
        return {n: p.grad().asnumpy() for n, p in params if p.grad_req != "null"}

    expected = found()
    names = list(cell._reg_params)
    subsets = itertools.chain.from_iterable(
        itertools.combinations(names, k) for k in range(1, len(names))
    )
    for frozen in subsets:
        for n, p in cell._reg_params.items():
            p.grad_req = "null" if n in frozen else "write"
        for n, g in found().items():
            assert g == pytest.approx(expected[n], rel=1e-10, abs=1e-12), f"{n} beside {frozen}"


@pytest.mark.parametrize("model", ["classifier", "labeller", "language model"])
def test_a_frozen_parameter_of_a_head_changes_no_other_gradient(model):
    make, inputs = MODELS[model]
    model = filled(make())
    expected = gradients(model, inputs)
    decoder = model.decoder
    for frozen in (decoder.weight, decoder.bias, model.layer.cell.h2h_weight):
        frozen.grad_req = "null"
        for _ in range(2):  # equal calls gave unequal gradients
            with autograd.record():
                output = first(model(*inputs))
                weights = nd.arange(output.size).reshape(output.shape)
                (output * weights).sum().backward()
            for n, p in model._collect_params_with_prefix().items():
                if p.grad_req != "null":
                    assert p.grad().asnumpy() == pytest.approx(expected[n], rel=1e-4, abs=1e-5), n
        frozen.grad_req = "write"


# Padding --------------------------------------------------------------------------------------


@every_cell
@pytest.mark.parametrize("engine", ["auto", "unrolled", "step by step"])
@pytest.mark.parametrize("garbage", [np.nan, np.inf, -1e30])
def test_what_stands_in_the_padding_reaches_nothing(name, engine, garbage):
    cell, x = build(name), sample(name)
    layer, states, lengths = RNN(cell, engine.split()[0].replace("step", "auto")), None, [6, 1, 3]
    if engine == "step by step":
        layer.hybridize(False)
    states = random_states(cell, 3)
    clean, dirty = x.copy(), x.copy()
    for n, T in enumerate(lengths):
        clean[n, T:], dirty[n, T:] = 0, garbage
    run = lambda x, s: layer(x, s, lengths)  # noqa: E731
    assert_same(record(run, cell, dirty, states), record(run, cell, clean, states), 0)


def test_a_state_that_would_overflow_beyond_the_end_does_not():
    """An Elman network of ReLUs that grows tenfold a step, three steps long, padded to 150."""
    cell = ElmanCell(5, "relu", input_size=2)
    cell.set_weights(W=np.ones((5, 2)), U=np.full((5, 5), 2.0), b=np.ones(5))
    x, states = nd.ones((2, 150, 2)), [nd.ones((2, 5))]
    for engine in ("auto", "unrolled", "step by step"):
        layer = RNN(cell, engine.split()[0].replace("step", "auto"))
        layer.hybridize("step" not in engine)
        padded = record(lambda x, s, run=layer: run(x, s, [3, 30]), cell, x, states)
        assert all(np.isfinite(a).all() for a in padded.values())
        for n, T in ((0, 3), (1, 30)):
            alone, last = layer(x[n : n + 1, :T], [nd.ones((1, 5))])
            assert padded["outputs"][n, :T] == pytest.approx(alone[0].asnumpy(), rel=1e-6)
            assert padded["states[0]"][n] == pytest.approx(last[0][0].asnumpy(), rel=1e-6)


@pytest.mark.parametrize("make", [lambda e: Classifier(RNN(GRUCell(C)), Q, "mean", e),
                                  lambda e: Classifier(RNN(LSTMCell(C)), Q, "last", e),
                                  lambda e: Labeller(RNN(GRUCell(C, True)), Q, e)])  # fmt: skip
def test_nor_does_it_reach_a_head_or_what_embeds(make):
    x, lengths = sample("gru"), nd.array([6, 1, 3])
    found = []
    for garbage in (0.0, np.nan):
        embed = nn.Dense(C, flatten=False)
        model = filled(make(embed), "float64")
        for n, T in enumerate((6, 1, 3)):
            x[n, T:] = garbage
        found.append(gradients(model, (x, lengths)))
    for n, g in found[0].items():
        assert np.abs(g).max() > 0
        assert np.array_equal(found[1][n], g), n


def test_tokens_in_the_padding_need_not_be_tokens():
    model = filled(Classifier(RNN(GRUCell(C)), Q, embed=TokenEmbedding(7, C)))
    padded = nd.array([[1, 2, -1, 99]], dtype="int32")
    alone = model(padded[:, :2]).asnumpy()
    assert model(padded, [2]).asnumpy() == pytest.approx(alone, abs=1e-6)


def test_padded_steps_are_not_counted():
    """Loss, gradient and accuracy of padded sequences are those of the sequences alone."""
    x, lengths = sample("gru", dtype="float32"), [6, 1, 3]
    labels = nd.array(np.random.RandomState(0).randint(0, Q, (3, 6)))
    for n, T in enumerate(lengths):
        labels[n, T:] = 99  # no class
    model = filled(Labeller(RNN(GRUCell(C)), Q))
    logits = model(x, lengths).asnumpy().astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    steps = [(n, t) for n, T in enumerate(lengths) for t in range(T)]
    picked = [log_p[n, t, int(labels[n, t].asscalar())] for n, t in steps]
    right = [log_p[n, t].argmax() == labels[n, t].asscalar() for n, t in steps]
    assert accuracy(model, [(x, lengths, labels)]) == np.mean(right)
    history = fit(model, [(x, nd.array(lengths), labels)], 1)
    assert history.loss[0] == pytest.approx(-np.mean(picked), rel=1e-5)


# Contexts, dtypes, long and many sequences ----------------------------------------------------


@every_cell
def test_states_and_lengths_follow_the_inputs_context(name):
    cell = build(name)
    two = [mx.cpu(0), mx.cpu(1)]
    cell.collect_params().reset_ctx(two)
    x = sample(name)
    for engine in ("auto", "unrolled"):
        layer = RNN(cell, engine)
        expected, last = layer(x, valid_length=[6, 2, 3])
        for part, n in zip(gluon.utils.split_and_load(x[:2], two), (6, 2), strict=True):
            outputs, states = layer(part, valid_length=[n])
            assert outputs.context == states[0].context == part.context
            k = part.context.device_id
            assert outputs.asnumpy() == pytest.approx(expected[k : k + 1].asnumpy(), abs=1e-14)
            assert states[0].asnumpy() == pytest.approx(last[0][k : k + 1].asnumpy(), abs=1e-14)
    on_1 = [s.as_in_context(mx.cpu(1)) for s in layer.begin_state(3)]
    with pytest.raises(ValueError, match=r"states\[0\]: expected the inputs' context cpu\(0\)"):
        layer(x, on_1)


@every_model
def test_models_run_on_another_context(model):
    make, inputs = MODELS[model]
    original = filled(make())
    expected = gradients(original, inputs)
    original.collect_params().reset_ctx(mx.cpu(1))
    there = [a.as_in_context(mx.cpu(1)) if a.ndim > 1 else a for a in inputs]
    with autograd.record():
        output = first(original(*there))
        weights = nd.arange(output.size, ctx=mx.cpu(1)).reshape(output.shape)
        (output * weights).sum().backward()
    assert output.context == mx.cpu(1)
    for n, p in original._collect_params_with_prefix().items():
        assert p.grad(mx.cpu(1)).asnumpy() == pytest.approx(expected[n], rel=1e-5, abs=1e-6), n


def test_fit_on_another_context_but_not_on_two():
    batches = [(nd.ones((4, 5, C), ctx=mx.cpu(1)), nd.zeros(4, ctx=mx.cpu(1)))]
    model = Classifier(RNN(GRUCell(3)), 2)
    model.initialize(ctx=mx.cpu(1))
    losses = fit(model, batches, 5, learning_rate=0.1).loss
    assert losses[-1] < losses[0]
    model.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    with pytest.raises(ValueError, match="model: expected parameters on one context, received"):
        fit(model, batches, 1)


@every_model
def test_models_in_float64(model):
    make, inputs = MODELS[model]
    single = filled(make())
    expected = gradients(single, inputs)
    double = filled(make(), "float64")
    inputs = [a.astype("float64") if a.dtype == np.float32 and a.ndim > 1 else a for a in inputs]
    for n, g in gradients(double, inputs).items():
        assert g.dtype == np.float64
        assert g == pytest.approx(expected[n], rel=1e-3, abs=1e-3), n
    layer = getattr(double, "layer", double)
    assert {s.dtype for s in layer.begin_state(2)} == {np.float64}
    assert {s.dtype for s in layer.begin_state(2, dtype="float32")} == {np.float32}
    if model == "language model":
        tokens, states = inputs[0], double.begin_state(2)
        assert np.array_equal(double(tokens, states)[0].asnumpy(), double(tokens)[0].asnumpy())


def test_a_mean_in_float64():
    model = filled(Classifier(RNN(GRUCell(C)), Q, "mean"), "float64")
    x = sample("gru")
    means = [model(x[n : n + 1, :T]).asnumpy()[0] for n, T in enumerate((6, 1, 3))]
    assert model(x, [6, 1, 3]).asnumpy() == pytest.approx(np.array(means), abs=1e-14)


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64")])
def test_a_dtype_in_any_form_means_the_same(dtype):
    assert RNN(ElmanCell(H, "relu")).engine_for(dtype) == "unrolled"
    assert RNN(ElmanCell(H)).engine_for(dtype) == "fused"


@every_cell
def test_half_precision_is_refused_in_words(name):
    cell = build(name, "float32")
    cell.cast("float16")
    x = sample(name, dtype="float16")
    for run in (lambda: RNN(cell)(x), lambda: cell(x[:, 0], cell.begin_state(3, dtype="float16"))):
        with pytest.raises(TypeError, match="inputs: expected float32 or float64"):
            run()


@every_cell
@pytest.mark.parametrize("T", [500, 517])
def test_a_long_sequence_is_its_steps(name, T):
    """517 runs in five graphs: four of 128 steps, one of 5. All gradients too."""
    cell = build(name)
    if name.startswith(("residual", "lstm", "elman-identity", "elman-relu", "narx")):
        for p in cell.collect_params().values():
            p.set_data(p.data() * 0.2)
    x = sample(name, N=2, T=T)
    states = random_states(cell, 2)
    fast, slow = RNN(cell), RNN(cell)
    slow.hybridize(False)
    lengths = [T, 300]
    expected = record(lambda x, s: slow(x, s, lengths), cell, x, states)
    assert_same(record(lambda x, s: fast(x, s, lengths), cell, x, states), expected, 1e-10)
    assert_same(record(fast, cell, x, states), record(slow, cell, x, states), 1e-10)


def _megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("make", [lambda: GRUCell(32), lambda: LSTMCell(32)])
def test_many_lengths_need_few_graphs_and_little_memory(make):
    layer = RNN(make())
    layer.initialize()
    layer(nd.ones((8, 3, 4)))
    lengths = np.random.RandomState(0).permutation(np.arange(2, 160, 2))

    def run():
        for T in lengths:
            x = nd.ones((8, int(T), 4))
            with autograd.record():
                loss = layer(x)[0].sum()
            loss.backward()
        nd.waitall()
        gc.collect()

    before = _megabytes()
    run()
    assert _megabytes() - before < 350
    graphs, seen = len(layer._graphs.by_key), _megabytes()
    assert graphs <= 67
    run()
    assert len(layer._graphs.by_key) == graphs
    assert _megabytes() - seen < 60


@pytest.mark.parametrize("name", ["gru", "lstm-peephole", "jordan", "narx", "tdnn", "residual"])
def test_the_first_call_costs_in_proportion_to_the_length(name):
    """Processor time, forward and backward, compilation included."""
    seconds = {}
    for T in (64, 128, 512):
        layer, x = RNN(build(name, "float32")), sample(name, T=T, dtype="float32")
        nd.waitall()
        start = time.process_time()
        with autograd.record():
            loss = layer(x)[0].sum()
        loss.backward()
        nd.waitall()
        seconds[T] = time.process_time() - start
    assert seconds[512] < 16 * max(seconds[64], 0.05)
    assert seconds[512] < 3


# Habits ---------------------------------------------------------------------------------------


@every_model
def test_models_take_keywords(model):
    make, inputs = MODELS[model]
    model = filled(make())
    expected = first(model(*inputs)).asnumpy()
    if isinstance(model, LanguageModel):
        states = model.begin_state(batch_size=2, func=nd.zeros, ctx=mx.cpu(), dtype="float32")
        received = model(tokens=inputs[0], states=states)[0]
    elif isinstance(model, (Classifier, Labeller)):
        received = model(inputs=inputs[0], valid_length=inputs[1])
    else:
        received, _ = model(inputs=inputs[0], states=model.begin_state(2), valid_length=[4, 4])
        shorter = model(inputs[0], valid_length=[4, 3])[0].asnumpy()
        assert np.abs(shorter - expected).max() > 0.01
    assert received.asnumpy() == pytest.approx(expected, abs=1e-6)


@every_cell
def test_a_cell_takes_keywords_and_shows_its_sizes(name):
    cell, x = build(name), sample(name)[:, 0]
    states = cell.begin_state(3, func=nd.ones, dtype="float64")
    output, _ = cell(inputs=x, states=states)
    assert np.array_equal(output.asnumpy(), cell(x, states)[0].asnumpy())
    rows = cell.i2h_weight.shape[0]
    assert repr(cell) == f"{type(cell).__name__}({ROWS[name].width} -> {rows})"


def test_a_model_shows_its_parts():
    model = Classifier(Stacked(RNN(GRUCell(5, input_size=3)), RNN(LSTMCell(4))), 2)
    shown = repr(model)
    assert "GRUCell(3 -> 15)" in shown
    assert "LSTMCell(None -> 16)" in shown
    assert "Stacked(" in shown
    assert "RNN(" in shown


@every_model
def test_a_summary_counts_every_parameter(model, capsys):
    make, inputs = MODELS[model]
    model = filled(make())
    model(*inputs)  # settles what is deferred
    total = sum(p.data().size for p in model.collect_params().values())
    for compiled in (True, False):
        if not compiled:
            model.hybridize(False)
        model.summary(*inputs)
        (unique,) = re.findall(r"Unique parameters in model: (\d+)", capsys.readouterr().out)
        assert int(unique) == total


def test_the_callers_cell_stays_as_it_was():
    cell = GRUCell(H)
    layer = RNN(cell)
    assert not cell._active
    cell.hybridize()
    layer.hybridize(False)
    assert cell._active


def test_hooks_fire():
    cell, x, seen = build("gru"), sample("gru"), []
    layer = RNN(cell)
    layer.register_forward_hook(lambda block, inputs, outputs: seen.append("layer"))
    cell.register_forward_hook(lambda block, inputs, outputs: seen.append("cell"))
    layer(x)
    assert seen == ["layer"]
    layer.hybridize(False)
    layer(x)
    assert seen == ["layer"] + ["cell"] * 6 + ["layer"]


def test_hybridize_hands_on_its_keywords():
    layer, x = RNN(build("gru")), sample("gru")
    for flags in ({}, {"static_alloc": False, "static_shape": False}):
        layer.hybridize(**flags)
        layer(x)
        (graph,) = layer._graphs.by_key.values()
        assert graph._active
        wanted = {"static_alloc": True, "static_shape": True} | flags
        assert wanted.items() <= dict(graph._flags).items()


@every_cell
@pytest.mark.filterwarnings("ignore:Cannot decide type")  # MXNet's, when it reads a graph back
def test_a_fixed_length_goes_into_a_graph_a_file_and_back(name, tmp_path):
    cell, x = build(name, "float32"), sample(name, dtype="float32")
    layer = RNN(cell)
    expected = layer(x)[0].asnumpy()
    net = nn.HybridSequential()
    net.add(layer.at_length(6))
    net.hybridize()
    assert net(x).asnumpy() == pytest.approx(expected, abs=1e-6)
    net.export(str(tmp_path / "net"))
    again = gluon.SymbolBlock.imports(
        str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
    )
    assert again(x).asnumpy() == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match="length: expected at least 1"):
        layer.at_length(0)


def test_lengths_are_read_from_the_host_once(monkeypatch):
    bi = Bidirectional(RNN(GRUCell(C)), RNN(LSTMCell(C)), "sum")
    model = filled(Classifier(Stacked(bi, RNN(GRUCell(C, True))), Q, "mean"))
    x, lengths, reads = sample("gru", dtype="float32"), nd.array([6, 1, 3]), []
    read = nd.NDArray.asnumpy
    monkeypatch.setattr(nd.NDArray, "asnumpy", lambda a: reads.append(a.shape) or read(a))
    model(x, lengths)
    assert reads == [(3,)]
    reads.clear()
    model.layer(x, None, lengths)
    assert reads == [(3,)]


# Subclasses -----------------------------------------------------------------------------------


class Leaky(GRUCell):
    """Other equations: x_t comes in a second time."""

    def hybrid_forward(self, F, x, states, **params):
        h, _ = super().hybrid_forward(F, x, states, **params)
        h = h + F.mean(x, axis=1, keepdims=True).broadcast_like(h)
        return h, [h]


class Doubled(ElmanCell):
    """Other equations, through a helper."""

    def _activate(self, F, x, activation):
        return 2 * F.tanh(x)


class Started(LSTMCell):
    """Another constructor and a new method: the same equations."""

    def __init__(self, hidden_size):
        super().__init__(hidden_size, forget_bias=3.0, input_size=C)

    def describe(self):
        return "an LSTM"


class Promised(Leaky):
    """Wrong equations in a promise are its author's; this one is right: x enters by W x + b."""

    hoists = ("i2h_bias",)

    def hybrid_forward(self, F, x, states, **params):
        h, _ = GRUCell.hybrid_forward(self, F, x, states, **params)
        return 0.5 * h, [0.5 * h]


@pytest.mark.parametrize(
    ("make", "engine"),
    [
        (lambda: Leaky(H, input_size=C), "unrolled"),
        (lambda: Leaky(H, True, C), "unrolled"),
        (lambda: Doubled(H, input_size=C), "unrolled"),
        (lambda: Started(H), "fused"),
        (lambda: Promised(H, input_size=C), "unrolled"),
    ],
)
def test_a_subclass_runs_its_own_equations(make, engine):
    cell, x = make(), sample("gru")
    fill(cell)
    cell.cast("float64")
    states = random_states(cell, 3)
    fast, slow = RNN(cell), RNN(cell)
    slow.hybridize(False)
    assert fast.engine_for("float64") == engine
    assert_same(record(fast, cell, x, states), record(slow, cell, x, states), 1e-12)


def test_what_a_subclass_promises():
    assert GRUCell(H).promises("hoists")
    assert not Leaky(H).promises("hoists")
    assert not Doubled(H).promises("fused_lacks")
    assert Started(H).promises("hoists")
    assert Promised(H).promises("hoists")
    assert not Promised(H).promises("fused_lacks")
    with pytest.raises(ValueError, match="the equations of a subclass"):
        RNN(Doubled(H), engine="fused")


def test_gates_are_shown_only_of_their_own_equations():
    x = sample("gru")
    for cell in (Leaky(H, input_size=C), Promised(H, input_size=C)):
        fill(cell)
        cell.cast("float64")
        with pytest.raises(TypeError, match="cell: expected gate_values of its own equations"):
            gate_traces(cell, x)
    started = Started(H)
    fill(started)
    started.cast("float64")
    assert set(gate_traces(started, x)) == set("ifgoch")


@every_cell
def test_a_cell_says_whether_its_output_is_its_state(name):
    cell, x = build(name), sample(name)[:, 0]
    output, states = cell(x, random_states(cell, 3))
    assert cell.output_is_state == (output is states[0])
    assert cell.output_is_state == (name.split("-")[0] not in ("tdnn", "narx"))


def test_a_fixed_length_wants_a_known_width():
    with pytest.raises(ValueError, match="input_size: expected one that is known"):
        RNN(GRUCell(H)).at_length(3)


def test_a_subclass_of_a_head_may_take_less():
    class Inner(Labeller):
        def forward(self, words):
            return super().forward(words)[:, 1:-1]

    model, x = filled(Inner(RNN(GRUCell(C)), Q)), nd.ones((2, 6, C))
    assert model(x).shape == model(words=x).shape == (2, 4, Q)
    assert len(fit(model, [(x, nd.zeros((2, 4)))], 2).loss) == 2
    with pytest.raises(TypeError, match="valid_length"):
        model(x, valid_length=[6, 6])


class Scaled(LSTMCell):
    """A step around the equations."""

    def forward(self, inputs, states):
        return super().forward(2 * inputs, states)


class Called(GRUCell):
    def __call__(self, inputs, states):
        h, states = super().__call__(inputs, states)
        return -h, states


class Normed(Cell):
    """A block inside, and a parameter under another name."""

    def __init__(self):
        super().__init__((H,), {"i2h_weight": (H, C), "h2h_weight": (H, H)})
        self.scale = self.params.get("own_scale", shape=(1,), init="ones")
        with self.name_scope():
            self.norm = nn.LayerNorm(in_channels=H)

    def hybrid_forward(self, F, x, states, i2h_weight, h2h_weight, scale):
        sizes = {"no_bias": True, "num_hidden": H}
        z = F.FullyConnected(x, i2h_weight, **sizes)
        z = self.norm(z + F.FullyConnected(states[0], h2h_weight, **sizes))
        h = F.tanh(F.broadcast_mul(z, scale.reshape((1, 1))))
        return h, [h]


class Renamed(Normed):
    """The same without the block: it runs in a graph."""

    def __init__(self):
        super().__init__()
        del self._children["norm"]
        object.__setattr__(self, "norm", lambda z: z)


class Twice(Cell):
    """Two weights whose width the first input settles, and a state that decays."""

    def __init__(self):
        shapes = {"a_weight": (H, 0), "b_weight": (H, 0), "decay": (H,)}
        super().__init__((H,), shapes, decay_initializer=mx.init.Constant(0.5))

    def hybrid_forward(self, F, x, states, a_weight, b_weight, decay):
        a, b = (F.FullyConnected(x, w, no_bias=True, num_hidden=H) for w in (a_weight, b_weight))
        h = F.broadcast_mul(states[0], decay.reshape((1, H))) + a * F.sigmoid(b)
        return h, [h]


@pytest.mark.parametrize(
    ("make", "graphs"),
    [
        (lambda: Scaled(H, input_size=C), 0),
        (lambda: Called(H, input_size=C), 0),
        (Normed, 0),
        (Renamed, 1),
        (Twice, 1),
    ],
)
def test_a_cell_of_the_users_own_runs_as_its_steps(make, graphs):
    cell, x = make(), sample("gru", dtype="float32")
    cell.initialize(mx.init.Normal(0.5))
    fast = RNN(cell)
    first_call = fast(x)[0].asnumpy()
    assert len(fast._graphs.by_key) == graphs
    states = random_states(cell, 3, "float32")
    slow = RNN(cell)
    slow.hybridize(False)
    assert slow(x)[0].asnumpy() == pytest.approx(first_call, abs=1e-6)
    assert_same(record(fast, cell, x, states), record(slow, cell, x, states), 1e-5)
    assert type(cell).__name__ in repr(cell)
    if graphs:
        assert fast.at_length(6)(x).asnumpy() == pytest.approx(first_call, abs=1e-6)
    else:
        with pytest.raises(ValueError, match="cell: expected one without a step of its own"):
            fast.at_length(6)


def test_a_copy_stays_where_the_original_is():
    model = filled(Classifier(RNN(GRUCell(C)), Q))
    model.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    x = nd.ones((2, 3, C), ctx=mx.cpu(1))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other(x).asnumpy(), model(x).asnumpy())
        for p in other.collect_params().values():
            assert [a.context for a in p.list_data()] == p.list_ctx()
            assert [a.context for a in p.list_grad()] == p.list_ctx()


def test_a_shallow_copy_of_a_parameter_takes_no_gradient_away():
    cell = build("gru")
    other = copy.copy(cell.h2h_weight)
    with autograd.record():
        loss = RNN(cell)(sample("gru"))[0].sum()
    loss.backward()
    assert np.abs(cell.h2h_weight.grad().asnumpy()).max() > 0
    assert not other.grad().asnumpy().any()


@pytest.mark.parametrize("name", ["elman-tanh", "gru-after", "lstm"])
def test_gradients_outside_training(name):
    """With a static shape, the operator's backward pass failed now and then."""
    cell, x = build(name, "float32"), sample(name, dtype="float32")
    expected = None
    for _ in range(15):
        layer = RNN(cell)
        x.attach_grad()
        with autograd.record(train_mode=False):
            loss = layer(x)[0].sum()
        loss.backward()
        nd.waitall()
        expected = x.grad.asnumpy() if expected is None else expected
        assert x.grad.asnumpy() == pytest.approx(expected, abs=1e-6)


def test_memory_may_be_dynamic():
    layer, x = RNN(build("gru")), sample("gru")
    expected = layer(x)[0].asnumpy()
    layer.hybridize(static_alloc=False)
    assert np.array_equal(layer(x)[0].asnumpy(), expected)


def test_padded_steps_of_values_are_not_counted_either():
    x, lengths = sample("gru", dtype="float32"), [6, 1, 3]
    model = filled(Labeller(RNN(GRUCell(C)), Q))
    wanted = nd.array(np.random.RandomState(1).normal(size=(3, 6, Q)))
    history = fit(model, [(x, nd.array(lengths), wanted)], 1, gluon.loss.L2Loss(), clip=None)
    model = filled(Labeller(RNN(GRUCell(C)), Q))
    error = (model(x, lengths) - wanted).asnumpy()
    inside = [error[n, :T] ** 2 / 2 for n, T in enumerate(lengths)]
    assert history.loss[0] == pytest.approx(np.concatenate(inside).mean(), rel=1e-5)
