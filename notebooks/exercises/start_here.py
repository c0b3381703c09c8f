"""The checks of notebook 00: perplexity, counting, softmax, and two models in one."""

from collections import Counter

import numpy as np
from answers import Wrong, array, case, close, fresh, number, run, tutor


@tutor
def exercise_1(perplexity_of_both):
    """The perplexity of 300 symbols at perplexity 4 and 100 at perplexity 16, taken together."""
    close("perplexity_of_both", perplexity_of_both, (4**300 * 16**100) ** (1 / 400), 0.002)


def _counted(text, context, vocab_size):
    """p of every symbol after `context`, from the shortest context up."""
    p = [1 / vocab_size] * vocab_size
    for n in range(len(context) + 1):
        u = tuple(context[len(context) - n :])
        grams = zip(*(text[k:] for k in range(n + 1)), strict=False)
        after = Counter(gram[-1] for gram in grams if gram[:-1] == u)
        total, kinds = after.total(), len(after)
        if total:
            p = [(after[c] + kinds * p[c]) / (total + kinds) for c in range(vocab_size)]
    return np.array(p)


@tutor
def exercise_2(next_probabilities):
    """The probabilities of all symbols after a context, mixed as Witten and Bell do."""
    for size, length in ((3, 40), (5, 60)):
        text = fresh("counts", size).randint(size - 1, size=length).tolist()
        text += [text[1], size - 1]  # the last symbol occurs once, at the end: nothing follows it
        never = [size - 1] * 2
        contexts = [], text[:1], text[4:6], text[7:10], [*never, text[0]], text[-1:], never
        tries = [*((text, context) for context in contexts), (text[:-1], text[1:2])]
        for read, context in tries:  # the last text ends with its context
            with case(f"for a context of {len(context) or 'no'} symbol{'s'[: len(context) != 1]}"):
                p = array("the answer", run(next_probabilities, read, context, size), (size,))
                if abs(p.sum() - 1) > 1e-6:
                    raise Wrong(f"the probabilities sum to {p.sum():.6g}, not to 1")
                close(
                    "next_probabilities(text, context, vocab_size)",
                    p,
                    _counted(read, context, size),
                )


@tutor
def exercise_3(softmax):
    """The softmax of each row of scores (N, V), at a temperature, without overflow."""
    draw = fresh("softmax")
    for shape in ((2, 3), (4, 7)):
        scores = 3 * draw.normal(size=shape)
        for temperature in (1, 0.5, 4):
            e = np.exp(scores / temperature)
            p = e / e.sum(axis=1, keepdims=True)
            with case(f"at τ = {temperature}"):
                close("softmax(scores, temperature)", run(softmax, scores, temperature), p)
    large = np.array([[1000.0, 1000, 0], [-1000, -1002, -5000]])
    for temperature in (1, 0.5, 4):
        first = 1 / (1 + np.exp(-2 / temperature))
        p = [[0.5, 0.5, 0], [first, 1 - first, 0]]
        with case(f"for scores of 1000, at τ = {temperature}"):
            close("softmax(scores, temperature)", run(softmax, large, temperature), p)


@tutor
def exercise_4(best_share):
    """The share λ for which λ p + (1 - λ) q has the lowest perplexity, to 0.01."""
    for n, a, b in ((200, 1, 1), (500, 3, 1), (300, 1, 2)):
        draw = fresh("share", n)
        p, q = draw.beta(a, 2, size=n) + 1e-3, draw.beta(b, 2, size=n) + 1e-3
        low, high = 0.0, 1.0  # the slope of the mean of log(λ p + (1 - λ) q) falls with λ
        for _ in range(40):
            share = (low + high) / 2
            rises = ((p - q) / (share * p + (1 - share) * q)).mean() > 0
            low, high = (share, high) if rises else (low, share)
        got = number("best_share(p, q)", run(best_share, p / 2, q / 2))
        if not 0 <= got <= 1:
            raise Wrong("best_share(p, q) is no share: it lies outside 0 to 1")
        close("best_share(p, q)", got, share, 0.0101)
