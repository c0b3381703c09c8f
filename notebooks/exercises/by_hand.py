"""The checks of notebook 03: a ReLU network of two units, forwards and backwards."""

import numpy as np
from answers import close, fresh, run, tutor
from workbench import central_differences

U, W = np.array([[-1.0, 0], [2, 1]]), np.array([[1.0, 2, 3], [4, 5, 6]])
b, V = np.array([-2.0, 2]), np.array([[1.0, 0], [2, -1], [3, 1]])
h_0, x = np.array([1.0, 2]), np.array([[1.0, 0, 0], [0, 1, 0]])


def _forward(x, h_0, U, W, b, V):
    z, h, y = [], [np.asarray(h_0, dtype=float)], []
    for x_t in x:
        z.append(U @ h[-1] + W @ x_t + b)
        h.append(np.maximum(z[-1], 0))
        y.append(V @ h[-1])
    return z, h, y


def _backward(x, h_0, U, W, b, V, cut=False):
    """The error terms δ_1 … δ_T; with `cut`, nothing comes from the future."""
    z, h, y = _forward(x, h_0, U, W, b, V)
    delta, future = [], 0
    for t in reversed(range(len(x))):
        delta.insert(0, (z[t] > 0) * (V.T @ y[t] + future))
        future = 0 if cut else U.T @ delta[0]
    return np.array(delta), np.array(h[:-1])


@tutor
def exercise_1(z_2):
    """z_2 of the network in notebook 03 when its second input is (1, 0, 0)."""
    z, _, _ = _forward([x[0], x[0]], h_0, U, W, b, V)
    close("z_2", z_2, z[1])


@tutor
def exercise_2(dW):
    """∂L/∂W for h_0 = (0, 0) and b = (1, -2)."""
    delta, _ = _backward(x, np.zeros(2), U, W, np.array([1.0, -2]), V)
    close("dW", dW, delta.T @ x)


@tutor
def exercise_3(input_gradient):
    """∂L/∂x_t for every t, of any ReLU network with L = ½ Σ ‖y_t‖²."""
    for T, H, C, Q in ((2, 2, 3, 3), (5, 3, 4, 2)):
        draw = fresh("inputs", 1).normal  # some units silent, and much comes from the future
        x, *weights = (draw(size=s) for s in ((T, C), H, (H, H), (H, C), H, (Q, H)))

        def loss(x, weights=weights):
            return sum(y_t @ y_t for y_t in _forward(x, *weights)[2]) / 2

        (expected,) = central_differences(loss, x)
        close("input_gradient(...)", run(input_gradient, x, *weights), expected)


@tutor
def exercise_4(dU_cut):
    """∂L/∂U of the network in notebook 03, cut between its two steps."""
    from mxnet import autograd, nd

    weight = nd.array(U)
    weight.attach_grad()
    with autograd.record():
        state, L = nd.array(h_0), 0
        for x_t in x:
            state = nd.relu(nd.dot(weight, state.detach()) + nd.array(W @ x_t + b))
            L = L + (nd.dot(nd.array(V), state) ** 2).sum() / 2
    L.backward()
    close("dU_cut", dU_cut, weight.grad.asnumpy())
