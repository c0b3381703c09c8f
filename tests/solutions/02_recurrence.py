# right 1
heads_needed = 81
# right 1: another form
heads_needed = Fraction(81)
# right 1: as a float
heads_needed = 81.0
# wrong 1: exactly 9/10
heads_needed = 80
# wrong 1: Beta(1, 1)
heads_needed = 9
# wrong 1: the count with the prior's
heads_needed = 91


# right 2
def fixed_points(u, x):
    g = lambda h: np.tanh(u * h + x) - h
    grid = np.linspace(-1, 1, 1002)
    found = []
    for a, b in zip(grid[:-1], grid[1:]):
        if g(a) * g(b) <= 0:
            for _ in range(60):
                m = (a + b) / 2
                a, b = (m, b) if g(a) * g(m) > 0 else (a, m)
            found.append((a + b) / 2)
    return found


# right 2: by SciPy, as an nd array
def fixed_points(u, x):
    from scipy.optimize import brentq

    grid = np.linspace(-1, 1, 4001) + 1e-9
    values = np.tanh(u * grid + x) - grid
    places = np.flatnonzero(np.sign(values[1:]) != np.sign(values[:-1]))
    return nd.array(
        [brentq(lambda h: np.tanh(u * h + x) - h, grid[k], grid[k + 1]) for k in places],
        dtype="float64",
    )


# wrong 2: only where iteration ends
def fixed_points(u, x):
    h = 0.0
    for _ in range(1000):
        h = np.tanh(u * h + x)
    return [h]


# wrong 2: three starts, the unstable one is missed
def fixed_points(u, x):
    ends = set()
    for h in (-1.0, 0.0, 1.0):
        for _ in range(2000):
            h = np.tanh(u * h + x)
        ends.add(round(float(h), 8))
    return sorted(ends)


# wrong 2: a grid without refinement
def fixed_points(u, x):
    grid = np.linspace(-1, 1, 1001)
    g = np.tanh(u * grid + x) - grid
    return grid[:-1][g[:-1] * g[1:] <= 0]


# wrong 2: falling order
def fixed_points(u, x):
    from scipy.optimize import brentq

    g = lambda h: np.tanh(u * h + x) - h
    grid = np.linspace(-1, 1, 2002)
    return [brentq(g, a, b) for a, b in zip(grid[:-1], grid[1:]) if g(a) * g(b) < 0][::-1]


# wrong 2: forgotten return
def fixed_points(u, x):
    print(np.tanh(u + x))


# wrong 2: two that are near each other fall between the points of a coarse grid
def fixed_points(u, x):
    found, grid = [], np.linspace(-1, 1, 12)
    for low, high in zip(grid[:-1], grid[1:], strict=True):
        if (np.tanh(u * low + x) > low) != (np.tanh(u * high + x) > high):
            rises = np.tanh(u * low + x) > low
            for _ in range(40):
                middle = (low + high) / 2
                if (np.tanh(u * middle + x) > middle) == rises:
                    low = middle
                else:
                    high = middle
            found.append(low)
    return found


# right 3
W_p = [[1], [-1]]
U_p = [[-1], [1]]
V_p = [[1, 1]]
# right 3: the units exchanged and scaled
W_p = np.array([[-2], [0.5]])
U_p = nd.array([[2], [-0.5]])
V_p = ((0.5, 2),)
# wrong 3: a sum, not a difference
W_p, U_p, V_p = [[1], [1]], [[1], [1]], [[1, -1]]
# wrong 3: the readout's sign
W_p, U_p, V_p = [[1], [-1]], [[-1], [1]], [[1, -1]]
# wrong 3: shapes
W_p, U_p, V_p = [1, -1], [-1, 1], [1, 1]
# wrong 3: one unit only
W_p, U_p, V_p = [[1], [0]], [[-1], [0]], [[1, 0]]


# wrong 3: infinity less infinity is NaN, which is above no tolerance
W_p, U_p, V_p = [[1e300], [1e300]], [[0], [0]], [[1e300, -1e300]]
