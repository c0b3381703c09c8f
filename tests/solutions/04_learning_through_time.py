# exercise 1
# Step t's error reaches the t steps 1 … t: 1 + 2 + … + 20.
terms = 20 * 21 // 2
# wrong 1
terms = 20 * 20
# exercise 2
p_0, x_0, d_0 = network(0)
full_W = bptt(p_0, x_0, lambda t, y_t: y_t - d_0[t]).W
smallest, error_W = 0, 1
while error_W >= 0.05:
    smallest += 1
    cut_W = bptt(p_0, x_0, lambda t, y_t: y_t - d_0[t], window=smallest).W
    error_W = np.linalg.norm(cut_W - full_W) / np.linalg.norm(full_W)
# wrong 2
p_0, x_0, d_0 = network(0)
full_W = bptt(p_0, x_0, lambda t, y_t: y_t - d_0[t]).W
smallest, error_W = 0, 1
while error_W >= 0.05:
    cut_W = bptt(p_0, x_0, lambda t, y_t: y_t - d_0[t], window=smallest + 1).W
    error_W = np.linalg.norm(cut_W - full_W) / np.linalg.norm(full_W)
    smallest += error_W >= 0.05


# exercise 3
def both_ways(S, x_t, slope_t):
    return slope_t[:, None, None] * (direct(x_t) + np.einsum("uv,vij->uij", U, S))


step_W = both_ways


# wrong 3
def not_through_U(S, x_t, slope_t):
    return slope_t[:, None, None] * (direct(x_t) + S)


step_W = not_through_U
# exercise 4
total, dearer_from = 0, 0
while total <= cost(rtrl, 1, 8).operations * dearer_from:
    dearer_from += 1
    total += cost(bptt, dearer_from, 8).operations
# wrong 4
dearer_from = 8**2
