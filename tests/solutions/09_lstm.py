# exercise 1
b_half = np.log(0.5**0.01 / (1 - 0.5**0.01))  # the inverse of σ at f = ½^(1/100)
# wrong 1
b_half = 0.5**0.01


# exercise 2
def reorder(array):
    f, i, o, g = np.split(array, 4)
    return np.concatenate([i, f, g, o])


# wrong 2
def reorder(array):  # noqa: F811
    f, i, o, g = np.split(array, 4)
    return np.concatenate([i, f, o, g])


# exercise 3
b_f_on, p_f_on = 50, 0
b_o_on, p_o_on = -40 * 8.5, 40
# wrong 3
b_f_on, p_f_on = 50, 0
b_o_on, p_o_on = -40 * 9.5, 40
# exercise 4
W_count = [0, 0, 50, 0]
b_count = [50, 50, 0, 0]
# wrong 4
W_count = [0, 0, 1, 0]
b_count = [50, 50, 0, 0]
