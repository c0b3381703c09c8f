# right 1
def end_states(outputs, lengths):
    H = outputs.shape[2] // 2
    ahead = outputs[np.arange(len(outputs)), lengths - 1, :H]
    return np.hstack([ahead, outputs[:, 0, H:]])


# right 1: a loop
def end_states(outputs, lengths):
    rows = []
    for o, n in zip(outputs, lengths):
        H = len(o[0]) // 2
        rows.append([*o[n - 1][:H], *o[0][H:]])
    return rows


# wrong 1: the last place for both
def end_states(outputs, lengths):
    return outputs[np.arange(len(outputs)), lengths - 1]


# wrong 1: lengths ignored
def end_states(outputs, lengths):
    H = outputs.shape[2] // 2
    return np.hstack([outputs[:, -1, :H], outputs[:, 0, H:]])


# wrong 1: H hard-coded
def end_states(outputs, lengths):
    ahead = outputs[np.arange(len(outputs)), lengths - 1, :3]
    return np.hstack([ahead, outputs[:, 0, 3:]])


# wrong 1: off by one
def end_states(outputs, lengths):
    H = outputs.shape[2] // 2
    ahead = outputs[np.arange(len(outputs)), lengths - 2, :H]
    return np.hstack([ahead, outputs[:, 0, H:]])


# wrong 1: the halves exchanged
def end_states(outputs, lengths):
    H = outputs.shape[2] // 2
    ahead = outputs[np.arange(len(outputs)), lengths - 1, :H]
    return np.hstack([outputs[:, 0, H:], ahead])


# right 2
def reversed_within(x, lengths):
    turned = x.copy()
    for k, n in enumerate(lengths):
        turned[k, :n] = x[k, :n][::-1]
    return turned


# right 2: by indices
def reversed_within(x, lengths):
    t = np.arange(x.shape[1])
    places = np.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)
    return nd.array(np.take_along_axis(x, places[:, :, None], axis=1), dtype="float64")


# wrong 2: the naive flip
def reversed_within(x, lengths):
    return x[:, ::-1]


# wrong 2: the padding becomes zeros
def reversed_within(x, lengths):
    turned = np.zeros_like(x)
    for k, n in enumerate(lengths):
        turned[k, :n] = x[k, :n][::-1]
    return turned


# wrong 2: in place, and so half undone
def reversed_within(x, lengths):
    for k, n in enumerate(lengths):
        for t in range(n):
            x[k, t] = x[k, n - 1 - t]
    return x


# wrong 2: channels turned as well
def reversed_within(x, lengths):
    turned = x.copy()
    for k, n in enumerate(lengths):
        turned[k, :n] = x[k, :n][::-1, ::-1]
    return turned


# right 3
late = slice(2, None)
# right 3: counted from the start, with a step
late = slice(2, 10**6, 1)
# wrong 3: the wrong way
late = slice(0, -2)
# wrong 3: as it was
late = slice(1, -1)
# wrong 3: one output too few
late = slice(3, None)
# wrong 3: a number
late = 2
# wrong 3: the end fixed
late = slice(2, 21)


# wrong 3: fits 22 words only
late = slice(2, 22)


# wrong 3: no step
late = slice(2, None, 0)
