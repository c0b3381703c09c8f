"""Look inside a cell that runs: where gradients go, what its Jacobian does, when its gates open.

Axes: N batch, T time, C input features, H hidden, S all states of a cell side by side. Results are
NumPy arrays. Used in notebooks/06_long_range_gradients.ipynb and those after it.
"""

from __future__ import annotations

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from mxnet import autograd, nd

from gluon_rnn.cells import Cell, GRUCell, LSTMCell
from gluon_rnn.checks import instance, require

__all__ = [
    "gate_traces",
    "jacobians",
    "norms_by_lag",
    "plot_gates",
    "plot_norms_by_lag",
    "plot_singular_values",
    "run",
    "singular_values",
    "state_gradients",
]


def run(
    cell: Cell,
    inputs: nd.NDArray,
    states: list[nd.NDArray] | None = None,
    probes: list[list[nd.NDArray]] | None = None,
) -> tuple[list[nd.NDArray], list[list[nd.NDArray]]]:
    """Outputs o_1 ... o_T and states s_0 ... s_T of a cell, step by step from inputs (N, T, C).

    ``probes`` are added to the states, and to an output that is the first state, where the cell's
    equations say that it is (``output_is_state``).
    """
    instance("cell", cell, Cell).check_inputs(instance("inputs", inputs, nd.NDArray), "NTC")
    if states is None:
        states = cell.begin_state(inputs.shape[0], dtype=inputs.dtype, ctx=inputs.context)
    probe = (lambda s, t: s) if probes is None else _add(probes)
    same, outputs, trajectory = cell.output_is_state, [], [probe(states, 0)]
    for t in range(inputs.shape[1]):
        output, states = cell(inputs[:, t], trajectory[-1])  # (N, H)
        trajectory.append(probe(states, t + 1))
        outputs.append(trajectory[-1][0] if same else output)
    return outputs, trajectory


def _add(probes):
    return lambda states, t: [s + e for s, e in zip(states, probes[t], strict=True)]


def state_gradients(
    cell: Cell,
    inputs: nd.NDArray,
    loss: Callable[[nd.NDArray], nd.NDArray],
    states: list[nd.NDArray] | None = None,
) -> list[np.ndarray]:
    r"""∂L/∂s_t for every t, by autograd, whatever the cell and the task.

    Parameters: ``loss`` of the outputs (N, T, H); what is not a single number is summed. A task's
    own head goes in it: ``lambda o: ce(model.decoder(o[:, -1]), labels)``.

    Returns, for each state of the cell, an array (T + 1, N, width): [t] is ∂L/∂s_t, [0] of the
    state it began in. A zero is added to every state, and autograd asked for its gradient: so [t]
    has all paths from s_t to the loss, through later steps and through its own output. As after
    any backward pass, the parameters' own gradients are this loss's.

    Raises: ``ValueError``, ``TypeError`` as the cell's step.
    """
    _, trajectory = run(cell, inputs, states)  # settles shapes
    probes = [[nd.zeros_like(s) for s in now] for now in trajectory]
    for probe in (e for now in probes for e in now):
        probe.attach_grad()
    with autograd.record():
        outputs, _ = run(cell, inputs, states, probes)
        value = loss(nd.stack(*outputs, axis=1))  # of (N, T, H)
    value.backward()
    return [np.stack([e.grad.asnumpy() for e in per]) for per in zip(*probes, strict=True)]


def jacobians(cell: Cell, inputs: nd.NDArray, states: list[nd.NDArray] | None = None) -> np.ndarray:
    r"""∂s_t/∂s_{t-1} for every step, by autograd row by row, of shape (T, N, S, S).

    [t - 1, n, i, j] is ∂s_{t,i}/∂s_{t-1,j}; an LSTM's s is [h, c], so S = 2 H and its cells' own
    block is [..., H:, H:]. The rows i are S copies of the batch, each asked for one component.

    Raises: ``ValueError``, ``TypeError`` as the cell's step.
    """
    _, trajectory = run(cell, inputs, states)
    (N, T, _), widths = inputs.shape, [s.shape[1] for s in trajectory[0]]
    S, every = sum(widths), []
    rows = nd.tile(nd.eye(S, dtype=inputs.dtype).expand_dims(1), (1, N, 1)).reshape((-1, S))
    for t in range(T):
        before = [nd.tile(s, (S, 1)) for s in trajectory[t]]  # (S N, width)
        for s in before:
            s.attach_grad()
        with autograd.record():
            _, after = cell(nd.tile(inputs[:, t], (S, 1)), before)
            after = nd.concat(*after, dim=1)  # (S N, S)
        J = nd.concat(*autograd.grad(after, before, rows), dim=1).asnumpy()  # (S N, S)
        every.append(J.reshape(S, N, S).swapaxes(0, 1))
    return np.stack(every)  # (T, N, S, S)


def singular_values(matrices: np.ndarray) -> np.ndarray:
    """The factors (..., S) by which each matrix (..., S, S) stretches, largest first."""
    return np.linalg.svd(matrices, compute_uv=False)


def gate_traces(
    cell: GRUCell | LSTMCell, inputs: nd.NDArray, states: list[nd.NDArray] | None = None
) -> dict[str, np.ndarray]:
    """What the gates did: (N, T, H) by name, r, z, n, h of a GRU, i, f, g, o, c, h of an LSTM.

    The numbers are those of the cell's own step (``gate_values``).

    Raises: ``TypeError`` for a cell without gates, or a subclass that steps by other equations.
    """
    instance("cell", cell, (GRUCell, LSTMCell))
    own = cell.promises("gate_values") or "gate_values" in vars(type(cell))
    require(own, "cell", "gate_values of its own equations", type(cell).__name__, TypeError)
    _, trajectory = run(cell, inputs, states)
    p = {name: q.data(inputs.context) for name, q in cell._reg_params.items()}
    every = []
    for t, past in enumerate(trajectory[:-1]):
        every.append([*cell.gate_values(nd, inputs[:, t], past, **p), trajectory[t + 1][0]])
    names = [*(cell.gates if isinstance(cell, GRUCell) else "ifgoc"), "h"]
    seen = (nd.stack(*per, axis=1).asnumpy() for per in zip(*every, strict=True))
    return dict(zip(names, seen, strict=True))


def norms_by_lag(gradients: np.ndarray) -> np.ndarray:
    """‖∂L/∂s_{T-n}‖ for the lags n = 0 … T, from one state's (T + 1, N, width)."""
    flat = gradients.reshape(len(gradients), -1).astype("float64")  # squares of 1e-23 are 0 in 32
    return np.linalg.norm(flat, axis=1)[::-1]


def plot_norms_by_lag(norms: np.ndarray, label: str = "", ax: Axes | None = None, **line) -> Axes:
    """A line of norms against lag, logarithmic, its label at its end; zeros are left out."""
    ax = ax or plt.gca()
    lags = np.flatnonzero(norms)
    require(len(lags) > 0, "norms", "one that is not zero", norms)
    (drawn,) = ax.semilogy(lags, norms[lags], **line)
    ax.annotate(
        label, (lags[-1], norms[lags[-1]]), (4, 0), textcoords="offset points", va="center",
        color=drawn.get_color(), annotation_clip=False,
    )  # fmt: skip
    ax.set(xlabel="lag n (steps back from the end)", ylabel="‖∂L/∂h$_{T-n}$‖")
    return ax


def plot_singular_values(values: np.ndarray, ax: Axes | None = None) -> Axes:
    """Each step's singular values (T, S) as dots, logarithmic; the line 1 keeps a gradient."""
    ax = ax or plt.gca()
    require(values.ndim == 2, "values", "axes (T, S)", values.shape)
    t = np.arange(1, len(values) + 1)
    ax.plot(t, values, ".", color="C3", markersize=4)
    ax.plot(t, values.max(axis=1), color="C0")
    ax.axhline(1, color="0.4", linestyle="--", linewidth=1)
    ax.set(yscale="log", xlabel="step t", ylabel="singular values of ∂h$_t$/∂h$_{t-1}$")
    return ax


def plot_gates(trace: np.ndarray, name: str = "gate", ax: Axes | None = None, low: float = 0.0):
    """A gate (T, H) as a heat map, time to the right, on the scale ``low`` to 1."""
    ax = ax or plt.gca()
    require(trace.ndim == 2, "trace", "axes (T, H): one sequence", trace.shape)
    extent = (0.5, len(trace) + 0.5, trace.shape[1] + 0.5, 0.5)
    image = ax.imshow(trace.T, aspect="auto", vmin=low, vmax=1, extent=extent)
    ax.figure.colorbar(image, ax=ax, label=name)
    ax.set(xlabel="step t", ylabel="unit")
    ax.grid(False)
    return ax
