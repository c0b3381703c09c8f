# exercise 1
# U h_1 stays (0, 10); W x_2 is the third column of W.
z_2 = [0 + 3 - 2, 10 + 6 + 2]
# wrong 1
z_2 = [0, 17]
# exercise 2
# h_1 = (0, 6), h_2 = (0, 13); δ_2 = (0, 26), δ_1 = (0, 12 + 26): a column of W for each.
dW_zero = [[0, 0, 0], [38, 26, 0]]
# wrong 2
dW_zero = [[0, 0, 0], [12, 26, 0]]
# exercise 3
slope_at_0 = 1 / 2
# wrong 3
slope_at_0 = 1
# exercise 4
# δ_1 = (0, 20), so δ_1 h_0ᵀ = [[0, 0], [20, 40]]; δ_2 h_1ᵀ is as before.
dU_cut = [[0, 0], [20, 380]]
# wrong 4
dU_cut = [[0, 0], [54, 448]]
