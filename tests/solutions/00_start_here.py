# exercise 1
your_perplexity = 4
# wrong 1
# The arithmetic mean of 1/p.
your_perplexity = (2 + 4 + 8) / 3
# exercise 2
# W, U and two biases; the same weights serve at every step.
short = long = 10 * 7 + 10 * 10 + 2 * 10
# wrong 2
short, long = 190, 380
# exercise 3
# Two kinds came after it: (0 + 2 / 4) / (4 + 2).
p_c = 1 / 12
# wrong 3
p_c = 0
# exercise 4
few_steps = 280
# wrong 4
few_steps = 16
