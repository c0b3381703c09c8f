# exercise 1
reach = 1 + 2 + 4 + 8
# wrong 1
reach = 2 + 4 + 8
# exercise 2
W_0 = 1
W_past = [-2, 1]
# wrong 2
W_0 = 1
W_past = [1, -2]
# exercise 3
# The scatter grows with the number itself; on the scale of the root it is nearly even.
root_w, _, _ = ar(np.sqrt(spots[year <= 1920]), 11)


def by_root(history):
    return (root_w[0] + root_w[1:] @ np.sqrt(history[-11:][::-1])) ** 2


forecast = by_root
# wrong 3
forecast = np.mean
