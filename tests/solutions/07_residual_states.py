# right 1
u_half = 0.5 ** (1 / 10) - 1
# right 1: by logarithms
u_half = nd.array([np.exp(np.log(0.5) / 10) - 1])
# wrong 1: halved at every step
u_half = -0.5
# wrong 1: the factor itself
u_half = 0.5 ** (1 / 10)
# wrong 1: sign
u_half = 1 - 0.5 ** (1 / 10)
# wrong 1: linear thinking
u_half = -0.05
# wrong 1: the other solution
u_half = -1 - 0.5 ** (1 / 10)
# right 2
step_10 = 12  # 12 - 1.356 is above 10, 11 - 1.356 is not
# right 2: read off the states
step_10 = 1 + int((counting[1] > 10).argmax())
# wrong 2: rounded
step_10 = 11
# wrong 2: nothing lost
step_10 = 10
# wrong 2: not rounded
step_10 = 11.356


# right 3
def two_latches(flags, values):
    h, states = np.zeros(2), []
    for flag, value in zip(flags, values):
        z = 1 - flag
        h = z * h + (1 - z) * np.array([np.tanh(value), h[0]])
        states.append(h)
    return np.array(states)


# right 3: gates as sigmoids, a list of lists
def two_latches(flags, values):
    a = b = 0.0
    states = []
    for flag, value in zip(flags, values):
        z = sigmoid(1000 * (0.5 - flag))
        b = z * b + (1 - z) * a
        a = z * a + (1 - z) * np.tanh(value)
        states.append([a, b])
    return states


# wrong 3: the second takes the new first
def two_latches(flags, values):
    a = b = 0.0
    states = []
    for flag, value in zip(flags, values):
        z = 1 - flag
        a = z * a + (1 - z) * np.tanh(value)
        b = z * b + (1 - z) * a
        states.append([a, b])
    return states


# wrong 3: shifts at every step
def two_latches(flags, values):
    h, states = np.zeros(2), []
    for flag, value in zip(flags, values):
        h = np.array([(1 - flag) * h[0] + flag * np.tanh(value), h[0]])
        states.append(h)
    return np.array(states)


# wrong 3: no tanh
def two_latches(flags, values):
    h, states = np.zeros(2), []
    for flag, value in zip(flags, values):
        h = (1 - flag) * h + flag * np.array([value, h[0]])
        states.append(h)
    return np.array(states)


# wrong 3: the last state only
def two_latches(flags, values):
    h = np.zeros(2)
    for flag, value in zip(flags, values):
        h = (1 - flag) * h + flag * np.array([np.tanh(value), h[0]])
    return h


# wrong 3: the gate the wrong way round
def two_latches(flags, values):
    h, states = np.zeros(2), []
    for flag, value in zip(flags, values):
        h = flag * h + (1 - flag) * np.array([np.tanh(value), h[0]])
        states.append(h)
    return np.array(states)


# right 4
one, other = [4, 0, 0], [0, 0, 1]
# right 4: other numbers, other types
one, other = np.array([0, 2, 1]), nd.array([0, 0, 2])
# wrong 4: the same
one, other = [1, 2, 3], [1, 2, 3]
# wrong 4: the factors the wrong way round
one, other = [1, 0, 0], [0, 0, 4]
# wrong 4: a permutation, which a plain sum does not see
one, other = [1, 2, 3], [3, 2, 1]
# wrong 4: two numbers
one, other = [2, 0], [0, 1]


# wrong 4: nearly the same
one, other = [1, 2, 3], [1, 2, 3 + 5e-10]


# wrong 4: a difference that float64 loses beside so large a number
one, other = [1e20, 1, 1], [1e20, 1, 2]
