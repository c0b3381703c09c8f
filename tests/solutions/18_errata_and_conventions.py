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


# wrong 1: a number
def adopt(W, U, b):
    return 1.0


# right 2
order, keeps, after = "nrz", False, True
# right 2: all 24 tried
formulas = {"17/28": (1, 0), "23/28": (0, 0), "23/40": (1, 1), "29/40": (0, 1)}
for p in permutations("rzn"):
    fraction = str(probe_step(check.unknown_gru, p))
    if fraction in formulas:
        order = "".join(p)
        keeps, after = map(bool, formulas[fraction])
# wrong 2: the order of the book
order, keeps, after = "rzn", False, True
# wrong 2: z the other way
order, keeps, after = "nrz", True, True
# wrong 2: reset before
order, keeps, after = "nrz", False, False
# wrong 2: no order
order, keeps, after = "nzz", False, True


# wrong 2: a text that equals every other
class Agreeable(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


order, keeps, after = Agreeable("rzn"), False, True


# right 3
def accepts(step):
    draw = np.random.RandomState(0)
    C, H = 4, 3
    W, U, b = draw.randn(3 * H, C), draw.randn(3 * H, H), draw.randn(3 * H)
    x, h = draw.randn(C), draw.uniform(-1, 1, H)
    cell = GRUCell(H, input_size=C).set_weights(W=W, U=U, b=b, dtype="float64")
    right = cell(nd.array([x], dtype="float64"), [nd.array([h], dtype="float64")])[0].asnumpy()[0]
    return bool(abs(step(W, U, b, x, h) - right).max() < 1e-9)


# right 3: by the equations, several sizes
def accepts(step):
    draw = np.random.RandomState(1)
    for C, H in ((1, 4), (5, 2), (3, 3)):
        W, U, b, x, h = (draw.randn(*s) for s in ((3 * H, C), (3 * H, H), (3 * H,), (C,), (H,)))
        (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n) = (np.split(a, 3) for a in (W, U, b))
        r, z = sigmoid(W_r @ x + U_r @ h + b_r), sigmoid(W_z @ x + U_z @ h + b_z)
        right = z * h + (1 - z) * np.tanh(W_n @ x + U_n @ (r * h) + b_n)
        if not np.allclose(step(W, U, b, x, h), right, rtol=0, atol=1e-9):
            return False
    return True


# wrong 3: accepts NaN
def accepts(step):
    draw = np.random.RandomState(0)
    W, U, b, x, h = (draw.randn(*s) for s in ((9, 4), (9, 3), (9,), (4,), (3,)))
    right = step_d2l(W, U, b, 0 * b, x, h)
    return not abs(step(W, U, b, x, h) - right).max() > 1e-9


# wrong 3: begins at zero, where much is equal
def accepts(step):
    draw = np.random.RandomState(0)
    W, U, b, x, h = (draw.randn(*s) for s in ((9, 4), (9, 3), (9,), (4,), (3,)))
    right = step_d2l(W, U, b, 0 * b, x, 0 * h)
    return bool(abs(step(W, U, b, x, 0 * h) - right).max() < 1e-9)


# wrong 3: one unit, of which U is its own transpose
def accepts(step):
    draw = np.random.RandomState(0)
    W, U, b, x, h = (draw.randn(*s) for s in ((3, 4), (3, 1), (3,), (4,), (1,)))
    return bool(abs(step(W, U, b, x, h) - step_d2l(W, U, b, 0 * b, x, h)).max() < 1e-9)


# wrong 3: no bias
def accepts(step):
    draw = np.random.RandomState(0)
    W, U, b, x, h = (draw.randn(*s) for s in ((9, 4), (9, 3), (9,), (4,), (3,)))
    return bool(abs(step(W, U, 0 * b, x, h) - step_d2l(W, U, 0 * b, 0 * b, x, h)).max() < 1e-9)


# wrong 3: too coarse
def accepts(step):
    draw = np.random.RandomState(0)
    W, U, b, x, h = (draw.randn(*s) for s in ((9, 4), (9, 3), (9,), (4,), (3,)))
    return np.allclose(step(W, U, b, x, h), step_d2l(W, U, b, 0 * b, x, h))


# wrong 3: a state of ones
def accepts(step):
    draw = np.random.RandomState(0)
    W, U, b, x = (draw.randn(*s) for s in ((9, 4), (9, 3), (9,), (4,)))
    h = np.ones(3)
    return bool(abs(step(W, U, b, x, h) - step_d2l(W, U, b, 0 * b, x, h)).max() < 1e-9)


# wrong 3: always yes
def accepts(step):
    return True


# wrong 3: always no
def accepts(step):
    return False
