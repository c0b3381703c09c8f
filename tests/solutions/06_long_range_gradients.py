# right 1
rho_half = 0.5 ** (1 / 20)
lag_thousandth = 200  # 0.5^(n / 20) < 1/1000 from n = 20 log2(1000) = 199.3 on
# right 1: by trying, in other forms
rho_half = nd.array([0.96594])
lag_thousandth = next(n for n in range(1000) if 0.96594**n < 1e-3) * 1.0
# wrong 1: linear thinking
rho_half = 1 - 0.5 / 20
lag_thousandth = 200
# wrong 1: one step too early
rho_half = 0.5 ** (1 / 20)
lag_thousandth = 199
# wrong 1: a half at every step
rho_half = 0.5
lag_thousandth = 10
# wrong 1: rounded too much
rho_half = 0.97
lag_thousandth = 200
# wrong 1: not whole
rho_half = 0.5 ** (1 / 20)
lag_thousandth = 20 * np.log2(1000)


# right 2
def norms_back(U, W, b, x, e):
    h, slopes = np.zeros(len(b)), []
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        slopes.append(1 - h**2)
    norms = [np.linalg.norm(e)]
    for slope in slopes[::-1]:
        e = U.T @ (slope * e)
        norms.append(np.linalg.norm(e))
    return norms


# right 2: by the packaged cell and autograd
def norms_back(U, W, b, x, e):
    cell = ElmanCell(len(U)).set_weights(U=U, W=W, b=b, dtype="float64")
    x, e = nd.array(x[None], dtype="float64"), nd.array(e, dtype="float64")
    (g,) = state_gradients(cell, x, lambda h: nd.dot(h[:, -1], e))
    return norms_by_lag(g)


# right 2: by the product of the Jacobians
def norms_back(U, W, b, x, e):
    h, J, found = np.zeros(len(b)), [], []
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        J.append(np.diag(1 - h**2) @ U)
    product = np.eye(len(b))
    for n in range(len(x) + 1):
        found.append(np.sqrt(((product.T @ e) ** 2).sum()))
        if n < len(x):
            product = product @ J[-1 - n]
    return np.array(found)


# wrong 2: U for its transpose
def norms_back(U, W, b, x, e):
    h, slopes = np.zeros(len(b)), []
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        slopes.append(1 - h**2)
    norms = [np.linalg.norm(e)]
    for slope in slopes[::-1]:
        e = U @ (slope * e)
        norms.append(np.linalg.norm(e))
    return norms


# wrong 2: the slope after the matrix
def norms_back(U, W, b, x, e):
    h, slopes = np.zeros(len(b)), []
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        slopes.append(1 - h**2)
    norms = [np.linalg.norm(e)]
    for slope in slopes[::-1]:
        e = slope * (U.T @ e)
        norms.append(np.linalg.norm(e))
    return norms


# wrong 2: the steps in the order of time
def norms_back(U, W, b, x, e):
    h, norms = np.zeros(len(b)), [np.linalg.norm(e)]
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        e = U.T @ ((1 - h**2) * e)
        norms.append(np.linalg.norm(e))
    return norms


# wrong 2: a norm too few
def norms_back(U, W, b, x, e):
    h, slopes, norms = np.zeros(len(b)), [], []
    for x_t in x:
        h = np.tanh(U @ h + W @ x_t + b)
        slopes.append(1 - h**2)
    for slope in slopes[::-1]:
        norms.append(np.linalg.norm(e))
        e = U.T @ (slope * e)
    return norms


# wrong 2: no return
def norms_back(U, W, b, x, e):
    norms = [np.linalg.norm(e)]


# right 3
def clipped_step(weights, gradients, N, eta, theta):
    norm = np.sqrt(sum((g**2).sum() for g in gradients)) / N
    scale = theta / max(norm, theta) / N
    return [w - eta * scale * g for w, g in zip(weights, gradients, strict=True)]


# right 3: by a branch, and one long vector
def clipped_step(weights, gradients, N, eta, theta):
    mean = [np.array(g) / N for g in gradients]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in mean]))
    if norm > theta:
        mean = [g * theta / norm for g in mean]
    return tuple(w - eta * g for w, g in zip(weights, mean, strict=True))


# right 3: with the package, on copies
def clipped_step(weights, gradients, N, eta, theta):
    copies = [nd.array(g, dtype="float64") for g in gradients]
    clip_global_norm(copies, N * theta)
    return [w - eta / N * g.asnumpy() for w, g in zip(weights, copies, strict=True)]


# wrong 3: the sum clipped, then divided
def clipped_step(weights, gradients, N, eta, theta):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    scale = theta / max(norm, theta) / N
    return [w - eta * scale * g for w, g in zip(weights, gradients, strict=True)]


# wrong 3: per tensor
def clipped_step(weights, gradients, N, eta, theta):
    new = []
    for w, g in zip(weights, gradients, strict=True):
        norm = np.linalg.norm(g / N)
        new.append(w - eta * theta / max(norm, theta) * g / N)
    return new


# wrong 3: by value
def clipped_step(weights, gradients, N, eta, theta):
    pairs = zip(weights, gradients, strict=True)
    return [w - eta * np.clip(g / N, -theta, theta) for w, g in pairs]


# wrong 3: always of length theta
def clipped_step(weights, gradients, N, eta, theta):
    norm = max(1e-12, np.sqrt(sum((g**2).sum() for g in gradients)))
    return [w - eta * theta / norm * g for w, g in zip(weights, gradients, strict=True)]


# wrong 3: zeros divided by zero
def clipped_step(weights, gradients, N, eta, theta):
    norm = np.sqrt(sum((g**2).sum() for g in gradients)) / N
    scale = min(1, theta / norm) / N
    scale = scale if norm > 0 else np.nan
    return [w - eta * scale * g for w, g in zip(weights, gradients, strict=True)]


# wrong 3: writes into the arrays it was given
def clipped_step(weights, gradients, N, eta, theta):
    norm = np.sqrt(sum((g**2).sum() for g in gradients)) / N
    for w, g in zip(weights, gradients, strict=True):
        w -= eta * theta / max(norm, theta) * g / N
    return weights


# wrong 3: a number, not a list of arrays
def clipped_step(weights, gradients, N, eta, theta):
    return eta * theta / N
