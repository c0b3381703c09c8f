"""The checks of notebook 14: a baseline, rolling validation, how far one can see, and the Sun."""

from functools import lru_cache

import numpy as np
from answers import Wrong, array, case, close, fresh, number, run, tutor


def _rows(past, K):
    """A one and the line of K values before each step, newest first: (T - K, K + 1)."""
    line = [past[K - k : len(past) - k] for k in range(1, K + 1)]
    return np.column_stack([np.ones(len(past) - K), *line])


def _fit(past, K):
    return np.linalg.lstsq(_rows(past, K), past[K:], rcond=None)[0]


def _next(w, history):
    return w[0] + w[1:] @ history[: -len(w) : -1]


def _rms(errors):
    return float(np.sqrt(np.mean(np.square(errors))))


@lru_cache
def _sun():
    from statsmodels.datasets import sunspots

    return sunspots.load_pandas().data["SUNACTIVITY"].to_numpy() / 100


PAST = 221  # years up to 1920


def _star(key, period, T=300):
    """A swing of this period that shocks keep going, and its square: it scatters as the Sun."""
    kept = 0.7 ** (1 / period)
    u_1, u_2 = 2 * kept * np.cos(2 * np.pi / period), -(kept**2)
    shocks = 0.12 * fresh(key).normal(size=T + 50)
    z = np.zeros(T + 50)
    for t in range(2, T + 50):
        z[t] = u_1 * z[t - 1] + u_2 * z[t - 2] + shocks[t]
    return np.maximum(0.6 + z[50:], 0) ** 2


@tutor
def exercise_1(as_last_cycle):
    """The values one period ago, for `steps` steps ahead, from what is known now."""
    for n, period, steps in ((30, 11, 22), (12, 4, 3), (9, 5, 13), (6, 6, 6), (8, 1, 3)):
        history = fresh(n, period).normal(size=n)
        expected = [history[n - period + k % period] for k in range(steps)]
        with case(f"for {n} values, period = {period} and steps = {steps}"):
            got = run(as_last_cycle, history, period, steps)
            close("as_last_cycle(history, period, steps)", got, expected)


@tutor
def exercise_2(rolling_errors):
    """RMS of one-step forecasts, each by an AR(K) fitted to all before it, for each K."""
    for past, orders, years in (
        (_star("rolling", 6, 90), [1, 2, 4], 40),
        (_sun()[:PAST], list(range(1, 13)), 120),
    ):
        expected = []
        for K in orders:
            last = range(len(past) - years, len(past))
            errors = [_next(_fit(past[:t], K), past[:t]) - past[t] for t in last]
            expected.append(_rms(errors))
        got = run(rolling_errors, past, orders, years, seconds=60)
        with case(f"for orders = {orders} and years = {years}"):
            close("rolling_errors(past, orders, years)", got, expected)
    best = orders[int(np.argmin(expected))]
    return f"for the years 1801–1920, K = {best} has the least error."


@tutor
def exercise_3(spread):
    """Standard deviation of an AR model's forecast error at each horizon, for shocks of 1."""
    for K, steps in ((1, 6), (3, 10), (5, 3)):
        draw = fresh(K)
        roots = draw.uniform(0.3, 0.9, size=K) * draw.choice([-1, 1], size=K)
        w = np.append(draw.normal(), -np.poly(roots)[1:])
        line, left = np.zeros(K), []
        for shock in np.eye(1, steps).ravel():
            left.append(w[1:] @ line + shock)
            line = np.append(left[-1], line[:-1])
        expected = np.sqrt(np.cumsum(np.square(left)))
        with case(f"for K = {K} and steps = {steps}"):
            close("spread(w, steps)", run(spread, w, steps), expected)


def _judged(learn, series, known, name):
    """RMS of one-step forecasts of all values from number `known` on."""
    forecast = run(learn, series[:known], seconds=120)
    if not callable(forecast):
        raise Wrong("learn(past) must return a function")
    made = [run(forecast, series[:t]) for t in range(known, len(series))]
    made = [number(f"forecast(history) {name}", value) for value in made]
    other = np.append(series[: known - 1], series[known - 1] + 0.5)
    if number(f"forecast(history) {name}", run(forecast, other)) == made[0]:
        raise Wrong("forecast(history) stays the same if history ends in another value")
    return _rms(array("forecasts", made) - series[known:])


@tutor
def exercise_4(learn):
    """Forecasts of 1921-2008, 3 % better than AR(11)'s, by a model that takes all from `past`."""
    sun = _sun()
    for period in (6, 7):
        star = _star("learn", period)
        share = _judged(learn, star, 200, "of another star") / _rms(np.diff(star)[199:])
        if share > 0.72:
            said = f"on a star with a period of {period} years it has {share:.2f} of persistence's"
            raise Wrong(f"{said} error, 0.72 are asked for: is everything taken from past?")
    w = _fit(sun[:PAST], 11)
    by_ar = _rms([_next(w, sun[:t]) - sun[t] for t in range(PAST, len(sun))])
    share = _judged(learn, sun, PAST, "of the Sun") / by_ar
    if share > 0.97:
        raise Wrong(f"on 1921–2008 it has {share:.3f} of AR(11)'s error, 0.97 are asked for")
    return f"{1 - share:.1%} less error than AR(11)."
