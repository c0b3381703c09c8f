# right 1
z_2 = [0 + 1 - 2, 10 + 4 + 2]  # U h_1 stays (0, 10); W x_2 is the first column of W
# right 1: as the code computes it
z_2 = nd.array(U @ h[1] + W @ x[1] + b)
# wrong 1: after the ReLU
z_2 = [0, 16]
# wrong 1: the old input
z_2 = [0, 17]
# wrong 1: h_0 instead of h_1
z_2 = [-2, 10]
# wrong 1: both steps
z_2 = [[-2, 10], [-1, 16]]
# right 2
# h_1 = (2, 2), h_2 = (1, 9); δ_2 = (23, 19), δ_1 = (30, 6) + (15, 19): a column of dW for each.
dW = [[45, 23, 0], [25, 19, 0]]
# right 2: by the function of the notebook
dW = walk_back(x, np.zeros(2), U, W, np.array([1, -2]), V)["W"]
# wrong 2: U for its transpose on the way back
dW = [[7, 23, 0], [71, 19, 0]]
# wrong 2: nothing from the future
dW = [[30, 23, 0], [6, 19, 0]]
# wrong 2: transposed
dW = [[45, 25], [23, 19], [0, 0]]
# wrong 2: the two steps confused
dW = [[23, 45, 0], [19, 25, 0]]
# wrong 2: the old bias
dW = walk_back(x, np.zeros(2), U, W, b, V)["W"]


# right 3
def input_gradient(x, h_0, U, W, b, V):
    z, h = [], [h_0]
    for x_t in x:
        z.append(U @ h[-1] + W @ x_t + b)
        h.append(np.maximum(z[-1], 0))
    dx, future = np.zeros(x.shape), 0
    for t in reversed(range(len(x))):
        delta = (z[t] > 0) * (V.T @ V @ h[t + 1] + future)
        dx[t] = W.T @ delta
        future = U.T @ delta
    return dx


# right 3: by autograd, as a list
def input_gradient(x, h_0, U, W, b, V):
    x, h_0, U, W, b, V = (nd.array(a, dtype="float64") for a in (x, h_0, U, W, b, V))
    x.attach_grad()
    with autograd.record():
        h_t, loss = h_0, 0
        for t in range(len(x)):
            h_t = nd.relu(nd.dot(U, h_t) + nd.dot(W, x[t]) + b)
            loss = loss + (nd.dot(V, h_t) ** 2).sum() / 2
    loss.backward()
    return [row.asnumpy() for row in x.grad]


# wrong 3: nothing from the future
def input_gradient(x, h_0, U, W, b, V):
    dx, h_t = [], h_0
    for x_t in x:
        z = U @ h_t + W @ x_t + b
        h_t = np.maximum(z, 0)
        dx.append(W.T @ ((z > 0) * (V.T @ V @ h_t)))
    return np.array(dx)


# wrong 3: U for its transpose
def input_gradient(x, h_0, U, W, b, V):
    z, h = [], [h_0]
    for x_t in x:
        z.append(U @ h[-1] + W @ x_t + b)
        h.append(np.maximum(z[-1], 0))
    dx, future = np.zeros(x.shape), 0
    for t in reversed(range(len(x))):
        delta = (z[t] > 0) * (V.T @ V @ h[t + 1] + future)
        dx[t] = W.T @ delta
        future = U @ delta
    return dx


# wrong 3: no ReLU on the way back
def input_gradient(x, h_0, U, W, b, V):
    h = [h_0]
    for x_t in x:
        h.append(np.maximum(U @ h[-1] + W @ x_t + b, 0))
    dx, future = np.zeros(x.shape), 0
    for t in reversed(range(len(x))):
        delta = V.T @ V @ h[t + 1] + future
        dx[t] = W.T @ delta
        future = U.T @ delta
    return dx


# wrong 3: forgotten return
def input_gradient(x, h_0, U, W, b, V):
    dx = np.zeros(x.shape)


# wrong 3: written for two steps
def input_gradient(x, h_0, U, W, b, V):
    z_1 = U @ h_0 + W @ x[0] + b
    h_1 = np.maximum(z_1, 0)
    z_2 = U @ h_1 + W @ x[1] + b
    d_2 = (z_2 > 0) * (V.T @ V @ np.maximum(z_2, 0))
    d_1 = (z_1 > 0) * (V.T @ V @ h_1 + U.T @ d_2)
    return np.array([W.T @ d_1, W.T @ d_2])


# right 4
dU_cut = [[0, 0], [20, 380]]  # δ_1 = (0, 20), so δ_1 h_0ᵀ = [[0, 0], [20, 40]]; δ_2 h_1ᵀ as before
# right 4: from the terms of the notebook
dU_cut = np.outer(slope[1] * from_output, h[0]) + np.outer(delta[2], h[1])
# wrong 4: not cut
dU_cut = [[0, 0], [54, 448]]
# wrong 4: only the second step
dU_cut = [[0, 0], [0, 340]]
# wrong 4: only the future kept
dU_cut = [[0, 0], [34, 408]]
# wrong 4: transposed
dU_cut = [[0, 20], [0, 380]]
