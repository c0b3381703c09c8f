"""PyTorch as a second opinion: the same weights give the same outputs and gradients.

Outside the default run: ``uv run --with torch==2.13.0 pytest -m torch``.
"""

import re

import nbformat
import numpy as np
import pytest
from book import BOOK
from mxnet import autograd, nd
from table import C, H, assert_same, fill

from gluon_rnn import RNN, Bidirectional, ElmanCell, GRUCell, LSTMCell, TDNNCell

try:
    import torch
except ModuleNotFoundError:  # then these tests are not asked for
    torch = None

pytestmark = pytest.mark.torch

N, T = 4, 9
LENGTHS = [5, 9, 1, 7]
KINDS = {
    "rnn-tanh": (lambda: ElmanCell(H, input_size=C), "RNN", {"nonlinearity": "tanh"}),
    "rnn-relu": (lambda: ElmanCell(H, "relu", C), "RNN", {"nonlinearity": "relu"}),
    "gru": (lambda: GRUCell(H, reset_after=True, input_size=C), "GRU", {}),
    "lstm": (lambda: LSTMCell(H, input_size=C), "LSTM", {}),
}
NAMES = {
    "i2h_weight": "weight_ih",
    "h2h_weight": "weight_hh",
    "i2h_bias": "bias_ih",
    "h2h_bias": "bias_hh",
}


def torch_twin(kind, cells):
    """PyTorch's module with the parameters of one cell, or of two for both directions."""
    _, module, options = KINDS[kind]
    twin = getattr(torch.nn, module)(
        C, H, batch_first=True, bidirectional=len(cells) == 2, **options
    )
    with torch.no_grad():
        for cell, suffix in zip(cells, ("_l0", "_l0_reverse"), strict=False):
            for ours, theirs in NAMES.items():
                values = cell._reg_params[ours].data().asnumpy().tolist()
                getattr(twin, theirs + suffix).copy_(torch.tensor(values))
    return twin


def ours(layer, x, lengths, weights):
    x = nd.array(x)
    x.attach_grad()
    with autograd.record():
        outputs, states = layer(x, None, lengths)
        loss = (outputs * nd.array(weights)).sum() + sum((s**2).sum() for s in states)
    loss.backward()
    cells = [layer.cell] if isinstance(layer, RNN) else [layer.ahead.cell, layer.back.cell]
    gradients = {
        f"{name} {k}": p.grad() for k, c in enumerate(cells) for name, p in c._reg_params.items()
    }
    seen = {"outputs": outputs, "d inputs": x.grad, **gradients}
    return {name: a.asnumpy() for name, a in seen.items()}


def theirs(twin, x, lengths, weights):
    x = torch.tensor(x.tolist(), requires_grad=True)
    packed = x
    if lengths:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        packed = pack(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, states = twin(packed)
    if lengths:
        pad = torch.nn.utils.rnn.pad_packed_sequence
        outputs, _ = pad(outputs, batch_first=True, total_length=T)
    states = states if isinstance(states, tuple) else (states,)
    loss = (outputs * torch.tensor(weights.tolist())).sum() + sum((s**2).sum() for s in states)
    loss.backward()
    seen = {"outputs": outputs, "d inputs": x.grad}
    for k, suffix in enumerate(("_l0", "_l0_reverse") if twin.bidirectional else ("_l0",)):
        seen |= {f"{a} {k}": getattr(twin, b + suffix).grad for a, b in NAMES.items()}
    return {name: np.array(a.detach().tolist(), dtype="float32") for name, a in seen.items()}


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "packed"])
@pytest.mark.parametrize("both_ways", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("engine", ["auto", "unrolled"])
@pytest.mark.parametrize("kind", KINDS)
def test_pytorch_agrees(kind, engine, both_ways, lengths):
    draw = np.random.RandomState(0)
    x = draw.normal(size=(N, T, C)).astype("float32")
    weights = draw.uniform(0.5, 1.5, (N, T, H * (1 + both_ways))).astype("float32")
    cells = [KINDS[kind][0]() for _ in range(1 + both_ways)]
    for seed, cell in enumerate(cells):
        fill(cell, seed)
    layers = [RNN(cell, engine) for cell in cells]
    layer = Bidirectional(*layers) if both_ways else layers[0]
    received = ours(layer, x, lengths, weights)
    expected = theirs(torch_twin(kind, cells), x, lengths, weights)
    assert all(np.abs(e).max() > 1e-3 for e in expected.values())
    assert_same(received, expected, 1e-5)


@pytest.fixture(scope="module")
def way_on():
    """What notebook 18 defines for the way to PyTorch, in a cell and in its text."""
    nb = nbformat.read(BOOK / "18_errata_and_conventions.ipynb", as_version=4)
    names = {"nd": nd, "torch": torch}
    for cell in nb.cells:
        if "TORCH_NAMES = " in cell.source:
            exec(cell.source, names)
        for block in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL):
            exec(block, names)
    assert {"to_torch", "from_torch", "ResetBefore"} <= set(names)
    return names


def as_tensors(arrays):
    return {name: torch.tensor(np.asarray(a, "float32").tolist()) for name, a in arrays.items()}


def as_arrays(module):
    return {name: np.array(t.tolist(), dtype="float32") for name, t in module.state_dict().items()}


def batch():
    return np.random.RandomState(3).normal(size=(N, T, C)).astype("float32")


@pytest.mark.parametrize("kind", KINDS)
def test_the_books_ten_lines_carry_weights_there_and_back(kind, way_on):
    build, module, options = KINDS[kind]
    x, twin = batch(), getattr(torch.nn, module)(C, H, batch_first=True, **options)
    cell, back = build(), build()
    fill(cell, 5)
    fill(back, 6)
    before = np.array(twin(torch.tensor(x.tolist()))[0].tolist())
    way_on["from_torch"](as_arrays(twin), back)
    assert_same({"back": RNN(back)(nd.array(x))[0].asnumpy()}, {"back": before}, 1e-5)
    twin.load_state_dict(as_tensors(way_on["to_torch"](cell)))
    there = np.array(twin(torch.tensor(x.tolist()))[0].tolist())
    assert_same({"there": there}, {"there": RNN(cell)(nd.array(x))[0].asnumpy()}, 1e-5)
    assert abs(there - before).max() > 0.1


def test_the_books_gru_with_its_reset_before(way_on):
    x, cell = batch(), GRUCell(H, input_size=C)
    fill(cell, 5)
    twin = way_on["ResetBefore"](C, H)
    twin.load_state_dict(as_tensors(way_on["to_torch"](cell, suffix="")))
    h, received = torch.zeros(N, H), []
    for t in range(T):
        h = twin(torch.tensor(x[:, t].tolist()), h)
        received.append(h.tolist())
    received = np.array(received).swapaxes(0, 1)  # (N, T, H)
    assert_same({"states": received}, {"states": RNN(cell)(nd.array(x))[0].asnumpy()}, 1e-5)
    assert abs(received).max() > 0.1


def test_a_tdnn_is_a_convolution_with_its_kernel_reversed():
    x, K = batch(), 3
    cell = TDNNCell(H, taps=K, input_size=C)
    fill(cell, 5)
    W_0, W, b = (p.data().asnumpy() for p in (cell.i2h_weight, cell.d2h_weight, cell.i2h_bias))
    kernel = np.stack([*np.split(W, K, axis=1)[::-1], W_0], axis=2)  # (H, C, K + 1)
    twin = torch.nn.Conv1d(C, H, K + 1)
    twin.load_state_dict(as_tensors({"weight": kernel, "bias": b}))
    padded = np.pad(x, ((0, 0), (K, 0), (0, 0))).swapaxes(1, 2)  # (N, C, K + T)
    received = np.array(torch.tanh(twin(torch.tensor(padded.tolist()))).tolist()).swapaxes(1, 2)
    assert_same({"outputs": received}, {"outputs": RNN(cell)(nd.array(x))[0].asnumpy()}, 1e-5)
