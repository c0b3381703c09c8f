# exercise 1
sums_right = 3**10
# wrong 1
sums_right = 3**9
# exercise 2
U_minus = [[0, -1, 0], [0, 1, 0], [0, 1, 0]]  # d = 1 where b - a + d >= 1: the second unit
W_minus = [[1, -1], [-1, 1], [-1, 1]]
b_minus = [0, 0, -1]
V_minus = [1, 1, -1]
# wrong 2
U_minus = [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
W_minus = [[1, -1], [1, -1], [1, -1]]
b_minus = [0, -1, -2]
V_minus = [1, -1, 1]
# exercise 3
U_two = [[0, 1 / 3], [0, 1]]  # the first unit is n / 3, the second the carry
W_two = [[1 / 3, 1 / 3], [1, 1]]
b_two = [0, -1]
V_two = [3, -2]
# wrong 3
U_two = [[0, 1], [0, 1]]
W_two = [[1, 1], [1, 1]]
b_two = [0, -1]
V_two = [1, -1]
