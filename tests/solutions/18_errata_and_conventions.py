# right 1
def adopt(W, U, b):
    parts = [np.split(p, 3) for p in (W, U, b)]
    return [np.concatenate([r, -z, n]) for n, r, z in parts]


# right 1: by slices
def adopt(W, U, b):
    H = len(b) // 3
    order = np.r_[H : 2 * H, 2 * H : 3 * H, 0:H]
    sign = np.repeat([1, -1, 1], H)
    return W[order] * sign[:, None], U[order] * sign[:, None], b[order] * sign


# wrong 1: z not turned round
def adopt(W, U, b):
    parts = [np.split(p, 3) for p in (W, U, b)]
    return [np.concatenate([r, z, n]) for n, r, z in parts]


# wrong 1: the order left as it is
def adopt(W, U, b):
    parts = [np.split(p, 3) for p in (W, U, b)]
    return [np.concatenate([n, r, -z]) for n, r, z in parts]


# wrong 1: 1 - z of the weights
def adopt(W, U, b):
    parts = [np.split(p, 3) for p in (W, U, b)]
    return [np.concatenate([r, 1 - z, n]) for n, r, z in parts]


# wrong 1: the bias forgotten
def adopt(W, U, b):
    parts = [np.split(p, 3) for p in (W, U)]
    return [*(np.concatenate([r, -z, n]) for n, r, z in parts), b]


# wrong 1: written for three units
def adopt(W, U, b):
    return [np.concatenate([p[3:6], -p[6:9], p[:3]]) for p in (W, U, b)]


# right 2
order, keeps, after = "nrz", False, True
# right 2: all 24 tried
unit, half = np.ones(1), np.full(1, 0.5)
fractions = {(1, 0): 17 / 28, (0, 0): 23 / 28, (1, 1): 23 / 40, (0, 1): 29 / 40}
for order in map("".join, permutations("rzn")):
    W_q, U_q, b_q, c_q = np.array([role[k] for k in order]).T
    found = check.unknown_gru(W_q[:, None], U_q[:, None], b_q, c_q, unit, half).item()
    hits = [k for k, v in fractions.items() if abs(v - found) < 1e-9]
    if hits:
        keeps, after = map(bool, hits[0])
        break
# wrong 2: the order of the book
order, keeps, after = "rzn", False, True
# wrong 2: z the other way
order, keeps, after = "nrz", True, True
# wrong 2: reset before
order, keeps, after = "nrz", False, False
# wrong 2: no order
order, keeps, after = "nzz", False, True


# right 3
def from_public(w_g, w_i, w_f, w_o, b_g, b_i, b_f, b_o):
    both = np.concatenate([w_i, w_f, w_g, w_o])
    C = w_g.shape[1] - w_g.shape[0]
    return both[:, :C], both[:, C:], np.concatenate([b_i, b_f, b_g, b_o])


# right 3: by splitting, as lists
def from_public(w_g, w_i, w_f, w_o, b_g, b_i, b_f, b_o):
    H = len(b_g)
    W, U = [], []
    for w in (w_i, w_f, w_g, w_o):
        W += w[:, :-H].tolist()
        U += w[:, -H:].tolist()
    return W, U, [*b_i, *b_f, *b_g, *b_o]


# wrong 3: in the order given
def from_public(w_g, w_i, w_f, w_o, b_g, b_i, b_f, b_o):
    both = np.concatenate([w_g, w_i, w_f, w_o])
    return both[:, : -len(b_g)], both[:, -len(b_g) :], np.concatenate([b_g, b_i, b_f, b_o])


# wrong 3: state first
def from_public(w_g, w_i, w_f, w_o, b_g, b_i, b_f, b_o):
    both, H = np.concatenate([w_i, w_f, w_g, w_o]), len(b_g)
    return both[:, H:], both[:, :H], np.concatenate([b_i, b_f, b_g, b_o])


# wrong 3: C written down
def from_public(w_g, w_i, w_f, w_o, b_g, b_i, b_f, b_o):
    both = np.concatenate([w_i, w_f, w_g, w_o])
    return both[:, :50], both[:, 50:], np.concatenate([b_i, b_f, b_g, b_o])


# wrong 3: the biases forgotten
def from_public(w_g, w_i, w_f, w_o, b_g, b_i, b_f, b_o):
    both = np.concatenate([w_i, w_f, w_g, w_o])
    return both[:, : -len(b_g)], both[:, -len(b_g) :]
