# right 1
def step_W(S, x_t, slope_t, U):
    own = np.einsum("ui,j->uij", np.eye(len(U)), x_t)  # x_t in row i = u, for every unit u
    return slope_t[:, None, None] * (own + np.einsum("uv,vij->uij", U, S))


# right 1: weight by weight
def step_W(S, x_t, slope_t, U):
    new = np.zeros(S.shape)
    for i, j in np.ndindex(S.shape[1:]):
        change = U @ S[:, i, j]
        change[i] += x_t[j]
        new[:, i, j] = slope_t * change
    return new


# right 1: as one product of matrices
def step_W(S, x_t, slope_t, U):
    H, units = len(U), range(len(U))
    through_past = (U @ S.reshape(H, -1)).reshape(S.shape)
    through_past[units, units] += x_t
    return (through_past.T * slope_t).T


# wrong 1: not through U
def step_W(S, x_t, slope_t, U):
    return slope_t[:, None, None] * (np.einsum("ui,j->uij", np.eye(len(U)), x_t) + S)


# wrong 1: U's transpose
def step_W(S, x_t, slope_t, U):
    own = np.einsum("ui,j->uij", np.eye(len(U)), x_t)
    return slope_t[:, None, None] * (own + np.einsum("vu,vij->uij", U, S))


# wrong 1: the slope on one of the two ways
def step_W(S, x_t, slope_t, U):
    own = np.einsum("ui,j->uij", np.eye(len(U)), x_t)
    return slope_t[:, None, None] * own + np.einsum("uv,vij->uij", U, S)


# wrong 1: only the direct way
def step_W(S, x_t, slope_t, U):
    return slope_t[:, None, None] * np.einsum("ui,j->uij", np.eye(len(U)), x_t)


# wrong 1: the notebook's direct_part, which knows H = 4 only
def step_W(S, x_t, slope_t, U):
    return slope_t[:, None, None] * (direct_part(x_t) + np.einsum("uv,vij->uij", U, S))


# wrong 1: no return
def step_W(S, x_t, slope_t, U):
    S = slope_t[:, None, None] * (
        np.einsum("ui,j->uij", np.eye(len(U)), x_t) + np.einsum("uv,vij->uij", U, S)
    )


# wrong 1: in place
def step_W(S, x_t, slope_t, U):
    own = np.einsum("ui,j->uij", np.eye(len(U)), x_t)
    S[:] = slope_t[:, None, None] * (own + np.einsum("uv,vij->uij", U, S))
    return S


# right 1: one number after the other, as nested lists
def step_W(S, x_t, slope_t, U):
    units, inputs = range(len(U)), range(len(x_t))

    def entry(u, i, j):
        return slope_t[u] * ((u == i) * x_t[j] + sum(U[u, v] * S[v, i, j] for v in units))

    return [[[entry(u, i, j) for j in inputs] for i in units] for u in units]


# right 1: as an nd array
def step_W(S, x_t, slope_t, U):
    direct = np.einsum("ui,j->uij", np.eye(len(U)), x_t)
    new = slope_t[:, None, None] * (direct + np.einsum("uv,vij->uij", U, S))
    return nd.array(new, dtype="float64")


# right 2
def last_symbol_gradients(U, W, b, V, x, d):
    h = [np.zeros(len(b))]
    for x_t in x:
        h.append(np.tanh(U @ h[-1] + W @ x_t + b))
    g = softmax(V @ h[-1])
    g[d] -= 1  # p − one-hot
    dU, back = np.zeros(U.shape), V.T @ g
    for k in reversed(range(len(x))):
        delta = (1 - h[k + 1] ** 2) * back
        dU += np.outer(delta, h[k])
        back = U.T @ delta
    return dU, np.outer(g, h[-1])


# right 2: by autograd, which counts, too
def last_symbol_gradients(U, W, b, V, x, d):
    U, W, b, V, x = (nd.array(a, dtype="float64") for a in (U, W, b, V, x))
    U.attach_grad()
    V.attach_grad()
    with autograd.record():
        h = nd.zeros(b.shape, dtype="float64")
        for x_t in x:
            h = nd.tanh(nd.dot(U, h) + nd.dot(W, x_t) + b)
        L = -nd.log_softmax(nd.dot(V, h))[d]
    L.backward()
    return U.grad, V.grad


# right 2: forward in time, by RTRL, as a list
def last_symbol_gradients(U, W, b, V, x, d):
    h, S, H = np.zeros(len(b)), 0, len(b)
    for x_t in x:
        own = np.einsum("ui,j->uij", np.eye(H), h)
        h = np.tanh(U @ h + W @ x_t + b)
        S = (1 - h**2)[:, None, None] * (own + np.tensordot(U, S, 1) if np.ndim(S) else own)
    g = softmax(V @ h) - np.eye(len(V))[d]
    return [np.tensordot(V.T @ g, S, 1).tolist(), np.outer(g, h).tolist()]


# wrong 2: one-hot − p
def last_symbol_gradients(U, W, b, V, x, d):
    h = [np.zeros(len(b))]
    for x_t in x:
        h.append(np.tanh(U @ h[-1] + W @ x_t + b))
    g = np.eye(len(V))[d] - softmax(V @ h[-1])
    dU, back = np.zeros(U.shape), V.T @ g
    for k in reversed(range(len(x))):
        delta = (1 - h[k + 1] ** 2) * back
        dU += np.outer(delta, h[k])
        back = U.T @ delta
    return dU, np.outer(g, h[-1])


# wrong 2: only the last step
def last_symbol_gradients(U, W, b, V, x, d):
    h = [np.zeros(len(b))]
    for x_t in x:
        h.append(np.tanh(U @ h[-1] + W @ x_t + b))
    g = softmax(V @ h[-1]) - np.eye(len(V))[d]
    return np.outer((1 - h[-1] ** 2) * (V.T @ g), h[-2]), np.outer(g, h[-1])


# wrong 2: U for its transpose on the way back
def last_symbol_gradients(U, W, b, V, x, d):
    h = [np.zeros(len(b))]
    for x_t in x:
        h.append(np.tanh(U @ h[-1] + W @ x_t + b))
    g = softmax(V @ h[-1]) - np.eye(len(V))[d]
    dU, back = np.zeros(U.shape), V.T @ g
    for k in reversed(range(len(x))):
        delta = (1 - h[k + 1] ** 2) * back
        dU += np.outer(delta, h[k])
        back = U @ delta
    return dU, np.outer(g, h[-1])


# wrong 2: the state after the step, not before it
def last_symbol_gradients(U, W, b, V, x, d):
    h = [np.zeros(len(b))]
    for x_t in x:
        h.append(np.tanh(U @ h[-1] + W @ x_t + b))
    g = softmax(V @ h[-1]) - np.eye(len(V))[d]
    dU, back = np.zeros(U.shape), V.T @ g
    for k in reversed(range(len(x))):
        delta = (1 - h[k + 1] ** 2) * back
        dU += np.outer(delta, h[k + 1])
        back = U.T @ delta
    return dU, np.outer(g, h[-1])


# wrong 2: an answer at every step
def last_symbol_gradients(U, W, b, V, x, d):
    net = Parameters(U, W, b, V, np.zeros(len(b)))
    both = bptt(net, x, lambda t, s_t: softmax(s_t) - np.eye(len(V))[d])
    return both.U, both.V


# wrong 2: no slope
def last_symbol_gradients(U, W, b, V, x, d):
    h = [np.zeros(len(b))]
    for x_t in x:
        h.append(np.tanh(U @ h[-1] + W @ x_t + b))
    g = softmax(V @ h[-1]) - np.eye(len(V))[d]
    dU, back = np.zeros(U.shape), V.T @ g
    for k in reversed(range(len(x))):
        dU += np.outer(back, h[k])
        back = U.T @ back
    return dU, np.outer(g, h[-1])


# wrong 2: one array only
def last_symbol_gradients(U, W, b, V, x, d):
    net = Parameters(U, W, b, V, np.zeros(len(b)))
    return bptt(net, x, lambda t, s: (t == len(x) - 1) * (softmax(s) - np.eye(len(V))[d])).U


# right 3
def sufficient_window(net, x, rule, share):
    whole_W = bptt(net, x, rule).W
    for K in reversed(range(1, len(x))):
        missing = bptt(net, x, rule, window=K).W - whole_W
        if np.linalg.norm(missing) >= share * np.linalg.norm(whole_W):
            return K + 1
    return 1


# right 3: all windows at once, by the table of error terms
def sufficient_window(net, x, rule, share):
    delta, T = deltas(net, x, rule), len(x)
    by_lag = np.zeros((T, len(net.b), x.shape[1]))
    for t in range(T):
        for k in range(t + 1):
            by_lag[t - k] += np.outer(delta[t, k], x[k])
    windows = np.cumsum(by_lag, axis=0)
    off = np.linalg.norm(windows - windows[-1], axis=(1, 2)) / np.linalg.norm(windows[-1])
    return 1 + np.append(0, 1 + np.flatnonzero(off >= share))[-1]


# wrong 3: the first window that is small enough
def sufficient_window(net, x, rule, share):
    whole_W, K = bptt(net, x, rule).W, 1
    while np.linalg.norm(bptt(net, x, rule, window=K).W - whole_W) >= share * np.linalg.norm(
        whole_W
    ):
        K += 1
    return K


# wrong 3: the maximum norm
def sufficient_window(net, x, rule, share):
    whole_W = bptt(net, x, rule).W
    for K in reversed(range(1, len(x))):
        if relative_difference(bptt(net, x, rule, window=K).W, whole_W) >= share:
            return K + 1
    return 1


# wrong 3: U for W
def sufficient_window(net, x, rule, share):
    whole_U = bptt(net, x, rule).U
    for K in reversed(range(1, len(x))):
        missing = bptt(net, x, rule, window=K).U - whole_U
        if np.linalg.norm(missing) >= share * np.linalg.norm(whole_U):
            return K + 1
    return 1


# wrong 3: off by one
def sufficient_window(net, x, rule, share):
    whole_W = bptt(net, x, rule).W
    for K in reversed(range(1, len(x))):
        missing = bptt(net, x, rule, window=K).W - whole_W
        if np.linalg.norm(missing) >= share * np.linalg.norm(whole_W):
            return K
    return 1


# wrong 3: relative to the cut gradient
def sufficient_window(net, x, rule, share):
    whole_W = bptt(net, x, rule).W
    for K in reversed(range(1, len(x))):
        cut_W = bptt(net, x, rule, window=K).W
        if np.linalg.norm(cut_W - whole_W) >= share * np.linalg.norm(cut_W):
            return K + 1
    return 1


# wrong 3: everything
def sufficient_window(net, x, rule, share):
    return len(x)


# wrong 3: the spectral norm
def sufficient_window(net, x, rule, share):
    whole = bptt(net, x, rule).W
    off = [np.linalg.norm(bptt(net, x, rule, window=K).W - whole, 2) for K in range(1, len(x) + 1)]
    limit = share * np.linalg.norm(whole, 2)
    return max((K for K, norm in enumerate(off, 1) if norm >= limit), default=0) + 1


# wrong 3: at most twelve, as in the notebook
def sufficient_window(net, x, rule, share):
    whole, K = bptt(net, x, rule).W, 12
    limit = share * np.linalg.norm(whole)
    while K > 1 and np.linalg.norm(bptt(net, x, rule, window=K - 1).W - whole) < limit:
        K -= 1
    return K
