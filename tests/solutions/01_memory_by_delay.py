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
def on_roots(past):
    root_w, _, _ = ar(np.sqrt(past), 11)
    return lambda history: (root_w[0] + root_w[1:] @ np.sqrt(history[-11:][::-1])) ** 2


learn = on_roots


# wrong 3
# Fitted on the very years it is judged on.
def too_late(past):
    root_w, _, _ = ar(np.sqrt(spots), 11)
    return lambda history: (root_w[0] + root_w[1:] @ np.sqrt(history[-11:][::-1])) ** 2


learn = too_late
