# exercise 1
# (10 + n) / (20 + n) > 9/10 as soon as n > 80.
heads_needed = 81
# wrong 1
heads_needed = 80
# exercise 2
# Each further bit doubles what has been read.
u = 2
w = 1
# wrong 2
u = 1
w = 2
# exercise 3
# The parity changes with every 1: it is |x - y|, and |d| = max(d, 0) + max(-d, 0).
W_p = [[1], [-1]]
U_p = [[-1], [1]]
V_p = [[1, 1]]
# wrong 3
W_p = [[1], [1]]
U_p = [[1], [-1]]
V_p = [[1, 1]]
