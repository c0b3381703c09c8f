# right 1
def dilated(x, A, b, d):
    T, J = len(x), len(A) - 1
    padded = np.vstack([np.zeros((J * d, x.shape[1])), x])
    h = []
    for t in range(T):
        z = b + sum(A[j] @ padded[J * d + t - j * d] for j in range(J + 1))
        h.append(np.maximum(z, 0))
    return np.array(h)


# right 1: by the TDNN of the notebook, with holes
def dilated(x, A, b, d):
    W = np.zeros(((len(A) - 1) * d + 1, *A.shape[1:]))
    W[::d] = A
    return tdnn(x, W, b, f=lambda z: np.maximum(z, 0))


# right 1: by Gluon's convolution
def dilated(x, A, b, d):
    J = len(A) - 1
    layer = gluon.nn.Conv1D(A.shape[1], J + 1, dilation=d, in_channels=x.shape[1])
    layer.initialize()
    layer.weight.set_data(nd.array(A[::-1].transpose(1, 2, 0)))
    layer.bias.set_data(nd.array(b))
    padded = np.pad(x.T, ((0, 0), (J * d, 0)))
    return nd.relu(layer(nd.array(padded[None])))[0].T


# wrong 1: the kernel backwards
def dilated(x, A, b, d):
    W = np.zeros(((len(A) - 1) * d + 1, *A.shape[1:]))
    W[::d] = A[::-1]
    return tdnn(x, W, b, f=lambda z: np.maximum(z, 0))


# wrong 1: without holes
def dilated(x, A, b, d):
    return tdnn(x, A, b, f=lambda z: np.maximum(z, 0))


# wrong 1: tanh
def dilated(x, A, b, d):
    W = np.zeros(((len(A) - 1) * d + 1, *A.shape[1:]))
    W[::d] = A
    return tdnn(x, W, b)


# wrong 1: what falls out at the end comes back in front
def dilated(x, A, b, d):
    z = sum(np.roll(x, j * d, axis=0) @ A[j].T for j in range(len(A))) + b
    return np.maximum(z, 0)


# wrong 1: zeros behind, so it sees the future
def dilated(x, A, b, d):
    J = len(A) - 1
    padded, h = np.vstack([x, np.zeros((J * d, x.shape[1]))]), []
    for t in range(len(x)):
        h.append(np.maximum(b + sum(A[j] @ padded[t + j * d] for j in range(J + 1)), 0))
    return np.array(h)


# wrong 1: the first steps are left out
def dilated(x, A, b, d):
    J = len(A) - 1
    steps = range(J * d, len(x))
    return np.array(
        [np.maximum(b + sum(A[j] @ x[t - j * d] for j in range(J + 1)), 0) for t in steps]
    )


# right 2
def slope_weights(K):
    s = -np.arange(K + 1.0)
    powers = np.stack([s**n for n in range(K + 1)])  # (K + 1, K + 1)
    return np.linalg.solve(powers, np.eye(K + 1)[1])


# right 2: by fitting polynomials to unit series, as a list
def slope_weights(K):
    s = -np.arange(K + 1.0)
    return [np.polyfit(s, unit, K)[-2] for unit in np.eye(K + 1)]


# right 2: 1 + 1/2 + … + 1/K, then binomials
def slope_weights(K):
    from math import comb

    return [sum(1 / k for k in range(1, K + 1))] + [
        (-1) ** k * comb(K, k) / k for k in range(1, K + 1)
    ]


# wrong 2: backwards
def slope_weights(K):
    s = -np.arange(K + 1.0)
    powers = np.stack([s**n for n in range(K + 1)])
    return np.linalg.solve(powers, np.eye(K + 1)[1])[::-1]


# wrong 2: the past at s = +k
def slope_weights(K):
    s = np.arange(K + 1.0)
    powers = np.stack([s**n for n in range(K + 1)])
    return np.linalg.solve(powers, np.eye(K + 1)[1])


# wrong 2: always the last difference
def slope_weights(K):
    return [1, -1] + [0] * (K - 1)


# wrong 2: right for K = 1 and 2 only
def slope_weights(K):
    return {1: [1, -1], 2: [1.5, -2, 0.5]}.get(K, [0] * (K + 1))


# wrong 2: the mean slope of the line
def slope_weights(K):
    return [1 / K] + [0] * (K - 1) + [-1 / K]


# wrong 2: transposed
def slope_weights(K):
    s = -np.arange(K + 1.0)
    powers = np.stack([s**n for n in range(K + 1)], axis=1)
    return np.linalg.solve(powers, np.eye(K + 1)[1])


# right 3
def ringing(period, kept):
    rho, angle = kept ** (1 / period), 2 * np.pi / period
    return 2 * rho * np.cos(angle), -(rho**2)


# right 3: from the roots, as an array
def ringing(period, kept):
    root = kept ** (1 / period) * np.exp(2j * np.pi / period)
    return -np.poly([root, root.conjugate()]).real[1:]


# wrong 3: the share is kept at each step
def ringing(period, kept):
    return 2 * kept * np.cos(2 * np.pi / period), -(kept**2)


# wrong 3: the sign of U_2
def ringing(period, kept):
    rho = kept ** (1 / period)
    return 2 * rho * np.cos(2 * np.pi / period), rho**2


# wrong 3: the frequency for the angle
def ringing(period, kept):
    rho = kept ** (1 / period)
    return 2 * rho * np.cos(1 / period), -(rho**2)


# wrong 3: without the 2
def ringing(period, kept):
    rho = kept ** (1 / period)
    return rho * np.cos(2 * np.pi / period), -(rho**2)


# wrong 3: the other way round
def ringing(period, kept):
    rho = kept ** (1 / period)
    return -(rho**2), 2 * rho * np.cos(2 * np.pi / period)
