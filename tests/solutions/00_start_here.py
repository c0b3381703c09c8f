# right 1
perplexity_of_both = 5.66  # log2: (300 · 2 + 100 · 4) / 400 = 2.5, and 2 ** 2.5 = 5.657
# right 1: with the notebook's function
perplexity_of_both = perplexity_of(np.repeat([1 / 4, 1 / 16], [300, 100]))
# wrong 1: the mean of the two, by symbols
perplexity_of_both = (300 * 4 + 100 * 16) / 400
# wrong 1: the geometric mean, each text with the same weight
perplexity_of_both = 8
# wrong 1: in bits
perplexity_of_both = 2.5
# wrong 1: the harmonic mean
perplexity_of_both = 400 / (300 / 4 + 100 / 16)


# right 2
def next_probabilities(text, context, vocab_size):
    p = np.full(vocab_size, 1 / vocab_size)
    for n in range(len(context) + 1):
        u = context[len(context) - n :]
        after = np.zeros(vocab_size)
        for t in range(n, len(text)):
            if text[t - n : t] == u:
                after[text[t]] += 1
        if after.sum():
            k = (after > 0).sum()
            p = (after + k * p) / (after.sum() + k)
    return p


# right 2: calling itself, as a list
def next_probabilities(text, context, vocab_size):
    if context:
        shorter = next_probabilities(text, context[1:], vocab_size)
    else:
        shorter = [1 / vocab_size] * vocab_size
    n = len(context)
    after = [text[t] for t in range(n, len(text)) if text[t - n : t] == context]
    total = len(after) + len(set(after))
    if total == 0:
        return shorter
    return [(after.count(c) + len(set(after)) * shorter[c]) / total for c in range(vocab_size)]


# wrong 2: context[-0:] is the whole context
def next_probabilities(text, context, vocab_size):
    p = np.full(vocab_size, 1 / vocab_size)
    for n in range(len(context) + 1):
        after = np.zeros(vocab_size)
        for t in range(n, len(text)):
            if text[t - n : t] == context[-n:]:
                after[text[t]] += 1
        if after.sum():
            k = (after > 0).sum()
            p = (after + k * p) / (after.sum() + k)
    return p


# wrong 2: never shorter
def next_probabilities(text, context, vocab_size):
    n = len(context)
    after = [text[t] for t in range(n, len(text)) if text[t - n : t] == context]
    return [after.count(c) / len(after) if after else 1 / vocab_size for c in range(vocab_size)]


# wrong 2: a context never seen gives 0 / 0
def next_probabilities(text, context, vocab_size):
    p = np.full(vocab_size, 1 / vocab_size)
    for n in range(len(context) + 1):
        u = context[len(context) - n :]
        after = np.zeros(vocab_size)
        for t in range(n, len(text)):
            after[text[t]] += text[t - n : t] == u
        k = (after > 0).sum()
        p = (after + k * p) / (after.sum() + k)
    return p


# wrong 2: k is the number of all symbols
def next_probabilities(text, context, vocab_size):
    p = np.full(vocab_size, 1 / vocab_size)
    for n in range(len(context) + 1):
        u = context[len(context) - n :]
        after = np.zeros(vocab_size)
        for t in range(n, len(text)):
            after[text[t]] += text[t - n : t] == u
        if after.sum():
            p = (after + vocab_size * p) / (after.sum() + vocab_size)
    return p


# wrong 2: the last place of the text is forgotten
def next_probabilities(text, context, vocab_size):
    p = np.full(vocab_size, 1 / vocab_size)
    for n in range(len(context) + 1):
        u = context[len(context) - n :]
        after = np.zeros(vocab_size)
        for t in range(n, len(text) - 1):
            after[text[t]] += text[t - n : t] == u
        if after.sum():
            k = (after > 0).sum()
            p = (after + k * p) / (after.sum() + k)
    return p


# wrong 2: counts the context where the text ends, too, and nothing follows
def next_probabilities(text, context, vocab_size):
    p = np.full(vocab_size, 1 / vocab_size)
    for n in range(len(context) + 1):
        u = context[len(context) - n :]
        after = [text[t] for t in range(n, len(text)) if text[t - n : t] == u]
        times = sum(text[t : t + n] == u for t in range(len(text)))
        if after:
            counts, k = np.bincount(after, minlength=vocab_size), len(set(after))
            p = (counts + k * p) / (times + k)
    return p


# right 3
def softmax(scores, temperature):
    s = scores / temperature
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# right 3: MXNet's own
def softmax(scores, temperature):
    return nd.softmax(nd.array(scores, dtype="float64") / temperature, axis=-1)


# right 3: row by row
def softmax(scores, temperature):
    rows = []
    for row in scores:
        e = np.exp((row - max(row)) / temperature)
        rows.append(e / sum(e))
    return rows


# wrong 3: overflows
def softmax(scores, temperature):
    e = np.exp(scores / temperature)
    return e / e.sum(axis=1, keepdims=True)


# wrong 3: multiplies by the temperature
def softmax(scores, temperature):
    s = scores * temperature
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# wrong 3: one sum for all rows
def softmax(scores, temperature):
    e = np.exp((scores - scores.max()) / temperature)
    return e / e.sum()


# wrong 3: one maximum for all rows: the second row is all zeros
def softmax(scores, temperature):
    e = np.exp((scores - scores.max()) / temperature)
    return e / e.sum(axis=1, keepdims=True)


# wrong 3: along the wrong axis
def softmax(scores, temperature):
    e = np.exp((scores - scores.max(axis=0)) / temperature)
    return e / e.sum(axis=0)


# wrong 3: no return
def softmax(scores, temperature):
    e = np.exp(scores / temperature)
    e / e.sum(axis=1, keepdims=True)


# wrong 3: the largest score, taken off before the temperature divides it
def softmax(scores, temperature):
    e = np.exp(scores / temperature - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# right 4
def best_share(p, q):
    shares = np.linspace(0, 1, 101)
    return shares[np.argmin([perplexity_of(s * p + (1 - s) * q) for s in shares])]


# right 4: by its fixed point, the share of the credit that p deserves
def best_share(p, q):
    s = 0.5
    for _ in range(500):
        s = np.mean(s * p / (s * p + (1 - s) * q))
    return s


# wrong 4: the share of q
def best_share(p, q):
    shares = np.linspace(0, 1, 101)
    return 1 - shares[np.argmin([perplexity_of(s * p + (1 - s) * q) for s in shares])]


# wrong 4: the perplexity instead of the share
def best_share(p, q):
    return min(perplexity_of(s * p + (1 - s) * q) for s in np.linspace(0, 1, 101))


# wrong 4: the highest mean probability
def best_share(p, q):
    shares = np.linspace(0, 1, 101)
    return shares[np.argmax([(s * p + (1 - s) * q).mean() for s in shares])]


# wrong 4: a mean of the logarithms
def best_share(p, q):
    shares = np.linspace(0, 1, 101)
    return shares[np.argmin([-(s * np.log(p) + (1 - s) * np.log(q)).mean() for s in shares])]


# wrong 4: how often p gave more
def best_share(p, q):
    return (p > q).mean()


# wrong 4: half of each
def best_share(p, q):
    return 0.5


# wrong 4: the index
def best_share(p, q):
    return np.argmin([perplexity_of(s * p + (1 - s) * q) for s in np.linspace(0, 1, 101)])
