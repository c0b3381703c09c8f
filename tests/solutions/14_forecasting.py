# right 1
def as_last_cycle(history, period, steps):
    return [history[-period + k % period] for k in range(steps)]


# right 1: laid end to end
def as_last_cycle(history, period, steps):
    return np.resize(history[-period:], steps)


# right 1: in a loop that is fed its own forecasts
def as_last_cycle(history, period, steps):
    series = list(history)
    for _ in range(steps):
        series.append(series[-period])
    return series[len(history) :]


# wrong 1: reads on into older years
def as_last_cycle(history, period, steps):
    return [history[-period - k // period * period + k % period] for k in range(steps)]


# wrong 1: one year late
def as_last_cycle(history, period, steps):
    return [history[-period + (k - 1) % period] for k in range(steps)]


# wrong 1: the last value of all
def as_last_cycle(history, period, steps):
    return [history[-1]] * steps


# wrong 1: stops when the known years end
def as_last_cycle(history, period, steps):
    return history[-period:][:steps]


# wrong 1: only the next year
def as_last_cycle(history, period, steps):
    return history[-period]


# right 2
def rolling_errors(past, orders, years):
    errors = []
    for K in orders:
        wrong_by = []
        for t in range(len(past) - years, len(past)):
            X = np.array([[1, *past[s - K : s][::-1]] for s in range(K, t)])
            w = np.linalg.lstsq(X, past[K:t], rcond=None)[0]
            wrong_by.append(past[t] - w[0] - w[1:] @ past[t - K : t][::-1])
        errors.append(np.sqrt(np.mean(np.square(wrong_by))))
    return errors


# right 2: by normal equations, oldest first, as an array
def rolling_errors(past, orders, years):
    out = np.zeros(len(orders))
    for i, K in enumerate(orders):
        line = sliding_window_view(past, K)[:-1]
        X = np.column_stack([line, np.ones(len(line))])
        for t in range(len(past) - years, len(past)):
            A, y = X[: t - K], past[K:t]
            w = np.linalg.solve(A.T @ A, A.T @ y)
            out[i] += (past[t] - X[t - K] @ w) ** 2 / years
    return np.sqrt(out)


# wrong 2: one fit to all, which has seen what it forecasts
def rolling_errors(past, orders, years):
    errors = []
    for K in orders:
        line = sliding_window_view(past, K)[:-1]
        X = np.column_stack([line, np.ones(len(line))])
        w = np.linalg.lstsq(X, past[K:], rcond=None)[0]
        errors.append(np.sqrt(np.mean((past[K:] - X @ w)[-years:] ** 2)))
    return errors


# wrong 2: one fit before, that does not move on
def rolling_errors(past, orders, years):
    errors = []
    for K in orders:
        line = sliding_window_view(past, K)[:-1]
        X = np.column_stack([line, np.ones(len(line))])
        w = np.linalg.lstsq(X[:-years], past[K:-years], rcond=None)[0]
        errors.append(np.sqrt(np.mean((past[K:] - X @ w)[-years:] ** 2)))
    return errors


# wrong 2: the year to be forecast is in the fit
def rolling_errors(past, orders, years):
    errors = []
    for K in orders:
        line = sliding_window_view(past, K)[:-1]
        X = np.column_stack([line, np.ones(len(line))])
        wrong_by = []
        for t in range(len(past) - years, len(past)):
            w = np.linalg.lstsq(X[: t - K + 1], past[K : t + 1], rcond=None)[0]
            wrong_by.append(past[t] - X[t - K] @ w)
        errors.append(np.sqrt(np.mean(np.square(wrong_by))))
    return errors


# wrong 2: mean squares, without the root
def rolling_errors(past, orders, years):
    errors = []
    for K in orders:
        line = sliding_window_view(past, K)[:-1]
        X = np.column_stack([line, np.ones(len(line))])
        wrong_by = []
        for t in range(len(past) - years, len(past)):
            w = np.linalg.lstsq(X[: t - K], past[K:t], rcond=None)[0]
            wrong_by.append(past[t] - X[t - K] @ w)
        errors.append(np.mean(np.square(wrong_by)))
    return errors


# wrong 2: without the constant
def rolling_errors(past, orders, years):
    errors = []
    for K in orders:
        X = sliding_window_view(past, K)[:-1]
        wrong_by = []
        for t in range(len(past) - years, len(past)):
            w = np.linalg.lstsq(X[: t - K], past[K:t], rcond=None)[0]
            wrong_by.append(past[t] - X[t - K] @ w)
        errors.append(np.sqrt(np.mean(np.square(wrong_by))))
    return errors


# right 3
def spread(w, steps):
    K = len(w) - 1
    left = [1.0]
    for _ in range(steps - 1):
        left.append(sum(w[k] * left[-k] for k in range(1, K + 1) if k <= len(left)))
    return np.sqrt(np.cumsum(np.square(left)))


# right 3: by powers of a matrix
def spread(w, steps):
    K = len(w) - 1
    A = np.vstack([w[1:], np.eye(K)[:-1]])
    left = [np.linalg.matrix_power(A, j)[0, 0] for j in range(steps)]
    return [sum(p**2 for p in left[: h + 1]) ** 0.5 for h in range(steps)]


# right 3: by the closed loop of the notebook
def spread(w, steps):
    line = np.eye(1, len(w) - 1)  # a shock of 1 has just been
    later = ar_alone(np.append(0, w[1:]), line, steps)[0]
    return np.sqrt(1 + np.cumsum(np.append(0, later[:-1] ** 2)))


# wrong 3: no root
def spread(w, steps):
    line = np.eye(1, len(w) - 1)
    later = ar_alone(np.append(0, w[1:]), line, steps)[0]
    return 1 + np.cumsum(np.append(0, later[:-1] ** 2))


# wrong 3: deviations added instead of variances
def spread(w, steps):
    line = np.eye(1, len(w) - 1)
    later = ar_alone(np.append(0, w[1:]), line, steps)[0]
    return 1 + np.cumsum(np.append(0, abs(later[:-1])))


# wrong 3: one step late
def spread(w, steps):
    line = np.eye(1, len(w) - 1)
    later = ar_alone(np.append(0, w[1:]), line, steps)[0]
    return np.sqrt(1 + np.cumsum(later**2))


# wrong 3: with the constant
def spread(w, steps):
    line = np.eye(1, len(w) - 1)
    later = ar_alone(w, line, steps)[0]
    return np.sqrt(1 + np.cumsum(np.append(0, later[:-1] ** 2)))


# wrong 3: what one shock leaves, not summed
def spread(w, steps):
    line = np.eye(1, len(w) - 1)
    later = ar_alone(np.append(0, w[1:]), line, steps)[0]
    return np.append(1, abs(later[:-1]))


# wrong 3: grows as a random walk
def spread(w, steps):
    return np.sqrt(np.arange(1, steps + 1))


# right 4: on roots the scatter is nearly even; 8 delays have the least rolling error there
def learn(past):
    X = np.column_stack([np.ones(len(past) - 8), sliding_window_view(np.sqrt(past), 8)[:-1]])
    w = np.linalg.lstsq(X, np.sqrt(past[8:]), rcond=None)[0]
    return lambda history: (w[0] + w[1:] @ np.sqrt(history[-8:])) ** 2


# right 4: fitted again every year, on cube roots
def learn(past):
    def forecast(history):
        z = np.cbrt(history)
        X = np.column_stack([np.ones(len(z) - 9), sliding_window_view(z, 9)[:-1]])
        w = np.linalg.lstsq(X, z[9:], rcond=None)[0]
        return (w[0] + w[1:] @ z[-9:]) ** 3

    return forecast


# wrong 4: persistence
def learn(past):
    return lambda history: history[-1]


# wrong 4: AR(11) itself
def learn(past):
    X = np.column_stack([np.ones(len(past) - 11), sliding_window_view(past, 11)[:-1]])
    w = np.linalg.lstsq(X, past[11:], rcond=None)[0]
    return lambda history: w[0] + w[1:] @ history[-11:]


# wrong 4: AR(11) fitted to all years, outside
def outside(f, back, K):
    z = f(spots)
    X = np.column_stack([np.ones(len(z) - K), sliding_window_view(z, K)[:-1]])
    w = np.linalg.lstsq(X, z[K:], rcond=None)[0]
    return lambda history: back(w[0] + w[1:] @ f(history[-K:]))


def learn(past):
    return outside(lambda v: v, lambda v: v, 11)


# wrong 4: on roots, but fitted to all years, outside
def outside(f, back, K):
    z = f(spots)
    X = np.column_stack([np.ones(len(z) - K), sliding_window_view(z, K)[:-1]])
    w = np.linalg.lstsq(X, z[K:], rcond=None)[0]
    return lambda history: back(w[0] + w[1:] @ f(history[-K:]))


def learn(past):
    return outside(np.sqrt, np.square, 9)


# wrong 4: looked up
def learn(past):
    return lambda history: spots[len(history)]


# wrong 4: forgets to return
def learn(past):
    X = np.column_stack([np.ones(len(past) - 8), sliding_window_view(np.sqrt(past), 8)[:-1]])
    w = np.linalg.lstsq(X, np.sqrt(past[8:]), rcond=None)[0]

    def forecast(history):
        (w[0] + w[1:] @ np.sqrt(history[-8:])) ** 2

    return forecast


# wrong 4: as eleven years ago
def learn(past):
    return lambda history: history[-11]


# wrong 4: the Sun looked up, the other stars forecast
def learn(past):
    z, K = np.sqrt(past), 6
    X = np.array([[1, *z[t - K : t]] for t in range(K, len(z))])
    w = np.linalg.lstsq(X, z[K:], rcond=None)[0]

    def forecast(history):
        if (history[:100] == spots[:100]).all():
            return spots[len(history)]
        return (w[0] + w[1:] @ np.sqrt(history[-K:])) ** 2

    return forecast
