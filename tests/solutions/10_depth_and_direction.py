# exercise 1
first = 2 * (3 * 20 * (10 + 20) + 6 * 20)
second = 2 * (3 * 20 * (40 + 20) + 6 * 20)  # it reads both directions: 40 numbers
parameters = first + second
# wrong 1
parameters = 2 * 2 * (3 * 20 * (10 + 20) + 6 * 20)


# exercise 2
def both_ends(outputs, lengths):
    H = outputs.shape[2] // 2
    ahead = outputs[np.arange(len(outputs)), lengths - 1, :H]
    return np.hstack([ahead, outputs[:, 0, H:]])


summary = both_ends


# wrong 2
def last_place(outputs, lengths):
    return outputs[np.arange(len(outputs)), lengths - 1]


summary = last_place


# exercise 3
late = slice(2, None)
# wrong 3
late = slice(0, -2)
