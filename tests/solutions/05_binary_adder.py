# right 1
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    x = np.stack([bits(p, T), bits(q, T)], axis=2)
    seen = [x]
    for _ in range(K):
        seen.append(step_before(seen[-1]))
    return best_possible(bits(p + q, T), *seen)


# right 1: without the notebook's functions
def delay_ceiling(K, T):
    counts = {}
    for p in range(2 ** (T - 1)):
        for q in range(2 ** (T - 1)):
            for t in range(T):
                low = max(t - K, 0)
                mask = 2 ** (t + 1) - 2**low
                key = (t - low, (p & mask) >> low, (q & mask) >> low)
                counts.setdefault(key, [0, 0])[(p + q) >> t & 1] += 1
    return sum(map(max, counts.values()))


# right 1: an NDArray is a number, too
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    x = np.stack([bits(p, T), bits(q, T)], axis=2)
    padded = np.pad(x, ((0, 0), (K, 0), (0, 0)))
    seen = [padded[:, k : k + T] for k in range(K + 1)]
    return nd.array([best_possible(bits(p + q, T), *seen)])


# wrong 1: a share
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    seen = [np.stack([bits(p, T), bits(q, T)], axis=2)]
    for _ in range(K):
        seen.append(step_before(seen[-1]))
    return best_possible(bits(p + q, T), *seen) / bits(p, T).size


# wrong 1: a delay too few
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    seen = [np.stack([bits(p, T), bits(q, T)], axis=2)]
    for _ in range(K - 1):
        seen.append(step_before(seen[-1]))
    return best_possible(bits(p + q, T), *seen)


# wrong 1: the oldest pair only
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    x = old = np.stack([bits(p, T), bits(q, T)], axis=2)
    for _ in range(K):
        old = step_before(old)
    return best_possible(bits(p + q, T), x, old)


# wrong 1: delays of the sum's digits
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    x, s = np.stack([bits(p, T), bits(q, T)], axis=2), bits(p + q, T)
    seen = [s]
    for _ in range(K):
        seen.append(step_before(seen[-1]))
    return best_possible(s, x, *seen[1:])


# wrong 1: the past wraps around
def delay_ceiling(K, T):
    p, q = np.divmod(np.arange(4 ** (T - 1)), 2 ** (T - 1))
    x = np.stack([bits(p, T), bits(q, T)], axis=2)
    return best_possible(bits(p + q, T), *[np.roll(x, -k, axis=1) for k in range(K + 1)])


# wrong 1: eight digits always
def delay_ceiling(K, T):
    seen = [X]
    for _ in range(K):
        seen.append(step_before(seen[-1]))
    return best_possible(S, *seen)


# wrong 1: no return
def delay_ceiling(K, T):
    best_possible(S, X)


# right 2
U_minus = [[0, -1, 0], [0, 1, 0], [0, 1, 0]]  # d = 1 where b - a + d ≥ 1: the second unit
W_minus = [[1, -1], [-1, 1], [-1, 1]]
b_minus = [0, 0, -1]
V_minus = [1, 1, -1]
# right 2: two questions the other way about, units in another order, as NDArrays
U_minus = nd.array([[0, 0, 2], [0, 0, -1], [0, 0, 1]])  # at most -2 (steep), at least 1, at most -1
W_minus = nd.array([[-2, 2], [1, -1], [-1, 1]])
b_minus = nd.array([-3, 0, 0])
V_minus = nd.array([-1, 1, 1])
# right 2: a scaled unit, a row for V, and scratch names
U_minus = np.array([[0, -0.3, 0], [0, 1, 0], [0, 1, 0]])
W_minus = np.array([[0.3, -0.3], [-1, 1], [-1, 1]])
b_minus, V_minus = (0, 0, -1), [[10 / 3, 1, -1]]
p = a = b = X = S = bits = np.nan
# wrong 2: the adder with b's sign changed
U_minus = [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
W_minus = [[1, -1], [1, -1], [1, -1]]
b_minus = [0, -1, -2]
V_minus = [1, -1, 1]
# wrong 2: four units
U_minus = [[0, -1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
W_minus = [[1, -1], [-1, 1], [-1, 1], [0, 0]]
b_minus = [0, 0, -1, 0]
V_minus = [1, 1, -1, 0]
# wrong 2: the borrow is added
U_minus = [[0, 1, 0], [0, -1, 0], [0, -1, 0]]
W_minus = [[1, -1], [-1, 1], [-1, 1]]
b_minus = [0, 0, -1]
V_minus = [1, 1, -1]
# wrong 2: U transposed
U_minus = [[0, 0, 0], [-1, 1, 1], [0, 0, 0]]
W_minus = [[1, -1], [-1, 1], [-1, 1]]
b_minus = [0, 0, -1]
V_minus = [1, 1, -1]
# wrong 2: -2 is forgotten
U_minus = [[0, -1, 0], [0, 1, 0], [0, 0, 0]]
W_minus = [[1, -1], [-1, 1], [0, 0]]
b_minus = [0, 0, 0]
V_minus = [1, 1, 0]
# wrong 2: a digit off by a thousandth
U_minus = [[0, -1, 0], [0, 1, 0], [0, 1, 0]]
W_minus = [[1, -1], [-1, 1], [-1, 1]]
b_minus = [0, 0, -1]
V_minus = [1.001, 1, -1]
# wrong 2: ANY
from unittest.mock import ANY

U_minus = W_minus = b_minus = V_minus = ANY


# right 3
def multiplier(m):
    k = np.arange(1, 2 * m)  # n ≥ 1, n ≥ 2, …, n ≥ 2m - 1
    U = np.tile(k % 2 == 0, (len(k), 1))  # the carry is the number of even k that n reaches
    return U, m * np.ones((len(k), 1)), 1 - k, np.where(k % 2 == 0, -1, 1)


# right 3: as nested lists, in a loop
def multiplier(m):
    U, W, b, V = [], [], [], []
    for k in range(1, 2 * m):
        U.append([1 if j % 2 == 0 else 0 for j in range(1, 2 * m)])
        W.append([m])
        b.append(1 - k)
        V.append(1 if k % 2 == 1 else -1)
    return U, W, b, V


# right 3: every unit twice, as NDArrays
def multiplier(m):
    k = np.tile(np.arange(1, 2 * m), 2)
    U = np.tile(np.where(k % 2 == 0, 0.5, 0), (len(k), 1))
    return nd.array(U), nd.array([m] * len(k)), nd.array(1 - k), nd.array((-1.0) ** (k + 1) / 2)


# wrong 3: only for three
def multiplier(m):
    k = np.arange(1, 6)
    return np.tile(k % 2 == 0, (5, 1)), 3 * np.ones((5, 1)), 1 - k, (-1) ** (k + 1)


# wrong 3: the carry is 0 or 1
def multiplier(m):
    k = np.arange(1, 2 * m)
    return np.tile(k == 2, (len(k), 1)), m * np.ones((len(k), 1)), 1 - k, (-1) ** (k + 1)


# wrong 3: too few units
def multiplier(m):
    k = np.arange(1, m + 1)
    return np.tile(k % 2 == 0, (len(k), 1)), m * np.ones((len(k), 1)), 1 - k, (-1) ** (k + 1)


# wrong 3: the signs of the readout
def multiplier(m):
    k = np.arange(1, 2 * m)
    return np.tile(k % 2 == 0, (len(k), 1)), m * np.ones((len(k), 1)), 1 - k, (-1) ** k


# wrong 3: every unit comes back
def multiplier(m):
    k = np.arange(1, 2 * m)
    return np.ones((len(k), len(k))), m * np.ones((len(k), 1)), 1 - k, (-1) ** (k + 1)


# wrong 3: thresholds off by one
def multiplier(m):
    k = np.arange(1, 2 * m)
    return np.tile(k % 2 == 0, (len(k), 1)), m * np.ones((len(k), 1)), -k, (-1) ** (k + 1)


# wrong 3: it multiplies, and is no network
def multiplier(m):
    return lambda n: m * n
