# right 1
W_count = [[0, 0, 0], [0, 0, -100], [50, -50, 0], [0, 0, 0]]  # reset: f shut, candidate 0
b_count = [50, 50, 0, 0]
# right 1: a reset shuts the input gate too
W_count = np.array([[20, 20, -20], [20, 20, -20], [20, -20, 5], [1, 2, 3]])
b_count = nd.zeros(4)
# wrong 1: candidates of tanh(1)
W_count = [[0, 0, 0], [0, 0, -100], [1, -1, 0], [0, 0, 0]]
b_count = [50, 50, 0, 0]
# wrong 1: never forgets
W_count = [[0, 0, 0], [0, 0, 0], [50, -50, 0], [0, 0, 0]]
b_count = [50, 50, 0, 0]
# wrong 1: a forget gate of 0.993 leaks
W_count = [[0, 0, 0], [0, 0, -10], [50, -50, 0], [0, 0, 0]]
b_count = [50, 5, 0, 0]
# wrong 1: the input gate is shut at downs instead of a candidate of -1
W_count = [[0, -100, 0], [0, 0, -100], [50, 50, 0], [0, 0, 0]]
b_count = [50, 50, 0, 0]
# wrong 1: gates in the order of the equations, f before i
W_count = [[0, 0, -100], [0, 0, 0], [50, -50, 0], [0, 0, 0]]
b_count = [50, 50, 0, 0]


# wrong 1: a gate of 1 - 1e-7 leaks too much in 500 steps
W_count, b_count = [[0, 0, 0], [0, 0, -99], [30, -30, 0], [0, 0, 0]], [30, 16, 0, 0]


# wrong 1: a reset that leaves a thousandth: much of 400
W_count, b_count = [[0, 0, 0], [0, 0, -27], [30, -30, 0], [0, 0, 0]], [30, 20, 0, 0]


# right 2
def blinker(K):
    return 40 * (2 * K - 0.5), -40, -40 * (K + 0.5), 40


# right 2: other strengths, as an array
def blinker(K):
    return np.array([30 * (2 * K - 0.5), -30, -100 * (K + 0.5), 100])


# right 2: each in a list, as set_weights takes them
def blinker(K):
    return [40 * (2 * K - 0.5)], [-40], [-40 * (K + 0.5)], [40]


# wrong 2: the threshold on a whole number, where the gate stands at one half
def blinker(K):
    return 40 * (2 * K - 0.5), -40, -40 * K, 40


# wrong 2: weak peepholes glow
def blinker(K):
    return 0.1 * (2 * K - 0.5), -0.1, -0.1 * (K + 0.5), 0.1


# wrong 2: lit for ever
def blinker(K):
    return 50, 0, -40 * (K + 0.5), 40


# wrong 2: f sees the cell state before, so this is one step short
def blinker(K):
    return 40 * (2 * K - 1.5), -40, -40 * (K + 0.5), 40


# wrong 2: right for one K
def blinker(K):
    return 40 * 5.5, -40, -40 * 3.5, 40


# right 3
def from_onnx(W, R, B):
    def ours(a):
        i, o, f, g = np.split(a, 4)
        return np.concatenate([i, f, g, o])

    B_w, B_r = np.split(B, 2)
    return ours(W), ours(R), ours(B_w + B_r)


# right 3: by axes
def from_onnx(W, R, B):
    H = R.shape[1]
    order = [0, 2, 3, 1]
    b = B.reshape(2, 4, H).sum(axis=0)[order].ravel()
    return [
        W.reshape(4, H, -1)[order].reshape(4 * H, -1),
        R.reshape(4, H, H)[order].reshape(-1, H),
        b,
    ]


# wrong 3: the inverse permutation
def from_onnx(W, R, B):
    def ours(a):
        i, f, g, o = np.split(a, 4)
        return np.concatenate([i, o, f, g])

    B_w, B_r = np.split(B, 2)
    return ours(W), ours(R), ours(B_w + B_r)


# wrong 3: one bias lost
def from_onnx(W, R, B):
    def ours(a):
        i, o, f, g = np.split(a, 4)
        return np.concatenate([i, f, g, o])

    return ours(W), ours(R), ours(np.split(B, 2)[0])


# wrong 3: right for H = 3
def from_onnx(W, R, B):
    order = [0, 1, 2, 6, 7, 8, 9, 10, 11, 3, 4, 5]
    return W[order], R[order], (B[:12] + B[12:])[order]


# wrong 3: as it comes
def from_onnx(W, R, B):
    return W, R, B[: len(W)] + B[len(W) :]


# right 4
def step_back(i, f, g, o, c_before, c, dh, dc):
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    do, df, di, dg = dh * np.tanh(c), dc * c_before, dc * g, dc * i
    da = [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)]
    return np.stack(da), dc * f


# right 4: by autograd, from the gates back to what stands inside them
def step_back(i, f, g, o, c_before, c, dh, dc):
    inside = np.stack(
        [np.log(i / (1 - i)), np.log(f / (1 - f)), np.arctanh(g), np.log(o / (1 - o))]
    )
    a, kept = nd.array(inside, dtype="float64"), nd.array(c_before, dtype="float64")
    a.attach_grad()
    kept.attach_grad()
    with autograd.record():
        c_t = nd.sigmoid(a[1]) * kept + nd.sigmoid(a[0]) * nd.tanh(a[2])
        h_t = nd.sigmoid(a[3]) * nd.tanh(c_t)
        loss = (h_t * nd.array(dh, dtype="float64")).sum()
        loss = loss + (c_t * nd.array(dc, dtype="float64")).sum()
    loss.backward()
    return a.grad, kept.grad


# wrong 4: tanh(c) has a slope
def step_back(i, f, g, o, c_before, c, dh, dc):
    dc = dc + dh * o
    do, df, di, dg = dh * np.tanh(c), dc * c_before, dc * g, dc * i
    da = [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)]
    return np.stack(da), dc * f


# wrong 4: what comes from the future is forgotten
def step_back(i, f, g, o, c_before, c, dh, dc):
    dc = dh * o * (1 - np.tanh(c) ** 2)
    do, df, di, dg = dh * np.tanh(c), dc * c_before, dc * g, dc * i
    da = [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)]
    return np.stack(da), dc * f


# wrong 4: the gates' slopes are missing
def step_back(i, f, g, o, c_before, c, dh, dc):
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    return np.stack([dc * g, dc * c_before, dc * i, dh * np.tanh(c)]), dc * f


# wrong 4: the candidate treated as a gate
def step_back(i, f, g, o, c_before, c, dh, dc):
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    do, df, di, dg = dh * np.tanh(c), dc * c_before, dc * g, dc * i
    da = [di * i * (1 - i), df * f * (1 - f), dg * g * (1 - g), do * o * (1 - o)]
    return np.stack(da), dc * f


# wrong 4: the forget gate sees the new cell state
def step_back(i, f, g, o, c_before, c, dh, dc):
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    do, df, di, dg = dh * np.tanh(c), dc * c, dc * g, dc * i
    da = [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)]
    return np.stack(da), dc * f
