# right 1
def tree_gradient(tree, W, U, b, g):
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    H = len(b)

    def back(tree, dh):
        k, children = SYMBOLS.index(tree[0]), tree[1:]
        below = [tree_state(child, W, U, b) for child in children]
        below = np.concatenate([*below, np.zeros((2 - len(children)) * H)])
        delta = (1 - np.tanh(U @ below + W[:, k] + b) ** 2) * dh
        dW[:, k] += delta
        dU[:] += np.outer(delta, below)
        db[:] += delta
        for place, child in enumerate(children):
            back(child, U[:, place * H : (place + 1) * H].T @ delta)

    back(tree, g)
    return dW, dU, db


# right 1: a stack instead of calls, by autograd's own states
def tree_gradient(tree, W, U, b, g):
    H, gradients = len(b), [np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)]
    todo = [(tree, g)]
    while todo:
        (symbol, *children), dh = todo.pop()
        h = tree_state((symbol, *children), W, U, b)
        delta = (1 - h * h) * dh
        x = np.eye(6)[SYMBOLS.index(symbol)]
        below = np.zeros(2 * H)
        for k, child in enumerate(children):
            below[k * H : (k + 1) * H] = tree_state(child, W, U, b)
            todo.append((child, delta @ U[:, k * H : (k + 1) * H]))
        for total, more in zip(gradients, (np.outer(delta, x), np.outer(delta, below), delta)):
            total += more
    return gradients


# right 1: autograd
def tree_gradient(tree, W, U, b, g):
    given = [nd.array(a, dtype="float64") for a in (W, U, b)]
    levels, root = forest([tree], "float64")
    for a in given:
        a.attach_grad()
    with autograd.record():
        L = (node_states(levels, *given)[root] * nd.array(g[None], dtype="float64")).sum()
    L.backward()
    return tuple(a.grad for a in given)


# wrong 1: the root alone
def tree_gradient(tree, W, U, b, g):
    dW, dU = np.zeros_like(W), np.zeros_like(U)
    below = [tree_state(child, W, U, b) for child in tree[1:]]
    below = np.concatenate([*below, np.zeros((2 - len(below)) * len(b))])
    delta = (1 - tree_state(tree, W, U, b) ** 2) * g
    dW[:, SYMBOLS.index(tree[0])] = delta
    return dW, np.outer(delta, below), delta


# wrong 1: U where its transpose belongs
def tree_gradient(tree, W, U, b, g):
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    H = len(b)

    def back(tree, dh):
        k, children = SYMBOLS.index(tree[0]), tree[1:]
        below = [tree_state(child, W, U, b) for child in children]
        below = np.concatenate([*below, np.zeros((2 - len(children)) * H)])
        delta = (1 - np.tanh(U @ below + W[:, k] + b) ** 2) * dh
        dW[:, k] += delta
        dU[:] += np.outer(delta, below)
        db[:] += delta
        for place, child in enumerate(children):
            back(child, U[:, place * H : (place + 1) * H] @ delta)

    back(tree, g)
    return dW, dU, db


# wrong 1: both children sent the left one's error
def tree_gradient(tree, W, U, b, g):
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    H = len(b)

    def back(tree, dh):
        k, children = SYMBOLS.index(tree[0]), tree[1:]
        below = [tree_state(child, W, U, b) for child in children]
        below = np.concatenate([*below, np.zeros((2 - len(children)) * H)])
        delta = (1 - np.tanh(U @ below + W[:, k] + b) ** 2) * dh
        dW[:, k] += delta
        dU[:] += np.outer(delta, below)
        db[:] += delta
        for child in children:
            back(child, U[:, :H].T @ delta)

    back(tree, g)
    return dW, dU, db


# wrong 1: f' forgotten
def tree_gradient(tree, W, U, b, g):
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    H = len(b)

    def back(tree, delta):
        k, children = SYMBOLS.index(tree[0]), tree[1:]
        below = [tree_state(child, W, U, b) for child in children]
        below = np.concatenate([*below, np.zeros((2 - len(children)) * H)])
        dW[:, k] += delta
        dU[:] += np.outer(delta, below)
        db[:] += delta
        for place, child in enumerate(children):
            back(child, U[:, place * H : (place + 1) * H].T @ delta)

    back(tree, g)
    return dW, dU, db


# wrong 1: two children taken for granted
def tree_gradient(tree, W, U, b, g):
    symbol, left, right = tree
    return W, U, b


# right 2
W_loop = [1, 1]  # the first unit: a loop here or below
U_loop = [[1, 0], [0.01, 2]]  # the second: a loop here and one below, or so already below
b_loop = [-0.5, -1.001]
# right 2: in halves, and as a column
W_loop = np.array([[5.0], [0.5]])
U_loop = nd.array([[5, 5], [0.004, 1]])
b_loop = [-2, -0.501]
# wrong 2: two loops side by side add up
W_loop, U_loop, b_loop = [1, 1], [[1, 0], [1, 2]], [-0.5, -1.5]
# wrong 2: a loop is nested if anything is in it
W_loop, U_loop, b_loop = [1, 1], [[1, 0], [0, 1]], [-0.5, -0.5]
# wrong 2: a loop right below a loop only
W_loop, U_loop, b_loop = [1, 1], [[0, 0], [0.01, 2]], [-0.5, -1.001]
# wrong 2: forgotten on the way up
W_loop, U_loop, b_loop = [1, 1], [[1, 0], [0.01, 0]], [-0.5, -1.001]
# wrong 2: fifty loops side by side are too many
W_loop, U_loop, b_loop = [1, 1], [[1, 0], [0.02, 2]], [-0.5, -1.001]
# wrong 2: the units exchanged
W_loop, U_loop, b_loop = [1, 1], [[2, 0.01], [0, 1]], [-1.001, -0.5]
# wrong 2: a list too short
W_loop, U_loop, b_loop = [1], [[1, 0], [0.01, 2]], [-0.5, -1.001]
# right 3
# every node has three neighbours: a prism, and three houses joined to three wells
A_1 = np.kron(np.eye(2), ring(3)) + np.kron(ring(2) / 2, np.eye(3))
A_2 = np.kron([[0, 1], [1, 0]], np.ones((3, 3)))
# right 3: eight nodes: a cube, and a ring of eight with its diameters
A_1 = np.zeros((8, 8), dtype=int)
for i in range(8):
    for bit in (1, 2, 4):
        A_1[i, i ^ bit] = 1
A_2 = nd.array(ring(8) + np.roll(np.eye(8), 4, axis=0))
# right 3: lists
A_1 = (np.kron(np.eye(2), ring(3)) + np.kron(ring(2) / 2, np.eye(3))).tolist()
A_2 = np.kron([[0, 1], [1, 0]], np.ones((3, 3))).tolist()
# wrong 3: the pair above
A_1, A_2 = np.kron(np.eye(2), ring(3)), ring(6)
# wrong 3: one graph twice
A_1, A_2 = ring(6), ring(6)[[3, 0, 5, 1, 4, 2]][:, [3, 0, 5, 1, 4, 2]]
# wrong 3: rings of two sizes
A_1, A_2 = ring(6), ring(7)
# wrong 3: as many edges at the nodes, and yet told apart
A_1 = np.zeros((6, 6))
A_2 = np.zeros((6, 6))
for i, j in ((0, 1), (1, 2), (2, 3), (3, 4), (1, 5)):
    A_1[i, j] = A_1[j, i] = 1
for i, j in ((0, 1), (1, 2), (2, 3), (3, 4), (2, 5)):
    A_2[i, j] = A_2[j, i] = 1
# wrong 3: an arrow one way
A_1, A_2 = np.eye(6, k=1), np.eye(6, k=-1)
# wrong 3: nine nodes
A_1, A_2 = ring(9), np.kron(np.eye(3), ring(3))
