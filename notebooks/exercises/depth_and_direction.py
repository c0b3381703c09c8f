"""The checks of notebook 10: stacks, two directions, padding, a delayed answer."""

from answers import Wrong, close, fresh, run, tutor


@tutor
def exercise_1(end_states):
    """Both directions' last states, out of the outputs of a bidirectional layer."""
    from mxnet import nd

    from gluon_rnn import RNN, Bidirectional, GRUCell

    for N, T, H in ((4, 8, 3), (3, 5, 2)):
        layer = Bidirectional(RNN(GRUCell(H)), RNN(GRUCell(H)))
        layer.initialize()
        draw = fresh("end states", N)
        for parameter in layer.collect_params().values():
            shape = tuple(2 if s == 0 else s for s in parameter.shape)
            parameter.set_data(nd.array(draw.normal(size=shape)))
        lengths = draw.randint(1, T + 1, N)
        lengths[:2] = T, 2
        outputs, states = layer(nd.array(draw.normal(size=(N, T, 2))), None, nd.array(lengths))
        given = run(end_states, outputs.asnumpy(), lengths)
        close("end_states(...)", given, nd.concat(*states, dim=1).asnumpy())


@tutor
def exercise_2(reversed_within):
    """Every sequence turned within its own length, the padding left where it is."""
    for N, T, C in ((4, 6, 2), (3, 9, 1)):
        draw = fresh("reversed", N)
        x, lengths = draw.normal(size=(N, T, C)), draw.randint(1, T + 1, N)
        lengths[:2] = T, 3
        expected = x.copy()
        for row, n in zip(expected, lengths, strict=True):
            row[:n] = row[:n][::-1].copy()
        close("reversed_within(...)", run(reversed_within, x, lengths), expected)


@tutor
def exercise_3(late):
    """Outputs 2 ... T - 1, each after the word that follows its own."""
    if not isinstance(late, slice):
        raise Wrong(f"late is a {type(late).__name__}, expected a slice, such as slice(1, -1)")
    for T in (22, 9, 30):
        try:
            steps = list(range(T)[late])
        except (TypeError, ValueError):
            raise Wrong("late takes its parts from whole numbers, its step not 0") from None
        if len(steps) != T - 2:
            raise Wrong(f"of {T} outputs late takes {len(steps)}, and {T - 2} words have a tag")
        seen = [step - word for word, step in enumerate(steps, 1)]
        if any(ahead < 1 for ahead in seen):
            raise Wrong("an output that late takes has not read the word after its own")
