# exercise 1
u_half = -1 / 2
# wrong 1
u_half = 1 / 2
# exercise 2
step_10 = 12  # 12 - 1.356 is above 10, 11 - 1.356 is not
# wrong 2
step_10 = 11
# exercise 3
z = 0.5 ** (1 / 20)
b_z = np.log(z / (1 - z))
# wrong 3
b_z = 0.5 ** (1 / 20)
# exercise 4
block_i = (1000, -500)  # open for a one, shut for a zero
block_f = (0, 1000)  # always open: nothing is forgotten
block_g = (0, 1000)  # tanh(1000) = 1 is added
# wrong 4
block_i = (0, 1000)  # counts steps
block_f = (0, 1000)
block_g = (0, 1000)
