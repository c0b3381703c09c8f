# right 1
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])  # (H + H', n)
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    h_0 = np.append(np.linalg.lstsq(C, s_0 - c, rcond=None)[0], np.zeros(len(A2)))
    return U, np.vstack([B, B2]), np.append(b, b2) + both @ c, V, h_0


# right 1: by blocks, the start by the pseudo-inverse, the idle part of h_0 not zero
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    H, H2 = len(A), len(A2)
    U = np.block([[A @ C, np.zeros((H, H2))], [A2 @ C, np.zeros((H2, H2))]])
    W, V = np.block([[B], [B2]]), np.block([np.zeros((len(D), H)), D])
    bias = np.concatenate([b + A @ c, b2 + A2 @ c])
    return U, W, bias, V, np.concatenate([np.linalg.pinv(C) @ (s_0 - c), np.ones(H2)])


# wrong 1: the output bias of the state forgotten
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    h_0 = np.append(np.linalg.lstsq(C, s_0, rcond=None)[0], np.zeros(len(A2)))
    return U, np.vstack([B, B2]), np.append(b, b2), V, h_0


# wrong 1: starts at c instead of s_0
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    return U, np.vstack([B, B2]), np.append(b, b2) + both @ c, V, np.zeros(len(both))


# wrong 1: C h_0 = s_0, without the bias
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    h_0 = np.append(np.linalg.lstsq(C, s_0, rcond=None)[0], np.zeros(len(A2)))
    return U, np.vstack([B, B2]), np.append(b, b2) + both @ c, V, h_0


# wrong 1: d added to the hidden units
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    h_0 = np.append(np.linalg.lstsq(C, s_0 - c, rcond=None)[0], np.zeros(len(A2)))
    return U, np.vstack([B, B2]), np.append(b, b2) + both @ c + d.sum(), V, h_0


# wrong 1: the state instead of h_0
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    return U, np.vstack([B, B2]), np.append(b, b2) + both @ c, V, s_0


# wrong 1: the readout reads the new state
def composed_srn(state_net, readout_net, s_0):
    A, B, b, C, c = state_net
    A2, B2, b2, D, d = readout_net
    both = np.vstack([A, A2])
    U = np.hstack([both @ C, np.zeros((len(both), len(A2)))])
    V = np.hstack([np.zeros((len(D), len(A))), D])
    h_0 = np.append(np.linalg.lstsq(C, s_0 - c, rcond=None)[0], np.zeros(len(A2)))
    U[len(A) :] = U[len(A) :] @ U
    return U, np.vstack([B, B2]), np.append(b, b2) + both @ c, V, h_0


# right 2: wipe out the first, fill the gap
join = {(0, 1): (0, "R", 1), (1, 1): (1, "R", 1), (1, 0): (1, "R", 2)}
# right 2: fill the gap, go to the end, wipe out the last
join = {
    (0, 1): (1, "R", 0),
    (0, 0): (1, "R", 1),
    (1, 1): (1, "R", 1),
    (1, 0): (0, "L", 2),
    (2, 1): (0, "R", 3),
}
# wrong 2: one too many
join = {(0, 1): (1, "R", 0), (0, 0): (1, "R", 1)}
# wrong 2: the gap stays
join = {(0, 1): (1, "R", 0), (0, 0): (0, "R", 1), (1, 1): (1, "R", 1), (1, 0): (0, "L", 2)}
# wrong 2: it never halts
join = {(0, 1): (0, "R", 1), (1, 1): (1, "R", 1), (1, 0): (1, "R", 0), (0, 0): (0, "R", 0)}
# wrong 2: wipes out every one of the first
join = {(0, 1): (0, "R", 0), (0, 0): (1, "R", 1)}
# wrong 2: a row is missing
join = {(0, 1): (1, "R", 0), (0, 0): (1, "R", 1), (1, 1): (1, "R", 2)}
# wrong 2: right for m = n = 1 only
join = {(0, 1): (1, "R", 1), (1, 0): (1, "R", 2), (1, 1): (1, "R", 3), (2, 1): (0, "R", 3)}
# wrong 2: move before the digit
join = {(0, 1): ("R", 0, 1), (1, 1): ("R", 1, 1), (1, 0): ("R", 1, 2)}


# right 3
def automaton_srn(table):
    S, A = table.shape
    leads_to = np.append(np.eye(S)[table].reshape(S * A, S), np.eye(1, S), axis=0)  # (S A + 1, S)
    U = np.append(np.repeat(leads_to.T, A, axis=0), np.zeros((1, S * A + 1)), axis=0)
    W = np.append(np.tile(np.eye(A), (S, 1)), np.zeros((1, A)), axis=0)
    return U, W, np.full(S * A + 1, -1.5), leads_to.T, np.eye(1, S * A + 1, S * A)[0]


# right 3: with loops; every unit larger by a factor
def automaton_srn(table):
    S, A = table.shape
    H = S * A + 1
    U, W, b, V = np.zeros((H, H)), np.zeros((H, A)), np.full(H, -30), np.zeros((S, H))
    for k in range(S):
        for a in range(A):
            W[k * A + a, a] = 20
            V[table[k, a], k * A + a] = 1
            U[table[k, a] * A : (table[k, a] + 1) * A, k * A + a] = 20
    U[:A, -1] = 20
    h_0 = np.zeros(H)
    h_0[-1] = 1
    return U, W, b, V, h_0


# wrong 3: no start
def automaton_srn(table):
    S, A = table.shape
    leads_to = np.eye(S)[table].reshape(S * A, S)
    U, W = np.repeat(leads_to.T, A, axis=0), np.tile(np.eye(A), (S, 1))
    return U, W, np.full(S * A, -1.5), leads_to.T, np.zeros(S * A)


# wrong 3: "or" instead of "and"
def automaton_srn(table):
    S, A = table.shape
    leads_to = np.append(np.eye(S)[table].reshape(S * A, S), np.eye(1, S), axis=0)
    U = np.append(np.repeat(leads_to.T, A, axis=0), np.zeros((1, S * A + 1)), axis=0)
    W = np.append(np.tile(np.eye(A), (S, 1)), np.zeros((1, A)), axis=0)
    return U, W, np.full(S * A + 1, -0.5), leads_to.T, np.eye(1, S * A + 1, S * A)[0]


# wrong 3: states and inputs exchanged in the order of the units
def automaton_srn(table):
    S, A = table.shape
    leads_to = np.append(np.eye(S)[table].reshape(S * A, S), np.eye(1, S), axis=0)
    U = np.append(np.tile(leads_to.T, (A, 1)), np.zeros((1, S * A + 1)), axis=0)
    W = np.append(np.repeat(np.eye(A), S, axis=0), np.zeros((1, A)), axis=0)
    return U, W, np.full(S * A + 1, -1.5), leads_to.T, np.eye(1, S * A + 1, S * A)[0]


# wrong 3: one unit for each state
def automaton_srn(table):
    S, A = table.shape
    U = np.zeros((S, S))
    for k in range(S):
        U[table[k], k] = 1
    return U, np.zeros((S, A)), np.full(S, -0.5), np.eye(S), np.eye(1, S)[0]


# wrong 3: V names the state that the unit was in, not the one it leads to
def automaton_srn(table):
    S, A = table.shape
    leads_to = np.append(np.eye(S)[table].reshape(S * A, S), np.eye(1, S), axis=0)
    U = np.append(np.repeat(leads_to.T, A, axis=0), np.zeros((1, S * A + 1)), axis=0)
    W = np.append(np.tile(np.eye(A), (S, 1)), np.zeros((1, A)), axis=0)
    V = np.append(np.repeat(np.eye(S), A, axis=1), np.zeros((S, 1)), axis=1)
    return U, W, np.full(S * A + 1, -1.5), V, np.eye(1, S * A + 1, S * A)[0]


# wrong 3: starts in a state that follows state 0
def automaton_srn(table):
    S, A = table.shape
    leads_to = np.eye(S)[table].reshape(S * A, S)
    U, W = np.repeat(leads_to.T, A, axis=0), np.tile(np.eye(A), (S, 1))
    return U, W, np.full(S * A, -1.5), leads_to.T, np.eye(1, S * A)[0]
