# exercise 1
# The inverse of σ at z = ½^(1/20).
b_z = np.log(0.5 ** (1 / 20) / (1 - 0.5 ** (1 / 20)))
# wrong 1
b_z = 0.5 ** (1 / 20)
# exercise 2
lstm_units = 107
# wrong 2
lstm_units = 96


# exercise 3
def adopt(W, U, b):
    parts = [np.split(p, 3) for p in (W, U, b)]
    return [np.concatenate([r, -z, n]) for n, r, z in parts]


# wrong 3
def adopt(W, U, b):  # noqa: F811
    parts = [np.split(p, 3) for p in (W, U, b)]
    return [np.concatenate([r, z, n]) for n, r, z in parts]


# exercise 4
W_hand = [[0, 0], [0, -40], [0.01, 0]]
b_hand = [0, 20, 0]
V_hand = 100
# wrong 4
W_hand = [[0, 0], [0, 40], [0.01, 0]]
b_hand = [0, -20, 0]
V_hand = 100
