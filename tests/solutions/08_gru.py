# right 1
def gru_states(x, h_0, W, U, b, b_h):
    h, states = h_0, []
    for x_t in x:
        (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(W @ x_t + b, 3), np.split(U @ h + b_h, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        h = z * h + (1 - z) * np.tanh(n_x + r * n_h)
        states.append(h)
    return np.array(states)


# right 1: by the package's cell
def gru_states(x, h_0, W, U, b, b_h):
    cell = GRUCell(len(h_0), True, input_size=x.shape[1])
    cell.set_weights(W=W, U=U, b=b, b_h=b_h, dtype="float64")
    start = [nd.array(h_0[None], dtype="float64")]
    return RNN(cell)(nd.array(x[None], dtype="float64"), start)[0][0]


# wrong 1: reset before the product
def gru_states(x, h_0, W, U, b, b_h):
    h, states, H = h_0, [], len(h_0)
    for x_t in x:
        r, z = np.split(sigmoid((W @ x_t + b + U @ h + b_h)[: 2 * H]), 2)
        n = np.tanh((W @ x_t + b + b_h)[2 * H :] + U[2 * H :] @ (r * h))
        h = z * h + (1 - z) * n
        states.append(h)
    return np.array(states)


# wrong 1: the second bias outside the reset
def gru_states(x, h_0, W, U, b, b_h):
    h, states = h_0, []
    for x_t in x:
        (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(W @ x_t + b + b_h, 3), np.split(U @ h, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        h = z * h + (1 - z) * np.tanh(n_x + r * n_h)
        states.append(h)
    return np.array(states)


# wrong 1: z takes the new
def gru_states(x, h_0, W, U, b, b_h):
    h, states = h_0, []
    for x_t in x:
        (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(W @ x_t + b, 3), np.split(U @ h + b_h, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        h = (1 - z) * h + z * np.tanh(n_x + r * n_h)
        states.append(h)
    return np.array(states)


# wrong 1: the order z, r, n
def gru_states(x, h_0, W, U, b, b_h):
    h, states = h_0, []
    for x_t in x:
        (z_x, r_x, n_x), (z_h, r_h, n_h) = np.split(W @ x_t + b, 3), np.split(U @ h + b_h, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        h = z * h + (1 - z) * np.tanh(n_x + r * n_h)
        states.append(h)
    return np.array(states)


# wrong 1: the last state only
def gru_states(x, h_0, W, U, b, b_h):
    h = h_0
    for x_t in x:
        (r_x, z_x, n_x), (r_h, z_h, n_h) = np.split(W @ x_t + b, 3), np.split(U @ h + b_h, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        h = z * h + (1 - z) * np.tanh(n_x + r * n_h)
    return h


# right 2
# 3 (32 · 10 + 32² + 64) + 30 · 32 + 30 = 5214; K² + 42 K + 30 = 5214 at K = 54.0, just.
srn_units = 54
# right 2: counted
srn_units = max(
    float(k) for k in range(99) if k * (10 + k + 2 + 30) <= 3 * 32 * (10 + 32 + 2) + 30 * 32
)
# wrong 2: biases left out
srn_units = 53
# wrong 2: one bias for each part
srn_units = max(k for k in range(99) if k * (10 + k + 1 + 30) <= 3 * 32 * (10 + 32 + 1) + 30 * 32)
# wrong 2: without the readout
srn_units = 59
# wrong 2: three times the units
srn_units = 96
# wrong 2: one too many
srn_units = 55
# right 3
# z asks whether 0.01 x is below h; n is 0.01 x, nearly.
W_max, U_max, b_max, V_max = [0, -2000, 0.01], [0, 200000, 0], [0, 0, 0], 100
# right 3: as columns, softer
W_max, U_max, b_max = [[5], [-500], [0.1]], [[0], [5000], [0]], np.zeros(3)
V_max = nd.array([10.0])
# wrong 3: the smallest instead of the largest
W_max, U_max, b_max, V_max = [0, 2000, 0.01], [0, -200000, 0], [0, 0, 0], 100
# wrong 3: tanh is bent
W_max, U_max, b_max, V_max = [0, -1000, 1], [0, 1000, 0], [0, 0, 0], 1
# wrong 3: z does not look at the state
W_max, U_max, b_max, V_max = [0, -2000, 0.01], [0, 0, 0], [0, 1000, 0], 100
# wrong 3: z compares the input with the state as it stands, not with the answer
W_max, U_max, b_max, V_max = [0, -2000, 0.01], [0, 2000, 0], [0, 0, 0], 100
# wrong 3: the old state looked at through r
W_max, U_max, b_max, V_max = [0, 0, 0.01], [200000, 0, 0], [0, 0, 0], 100
