# exercise 1
rho_half = 0.5 ** (1 / 20)
# wrong 1
rho_half = 1 - 0.5 / 20
# exercise 2
limit_32 = 32 * 0.25  # the step divides by 32 after the clipping
# wrong 2
limit_32 = 0.25
# exercise 3
U_wild = [[0.5, 2000], [0, 0.5]]  # Uᵀ (1, 0) is the first row
# wrong 3
U_wild = [[0.5, 0], [2000, 0.5]]
# exercise 4
s_relu = 2**0.5  # half of the squares are gone at every step
# wrong 4
s_relu = 2
