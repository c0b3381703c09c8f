"""Walk through one step of a cell, forward and back, with the numbers of the cell that runs.

Beside the notebooks, as `drawing`, whose pictures it fills in. Nothing is computed here but by the
cell itself and by autograd: `values_of` runs the cell's own equations and reads what stands between
them, and the loss's derivative by it. The equations of ``WALKS`` are what a reader sees; that each
gives the number beside it is tested. What stands between spaces in them is a name or is drawn as it
is: ₋ marks what comes from the step before, δ_r = ∂L/∂(what r's function is taken of).
"""

import base64
import io
import math
import re

import ipywidgets as widgets
import numpy as np
from drawing import BACKWARD, DARK, canvas, is_circle, layout, matrix, parse, places, rise, wiring
from IPython.display import display
from matplotlib.patches import Circle, Rectangle
from mxnet import autograd, nd

from gluon_rnn import ElmanCell, GRUCell, LSTMCell

__all__ = ["WALKS", "picture", "stepper", "steps_of", "values_of", "walk"]

BACK = BACKWARD


def weights_back(gates, seen):
    """The gradients of W, U and b, gate by gate; ``seen`` is what a gate's U is multiplied by."""
    rows = [f"dW{g} = δ{g} xᵀ" for g in gates]
    rows += [f"dU{g} = δ{g} {seen.get(g, 'h₋')}ᵀ" for g in gates]
    return [*rows, *(f"db{g} = δ{g}" for g in gates)]


def summed(matrices, gates):
    return " + ".join(f"{matrices}{g}ᵀ δ{g}" for g in gates)


WALKS = {
    "srn": (
        ["z = W x + U h₋ + b", "h = tanh( z )"],
        ["δ = ∂L/∂h ⊙ ( 1 − h ⊙ h )", "∂L/∂h₋ = Uᵀ δ", "∂L/∂x = Wᵀ δ", *weights_back([""], {})],
    ),
    "gru": (
        [
            "r = σ( W_r x + U_r h₋ + b_r )",
            "z = σ( W_z x + U_z h₋ + b_z )",
            "v = r ⊙ h₋",
            "n = tanh( W_n x + U_n v + b_n )",
            "h = z ⊙ h₋ + ( 1 − z ) ⊙ n",
        ],
        [
            "δ_n = ∂L/∂h ⊙ ( 1 − z ) ⊙ ( 1 − n ⊙ n )",
            "δ_z = ∂L/∂h ⊙ ( h₋ − n ) ⊙ z ⊙ ( 1 − z )",
            "∂L/∂v = U_nᵀ δ_n",
            "δ_r = ∂L/∂v ⊙ h₋ ⊙ r ⊙ ( 1 − r )",
            "∂L/∂h₋ = ∂L/∂h ⊙ z + ∂L/∂v ⊙ r + U_rᵀ δ_r + U_zᵀ δ_z",
            f"∂L/∂x = {summed('W', ['_r', '_z', '_n'])}",
            *weights_back(["_r", "_z", "_n"], {"_n": "v"}),
        ],
    ),
    "lstm": (
        [
            "f = σ( W_f x + U_f h₋ + b_f )",
            "i = σ( W_i x + U_i h₋ + b_i )",
            "g = tanh( W_g x + U_g h₋ + b_g )",
            "c = f ⊙ c₋ + i ⊙ g",
            "o = σ( W_o x + U_o h₋ + b_o )",
            "h = o ⊙ tanh( c )",
        ],
        [
            "δ_o = ∂L/∂h ⊙ tanh( c ) ⊙ o ⊙ ( 1 − o )",
            "∂L/∂c = ε + ∂L/∂h ⊙ o ⊙ ( 1 − tanh( c ) ⊙ tanh( c ) )",
            "δ_i = ∂L/∂c ⊙ g ⊙ i ⊙ ( 1 − i )",
            "δ_f = ∂L/∂c ⊙ c₋ ⊙ f ⊙ ( 1 − f )",
            "δ_g = ∂L/∂c ⊙ i ⊙ ( 1 − g ⊙ g )",
            "∂L/∂c₋ = ∂L/∂c ⊙ f",
            f"∂L/∂h₋ = {summed('U', ['_i', '_f', '_g', '_o'])}",
            f"∂L/∂x = {summed('W', ['_i', '_f', '_g', '_o'])}",
            *weights_back(["_i", "_f", "_g", "_o"], {}),
        ],
    ),
}


def kind_of(cell):
    """The walk of a cell: "srn" (tanh), "gru" (reset before) or "lstm" (without variants)."""
    made = type(cell)
    if made is ElmanCell and cell._f == "tanh":
        return "srn"
    if made is GRUCell and not cell._reset_after:
        return "gru"
    if made is LSTMCell and wiring(cell) == wiring(LSTMCell(1)):
        return "lstm"
    expected = "an ElmanCell with tanh, a GRUCell or an LSTMCell in their first form"
    raise TypeError(f"cell: expected {expected}, received {cell!r}")


def steps_of(cell):
    """Its equations in order, forward and then backward."""
    forward, backward = WALKS[kind_of(cell)]
    return forward + backward


class Watched:
    """MXNet's operators as a cell calls them, with a zero added where a number is to be seen.

    Autograd then knows the loss's derivative by that number. What a function is taken of and what
    it gives are seen, and what a matrix is multiplied by.
    """

    def __init__(self):
        self.into, self.out, self.multiplied = [], [], []

    def __getattr__(self, name):
        return getattr(nd, name)

    def see(self, a, where):
        zero = nd.zeros_like(a)
        zero.attach_grad()
        seen = a + zero
        where.append((seen, zero))
        return seen

    def function(self, f, a):
        return self.see(f(self.see(a, self.into)), self.out)

    def sigmoid(self, a):
        return self.function(nd.sigmoid, a)

    def tanh(self, a):
        return self.function(nd.tanh, a)

    def Activation(self, a, act_type):
        return self.function(lambda a: nd.Activation(a, act_type=act_type), a)

    def FullyConnected(self, a, *weights, **options):
        return nd.FullyConnected(self.see(a, self.multiplied), *weights, **options)


def values_of(cell, x, states, later):
    """Every number of a step by its name in the equations, from the cell and from autograd.

    ``x`` (C,), ``states`` a list of (H,), ``later`` what the steps after this one send back: ∂L/∂h,
    and for an LSTM ε, what they send to c. The loss is L = Σ later ⊙ state, which has just these.
    """
    kind, F = kind_of(cell), Watched()
    x, *states = (nd.array([a], dtype=cell.dtype) for a in (x, *states))
    for a in (x, *states):
        a.attach_grad()
    cell.infer_input_size(x.shape[1])
    own = {name: p.data() for name, p in cell._reg_params.items()}
    with autograd.record():
        _, new = cell.hybrid_forward(F, x, states, **own)
        loss = sum(
            (s * nd.array([a], dtype=cell.dtype)).sum() for s, a in zip(new, later, strict=True)
        )
    loss.backward()
    values = {"x": x, "∂L/∂x": x.grad, "h₋": states[0], "∂L/∂h₋": states[0].grad, "h": new[0]}
    values = {name: a.asnumpy()[0] for name, a in values.items()}
    values["∂L/∂h"] = np.asarray(later[0], dtype="float64")
    into, derivatives = [a for a, _ in F.into], [zero.grad for _, zero in F.into]
    out = [a for a, _ in F.out]
    if kind == "srn":
        values |= {"z": row(into[0]), "δ": row(derivatives[0])}
    if kind == "gru":
        for k, gate in enumerate("rz"):
            values[gate] = np.split(row(out[0]), 2)[k]
            values[f"δ_{gate}"] = np.split(row(derivatives[0]), 2)[k]
        values |= {"n": row(out[1]), "δ_n": row(derivatives[1])}
        v, zero = F.multiplied[-2]  # before the bias of U_n v, the last product
        values |= {"v": row(v), "∂L/∂v": row(zero.grad)}
    if kind == "lstm":
        for k, gate in enumerate("ifgo"):
            values |= {gate: row(out[k]), f"δ_{gate}": row(derivatives[k])}
        values |= {"c": row(new[1]), "c₋": row(states[1]), "∂L/∂c₋": row(states[1].grad)}
        values["ε"] = np.asarray(later[1], dtype="float64")
        values["∂L/∂c"] = row(derivatives[4]) + values["ε"]
    gates = [f"_{g}" for g in cell.gates] or [""]
    for letter, name in (("W", "i2h_weight"), ("U", "h2h_weight"), ("b", "i2h_bias")):
        for prefix, a in (("", own[name]), ("d", own[name].grad)):
            parts = np.split(a.asnumpy(), len(gates))
            if letter == "b" and not prefix:
                parts = np.split((a + own["h2h_bias"]).asnumpy(), len(gates))
            values |= {f"{prefix}{letter}{g}": p for g, p in zip(gates, parts, strict=True)}
    return values


def row(a):
    return a.asnumpy()[0]


def name_of(equation):
    return equation.partition(" = ")[0]


def number(value, digits=3):
    """Three digits, a true minus, and no negative zero."""
    return f"{float(f'{value:.{digits}g}') + 0.0:g}".replace("-", "−")


def tuple_of(values):
    return "(" + ", ".join(number(value, 2) for value in values) + ")"


def in_numbers(equation, values):
    """The right side of an equation with its numbers, and what comes out, as lines of text."""
    name, _, terms = equation.partition(" = ")
    parts = [block(values, term) or term for term in terms.split()]
    return layout(["=", *parts, "=", block(values, name)])


def block(values, term):
    """The lines of the array that a term names: columns stand, their transposes lie."""
    base = term.removesuffix("ᵀ")
    if base not in values:
        return None
    rounded = np.vectorize(lambda a: float(number(a).replace("−", "-")))(values[base])
    return matrix(np.atleast_2d(rounded.T) if term.endswith("ᵀ") else rounded)


def picture(cell, values, step):
    """The cell's drawing as it is known after ``step`` equations, and the last of them beneath."""
    steps = steps_of(cell)
    known = {"x", "h₋", "c₋", *map(name_of, steps[:step])}
    if step >= len(WALKS[kind_of(cell)][0]):
        known |= {"∂L/∂h", "ε"}  # what comes back from later steps
    now = name_of(steps[step - 1]) if step else None
    boxes = parse(wiring(cell))
    nodes = dict.fromkeys(n for _, sources in boxes.values() for n, _ in sources) | boxes
    names = {node: numbers_of(node, values) for node in nodes}
    at, level = places(boxes, across=1.55, up=1.2, wide=[n for n in names if names[n][0]])
    spots = [at[node, level[node]] for node in level]
    bottom = min(y for _, y in spots) - 1.75
    figure, axes = canvas([*spots, (spots[0][0] - 1, bottom)], (0.85, 0.55))
    x0, x1 = axes.get_xlim()
    if x1 - x0 < 6.4:  # room for the equation
        middle = (x0 + x1) / 2
        axes.set_xlim(middle - 3.2, middle + 3.2)
        figure.set_figwidth(6.4)
    for node, (_, sources) in boxes.items():
        for source, _ in sources:
            stops = [at[source, r] for r in range(level[source], level[node])]
            stops = [
                (stops[0][0], stops[0][1] + half_height(boxes, source, names) + 0.03),
                *stops[1:],
            ]
            x, y = at[node, level[node]]
            stops.append((x, y - half_height(boxes, node, names) - 0.03))
            ahead, back = now in names[node][0], now in names[source][1]
            look = {"weight": 2.2 if ahead or back else 1.0, "color": BACK if back else DARK}
            rise(axes, stops[::-1] if back else stops, dashed=back, **look)
    for node in level:
        draw_node(axes, boxes, node, at[node, level[node]], names, values, known, now)
    left = axes.get_xlim()[0] + 0.2
    if step:
        forward = step <= len(WALKS[kind_of(cell)][0])
        ink, way = (DARK, "forward") if forward else (BACK, "backward")
        axes.text(left, bottom + 0.72, f"Step {step} of {len(steps)}, {way}", size=9.5, color=ink)
        axes.text(left, bottom + 0.42, typeset(steps[step - 1]), size=11, color=ink)
        rows = in_numbers(steps[step - 1], values)
        wide = max(map(len, rows.splitlines()))
        size = min(10, 72 * (np.ptp(axes.get_xlim()) - 0.4) / (0.61 * wide))
        look = {"family": "DejaVu Sans Mono", "linespacing": 1.0, "va": "center", "size": size}
        axes.text(left, bottom, rows, color=ink, **look)
    return figure


def numbers_of(node, values):
    """The names of the numbers that stand at a box: forward, and the derivatives."""
    name = {"x": "x", "h-1": "h₋", "c-1": "c₋", "⊙r": "v"}.get(node, node)
    forward = ["z", "h"] if node == "h" and "δ" in values else [name]
    back = ["δ", "∂L/∂h"] if node == "h" else [f"δ_{name}", f"∂L/∂{name}"]
    back += ["ε"] if node == "c" else []
    return [n for n in forward if n in values], [n for n in back if n in values]


def half_height(boxes, node, names):
    return 0.14 if is_circle(boxes, node) else 0.12 + 0.085 * sum(map(len, names[node]))


def typeset(text):
    """Indices lowered: δ_r is δᵣ."""
    return re.sub(r"(\w)_(\w)", r"$\1_{\2}$", text)


def draw_node(axes, boxes, node, at, names, values, known, now):
    """A box or a circle, and in or beside it the numbers that are known."""
    (x, y), kind = at, boxes.get(node, ("", ()))[0]
    (forward, back), half = names[node], half_height(boxes, node, names)
    rows = [(n, DARK) for n in forward] + [(n, BACK) for n in back]
    circle, given = is_circle(boxes, node), node not in boxes
    if circle:
        axes.add_patch(Circle(at, 0.14, fc="white", ec=DARK, lw=1.1, zorder=3))
        axes.text(x, y - 0.01, kind, ha="center", va="center", size=10.5, zorder=4)
    else:
        look = {"fc": "white" if given else "#eeedf7", "ec": DARK, "zorder": 3}
        look |= {"lw": 2.2 if now in {*forward, *back} else 1.0, "ls": ":" if given else "-"}
        axes.add_patch(Rectangle((x - 0.74, y - half), 1.48, 2 * half, **look))
    if kind and not circle:
        axes.text(
            x, y + half - 0.1, kind, ha="center", va="center", size=8, color="#444444", zorder=4
        )
    shown = [(n, ink) for n, ink in rows if n in known or ink == DARK]
    start = 0.085 * (len(shown) - 1) if circle or given else half - 0.26
    for k, (n, ink) in enumerate(shown):
        look = {"weight": "bold" if n == now else "normal", "size": 8.2, "zorder": 4}
        look |= {"color": ink if n in known else "#999999"}
        look |= {"ha": "left" if circle else "center", "va": "center"}
        said = f"{n} = {tuple_of(values[n])}" if n in known else n
        axes.text(x + 0.2 if circle else x, y + start - 0.17 * k, typeset(said), **look)


def in_text(cell, values):
    """All steps, their numbers beside them: what stands for the pictures where none is shown."""
    said = [f"{name} = {tuple_of(values[name])}" for name in ("x", "h₋", "c₋") if name in values]
    for step in steps_of(cell):
        flat = np.ravel(values[name_of(step)])
        said.append(f"{step}  = {tuple_of(flat)}")
    return "\n".join(said)


def png(cell, values, step):
    file = io.BytesIO()
    picture(cell, values, step).savefig(file, format="png", dpi=100)
    return file.getvalue()


def stepper(steps, picture, numbers, start=0):
    """A slider over ``steps`` pictures, and boxes to set one of ``numbers``, {name: (get, put)}."""
    slider = widgets.IntSlider(start, 0, steps, description="step", layout={"width": "600px"})
    what = widgets.Dropdown(options=list(numbers), description="change")
    to = widgets.Text(description="to", continuous_update=False)
    note, image = widgets.Label(), widgets.Image(format="png")

    def redraw(_=None):
        image.value = picture(slider.value)

    def chosen(_=None):
        get, _ = numbers[what.value]
        to.value = number(get(), 6)

    def changed(change):
        get, put = numbers[what.value]
        try:
            new = float(change.new.replace("−", "-"))
        except ValueError:
            new = math.nan
        if not abs(new) <= 1000:
            note.value = f"A number from −1000 to 1000, please, not {change.new!r}."
            return
        note.value = ""
        if change.new != number(get(), 6):  # else it was only shown
            put(new)
            redraw()

    chosen()
    redraw()
    slider.observe(redraw, "value")
    what.observe(chosen, "value")
    to.observe(changed, "value")
    return widgets.VBox([slider, widgets.HBox([what, to]), note, image])


def walk(cell, x, states, later):
    """Show a slider through all steps, and boxes to change an input, a state or a weight.

    Where no kernel runs, the picture after the last step stands there, and all numbers as text.
    """
    units = len(states[0])
    if units > 3:
        raise ValueError(f"hidden_size: expected at most 3 to read, received {units}")
    x, states = np.array(x, dtype="float64"), [np.array(s, dtype="float64") for s in states]

    def after(step):
        return png(cell, values_of(cell, x, states, later), step)

    steps = len(steps_of(cell))
    panel = stepper(steps, after, places_to_change(cell, x, states), start=steps)
    bundle = panel._repr_mimebundle_()
    bundle["image/png"] = base64.b64encode(after(steps)).decode()
    bundle["text/plain"] = in_text(cell, values_of(cell, x, states, later))
    display(bundle, raw=True)


def places_to_change(cell, x, states):
    """How to get and how to put each number that a reader may set, by its name."""
    named = {"x": x} | dict(zip(("h₋", "c₋"), states, strict=False))
    found = {
        f"{name} {k + 1}": (lambda a=a, k=k: a[k], lambda new, a=a, k=k: a.__setitem__(k, new))
        for name, a in named.items()
        for k in range(len(a))
    }
    gates = [f"_{g}" for g in cell.gates] or [""]
    for letter, name in (("W", "i2h_weight"), ("U", "h2h_weight"), ("b", "i2h_bias")):
        parameter = cell._reg_params[name]
        rows = parameter.shape[0] // len(gates)
        for index in np.ndindex(*parameter.shape):
            place = " ".join(str(k + 1) for k in (index[0] % rows, *index[1:]))

            def get(p=parameter, index=index):
                return p.data()[index].asscalar()

            def put(new, p=parameter, index=index):
                p.data()[index] = new

            found[f"{letter}{gates[index[0] // rows]} {place}"] = get, put
    return found
