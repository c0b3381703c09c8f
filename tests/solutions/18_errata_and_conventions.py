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
