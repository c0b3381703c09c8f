"""Drawings of networks: any cell, any stack of layers, and notebook 03's with a reader's numbers.

Beside the notebooks and not in the package, for it draws networks of this book; in a file and not
in cells, for how a box is drawn is not what a notebook teaches. `node` and `edge` draw on any axes.

`draw_cell` draws a cell's wiring, a line of text for each box: ``n: tanh = x W_n, v U_n`` is a box
n that takes tanh of x, through the matrix W_n, and of v, through U_n; ⊙ and + are circles, ``!``
makes an arrow dashed. Signals rise: a box stands one row above the highest of what it takes. In
each row boxes change places until few lines cross; then long lines are pulled straight.

`draw` is the network of two steps of notebook 03: ``values`` holds every quantity under the name
that it has in the equations of ``STEPS``, and nothing is computed there.
"""

import base64
import io
import re
from itertools import pairwise

import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

from gluon_rnn import (
    RNN,
    Bidirectional,
    ElmanCell,
    GRUCell,
    JordanCell,
    LSTMCell,
    NARXCell,
    ResidualCell,
    Stacked,
    TDNNCell,
)

__all__ = [
    "STEPS",
    "carried_out",
    "changes",
    "draw",
    "draw_cell",
    "draw_chains",
    "draw_layers",
    "edge",
    "levels",
    "node",
    "parse",
    "png",
    "show",
    "wiring",
]

# One equation per step. What stands between spaces is a name in `values`, or is drawn as it is.
FORWARD = (
    "z₁ = U h₀ + W x₁ + b",
    "h₁ = f( z₁ )",
    "y₁ = V h₁",
    "z₂ = U h₁ + W x₂ + b",
    "h₂ = f( z₂ )",
    "y₂ = V h₂",
    "L = ½ ( y₁ᵀ y₁ + y₂ᵀ y₂ )",
)
BACKWARD = (
    "∂L/∂y₂ = y₂",
    "∂L/∂h₂ = Vᵀ ∂L/∂y₂",
    "δ₂ = f′(z₂) ⊙ ∂L/∂h₂",
    "∂L/∂y₁ = y₁",
    "∂L/∂h₁ = Vᵀ ∂L/∂y₁ + Uᵀ δ₂",
    "δ₁ = f′(z₁) ⊙ ∂L/∂h₁",
    "∂L/∂h₀ = Uᵀ δ₁",
    "dV = ∂L/∂y₁ h₁ᵀ + ∂L/∂y₂ h₂ᵀ",
    "dU = δ₁ h₀ᵀ + δ₂ h₁ᵀ",
    "dW = δ₁ x₁ᵀ + δ₂ x₂ᵀ",
    "db = δ₁ + δ₂",
)
STEPS = FORWARD + BACKWARD
GIVEN = ("h₀", "x₁", "x₂", "U", "W", "b", "V")
OPERATOR = {"⊙": "*", "+": "+", "−": "-", "(": "(", ")": ")", "1": "1", "½": "0.5 *"}
RELU = {"f": lambda z: np.maximum(z, 0), "f′": lambda z: (z > 0) * 1.0}

# Where a quantity and, beneath it, the loss's derivative by it stand, in inches.
NODES = {
    ("h₀", "∂L/∂h₀"): (0.92, 2.1),
    ("x₁", None): (2.95, 0.25),
    ("z₁", "δ₁"): (2.95, 1.2),
    ("h₁", "∂L/∂h₁"): (2.95, 2.1),
    ("y₁", "∂L/∂y₁"): (2.95, 3.0),
    ("x₂", None): (5.05, 0.25),
    ("z₂", "δ₂"): (5.05, 1.2),
    ("h₂", "∂L/∂h₂"): (5.05, 2.1),
    ("y₂", "∂L/∂y₂"): (5.05, 3.0),
    ("L", None): (4.0, 3.85),
}
# From, to, what the arrow does on the way there and on the way back.
ARROWS = (
    [("h₀", "z₁", "U", "Uᵀ"), ("h₁", "z₂", "U", "Uᵀ")]
    + [(f"x{t}", f"z{t}", "W", None) for t in "₁₂"]
    + [(f"z{t}", f"h{t}", "f", "f′") for t in "₁₂"]
    + [(f"h{t}", f"y{t}", "V", "Vᵀ") for t in "₁₂"]
    + [(f"y{t}", "L", "", "") for t in "₁₂"]
)
INK = {"forward": "#221a66", "backward": "#b8560f", "unknown": "#bbbbbb"}
STYLE = {"forward": "solid", "backward": (0, (3, 2)), "unknown": "solid"}
PAPER = {"forward": "#eeedf7", "backward": "#ffffff", "unknown": "#ffffff"}
WIDTH, HALF, LEFT = 1.44, 0.13, 0.2  # a box's width and half its height, the left margin


def node(ax, where, text, *, color=PAPER["forward"], pad=0.35, size=11):
    """A round box with ``text`` in it, its middle at ``where`` = (x, y)."""
    look = {"boxstyle": f"round,pad={pad}", "fc": color, "ec": INK["forward"]}
    ax.text(*where, text, ha="center", va="center", size=size, bbox=look, zorder=3)


def edge(ax, start, end, text="", *, color=INK["forward"], curve=0.0, gap=14, at=(0, 0), **style):
    """An arrow from ``start`` to ``end``, (x, y) each, ``gap`` points short of both.

    ``text`` stands over its middle, moved by ``at``; ``curve`` bends it (to the right of its way if
    above 0); ``style`` goes to the arrow (``ls="--"``, ``lw=2``, ``shrinkB=20``).
    """
    look = {"arrowstyle": "-|>", "color": color, "lw": 1.3, "shrinkA": gap, "shrinkB": gap}
    look |= {"connectionstyle": f"arc3,rad={curve}"} | style
    ax.annotate("", end, start, arrowprops=look)
    x, y = (np.add(start, end) / 2 + at).tolist()
    ax.text(x, y, text, ha="center", size=9, color=color)


def draw(values, step=None, title=None, equation=False):
    """The network as it is known after ``step`` of the ``STEPS``, after all if ``None``.

    Forward is solid and dark, backward dashed and light; what is not known yet is a grey outline.
    ``equation`` writes the step out beneath, its numbers filled in.
    """
    step = len(STEPS) if step is None else step
    below = 1.15 if equation else 0.0
    figure = Figure(figsize=(7.6, 4.5 + below), dpi=100, layout="none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 7.6), ylim=(-0.05 - below, 4.45))
    axes.axis("off")
    known = {*GIVEN, *map(name_of, STEPS[:step])}
    now = name_of(STEPS[step - 1]) if equation and step else None
    axes.text(LEFT, 4.25, title or headline(step), fontsize=11)
    for arrow in ARROWS:
        arrows(axes, *arrow, known, now)
    for (name, derivative), (x, y) in NODES.items():
        if derivative in known:
            box(axes, "backward", derivative, values, x, y - 2 * HALF, derivative == now)
        box(axes, "forward" if name in known else "unknown", name, values, x, y, name == now)
    for name, y in (("dV", 3.0), ("dU", 2.1), ("dW", 1.2), ("db", 0.3)):
        if name in known:
            rows = layout([f"{name} =", matrix(values[name])])
            weight = "bold" if name == now else "normal"
            write(axes, 6.02, y - HALF, rows, INK["backward"], weight=weight, size=9.5)
    if equation:
        written_out(axes, values, step)
    return figure


def png(values, step=None, **options):
    """`draw`, as the bytes of a PNG."""
    file = io.BytesIO()
    draw(values, step, **options).savefig(file, format="png", dpi=100)
    return file.getvalue()


def show(widget, instead):
    """Show a widget, or the PNG ``instead`` where no kernel runs."""
    bundle = widget._repr_mimebundle_()
    bundle["image/png"] = base64.b64encode(instead).decode()
    bundle["text/plain"] = f"{len(STEPS)} steps, the last: {STEPS[-1]}"
    display(bundle, raw=True)


def name_of(equation):
    return equation.partition(" = ")[0]


def carried_out(equation, values, functions):
    """What the right side of an equation gives: side by side is the matrix product, ⊙ by entry."""
    python, operand = [], False
    for term in equation.partition(" = ")[2].split():
        call, applied = re.fullmatch(r"(\S+)\(", term), re.fullmatch(r"(\S+)\((\S+)\)", term)
        opens = call or term == "("
        if operand and (opens or term not in OPERATOR):
            python.append("@")
        if call:
            python.append(f"f[{call[1]!r}](")
        elif applied:
            python.append(f"f[{applied[1]!r}](v[{applied[2]!r}])")
        elif term in OPERATOR:
            python.append(OPERATOR[term])
        else:
            name = term.removesuffix("ᵀ")
            python.append(f"v[{name!r}]{'.T' if term != name else ''}")
        operand = not opens and (term not in OPERATOR or term == ")")
    columns = {n: np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for n, a in values.items()}
    return eval(" ".join(python), {"v": columns, "f": functions})


def changes(values):
    """{name: (get, put)} of the numbers that a reader may change; ``put`` makes all the others."""
    given = {name: np.array(values[name], dtype="float64") for name in GIVEN}
    numbers = {}
    for name in ("x₁", "x₂", "h₀", "U", "W", "b", "V"):
        for index in np.ndindex(given[name].shape):

            def get(a=given[name], index=index):
                return a[index]

            def put(new, a=given[name], index=index):
                a[index] = new
                values.update(given)
                for equation in STEPS:
                    made = carried_out(equation, values, RELU)
                    values[name_of(equation)] = np.squeeze(made, 1) if made.shape[1] == 1 else made
                values["L"] = values["L"].item()

            numbers[" ".join([name, *(str(k + 1) for k in index)])] = get, put
    return numbers


def headline(step):
    if step == 0:
        return f"Step 0 of {len(STEPS)}: what is given"
    way = "forward" if step <= len(FORWARD) else "backward"
    return f"Step {step} of {len(STEPS)}, {way}: {name_of(STEPS[step - 1])}"


def box(axes, way, name, values, x, y, now):
    corner = (x - WIDTH / 2, y - HALF)
    look = {"ec": INK[way], "ls": STYLE[way], "lw": 2.4 if now else 1.0, "zorder": 3}
    axes.add_patch(Rectangle(corner, WIDTH, 2 * HALF, fc=PAPER[way], **look))
    said = name if way == "unknown" else f"{name} = {vector(values[name])}"
    look = {"weight": "bold" if now else "normal", "c": INK[way], "zorder": 4}
    axes.text(x, y - 0.01, said, ha="center", va="center", size=9, **look)


def arrows(axes, start, end, there, back, known, now):
    """An arrow forward and, beside it, one backward, each labelled by what it multiplies by."""
    at = {name: position for (name, _), position in NODES.items()}
    derivative = dict(tuple(NODES))
    (x0, y0), (x1, y1) = at[start], at[end]
    under = y1 - (3 * HALF if derivative[end] in known else HALF)  # the edge of what stands there
    if x0 == x1:
        ends, aside, off = ((x0, y0 + HALF), (x1, under)), (0.14, 0), (0.13, 0)
    elif end == "L":
        lean = np.sign(x1 - x0)
        ends, aside, off = ((x0, y0 + HALF), (x1 - 0.35 * lean, under)), (0.1, 0), (0, 0)
    else:
        ends, aside = ((x0 + WIDTH / 2, y0), (x1 - WIDTH / 2, y1)), (0, -0.13)
        off = (-0.12, -0.09)
    ways = [("forward" if end in known else "unknown", ends, -1, there, end == now)]
    if derivative[start] in known:
        ways.append(("backward", ends[::-1], 1, back, derivative[start] == now))
    for way, (a, b), side, label, strong in ways:
        a, b = np.add(a, np.multiply(side, aside)), np.add(b, np.multiply(side, aside))
        look = {"color": INK[way], "ls": STYLE[way], "lw": 2.4 if strong else 1.2}
        look |= {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 1, "shrinkB": 1}
        axes.add_patch(FancyArrowPatch(a, b, **look))
        x, y = (a + b) / 2 + np.multiply(side, off)
        weight = "bold" if strong else "normal"
        axes.text(x, y, label, ha="center", va="center", size=10.5, c=INK[way], weight=weight)


def written_out(axes, values, step):
    """The equation of a step, and beneath it the same with its numbers."""
    axes.axhline(-0.1, color="#bbbbbb", lw=0.8)
    if step == 0:
        rows = layout([p for n in "UWbV" for p in (f"{n} =", matrix(values[n]), " ")])
        write(axes, LEFT, -0.72, rows, INK["forward"], size=10.5)
        return
    ink = INK["forward" if step <= len(FORWARD) else "backward"]
    name, _, terms = STEPS[step - 1].partition(" = ")
    said = f"{name} = {terms}".replace("( ", "(").replace(" )", ")")
    axes.text(LEFT, -0.3, said, size=11, c=ink, va="center")
    parts = [matrix(number(values, term)) or term for term in terms.split()]
    rows = layout(["=", *parts, "=", matrix(values[name])])
    write(axes, LEFT, -0.78, rows, ink, size=10.5)


def number(values, term):
    """The array that a term of an equation names, columns upright and their transposes lying."""
    if term in values:
        return values[term]
    if term.endswith("ᵀ") and term[:-1] in values:
        return np.atleast_2d(np.transpose(values[term[:-1]]))
    return None


def plain(number):
    return f"{number:g}".replace("-", "−")


def vector(value):
    """(1, 2) of a vector, 389 of a number."""
    entries = ", ".join(map(plain, np.ravel(value)))
    return f"({entries})" if np.ndim(value) else entries


def matrix(value):
    """Lines of text: a matrix in brackets, a vector as a column."""
    if value is None:
        return None
    if np.ndim(value) == 0:
        return [plain(value)]
    table = np.reshape(value, (len(value), -1))
    texts = [[plain(entry) for entry in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    rows = [" ".join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in texts]
    left, right = {1: ("[", "]"), 2: ("⎡⎣", "⎤⎦"), 3: ("⎡⎢⎣", "⎤⎥⎦")}[len(rows)]
    return [a + row + b for a, row, b in zip(left, rows, right, strict=True)]


def layout(parts):
    """Join blocks and words side by side; a word stands on the middle line."""
    height = max(len(part) for part in parts if isinstance(part, list))
    columns = []
    for part in parts:
        lines = part if isinstance(part, list) else [part]
        above = (height - len(lines)) // 2
        lines = [""] * above + lines + [""] * (height - len(lines) - above)
        columns.append([line.ljust(max(map(len, lines))) for line in lines])
    return "\n".join(" ".join(row) for row in zip(*columns, strict=True))


def write(axes, x, y, rows, ink, **look):
    look = {"family": "DejaVu Sans Mono", "linespacing": 1.0, "va": "center"} | look
    axes.text(x, y, rows, color=ink, **look)


# Cells and layers

DARK, BACKWARD = INK["forward"], INK["backward"]
LARGEST = 6  # taps of a delay line, layers, steps: more is no drawing
FUNCTIONS = {"sigmoid": "σ", "tanh": "tanh", "relu": "ReLU", "identity": ""}


def wiring(cell):
    """What goes into what in a cell of the package, as text (see the top of this file)."""
    kind = type(cell)
    f = FUNCTIONS.get(getattr(cell, "_f", None), "f")
    if kind is ElmanCell:
        return f"h: {f} = x W, h-1 U"
    if kind is JordanCell:
        return f"h: {f} = x W, y-1 U\ny: {FUNCTIONS[cell._g]} = h V"
    if kind is ResidualCell:
        return f"g: {f} = x W{', h-1 U' if cell._recurrent else ''}\nh: + = g, h-1"
    if kind is TDNNCell:
        K = cell.d2h_weight.shape[1] // cell.i2h_weight.shape[1]
        return f"h: {f} = {', '.join(taps('x', 'W', 0, K))}"
    if kind is NARXCell:
        K_x, K_y = cell.d2h_weight.shape[1] // cell._C, cell.o2h_weight.shape[1] // cell._Q
        both = taps("x", "W", 0, K_x) + taps("y", "U", 1, K_y)
        return f"h: {f} = {', '.join(both)}\ny:  = h V"
    if kind is GRUCell:
        product = "⊙r: ⊙ = h-1 U_n, r" if cell._reset_after else "⊙r: ⊙ = h-1, r"
        candidate = "n: tanh = x W_n, ⊙r" if cell._reset_after else "n: tanh = x W_n, ⊙r U_n"
        return (
            f"r: σ = x W_r, h-1 U_r\nz: σ = x W_z, h-1 U_z\n{product}\n{candidate}\n"
            "⊙z: ⊙ = h-1, z\n⊙n: ⊙ = n, z 1−z\nh: + = ⊙z, ⊙n"
        )
    if kind is LSTMCell:
        peep = "c2i_weight" in cell._reg_params
        gates = {
            g: f", c{t} p_{g}!" if peep else "" for g, t in (("i", "-1"), ("f", "-1"), ("o", ""))
        }
        gates = {g: f"{g}: σ = x W_{g}, h-1 U_{g}{more}" for g, more in gates.items()}
        out = "o, ·c\n" if cell._phi == "tanh" else "o, c"
        squashed = "·c: tanh = c\n" if cell._phi == "tanh" else ""
        return (
            f"{gates['f']}\n{gates['i']}\ng: tanh = x W_g, h-1 U_g\n⊙f: ⊙ = c-1, f\n⊙i: ⊙ = i, g\n"
            f"c: + = ⊙f, ⊙i\n{gates['o']}\n{squashed}h: ⊙ = {out}".strip()
        )
    raise TypeError(f"cell: expected one of the seven of the package, received {kind.__name__}")


def taps(name, through, first, last):
    """Delayed copies ``x``, ``x-1``, ``x-2`` … of a signal, the weight of each beside it."""
    if last > LARGEST:
        raise ValueError(
            f"delays: expected at most {LARGEST} to draw, received {last}; "
            "fewer give the same picture"
        )
    return [f"{name}{f'-{k}' if k else ''} {through}_{k}" for k in range(first, last + 1)]


def parse(text):
    """{box: (kind, [(from, through), ...])} of a wiring."""
    boxes = {}
    for line in text.splitlines():
        head, _, tail = line.partition(" = ")
        name, _, kind = head.partition(": ")
        boxes[name] = (kind.strip(), [(*part.split(" "), "")[:2] for part in tail.split(", ")])
    return boxes


def rows_of(boxes):
    """The row of each name, the lines between neighbouring rows, and who stands in which row.

    A stop is (name, row): where a line passes a row on its way up, it has a stop there, too.
    """
    row = {}
    for name, (_, sources) in boxes.items():
        for source, _ in sources:
            row.setdefault(source, 0)
        row[name] = 1 + max(row[source] for source, _ in sources)
    lines = {}
    for name, (_, sources) in boxes.items():
        for source, _ in sources:
            stops = [(source, k) for k in range(row[source], row[name])] + [(name, row[name])]
            lines |= dict.fromkeys(pairwise(stops))
    rows = [[] for _ in range(1 + max(row.values()))]
    for stop in dict.fromkeys(stop for line in lines for stop in line):
        rows[stop[1]].append(stop)
    return row, list(lines), rows


def disorder(rows, lines):
    """Ten for each crossing, and how far the lines run sideways."""
    at = {stop: k - (len(row) - 1) / 2 for row in rows for k, stop in enumerate(row)}
    crossed = sum(
        (at[a] - at[c]) * (at[b] - at[d]) < 0
        for j, (a, b) in enumerate(lines)
        for c, d in lines[:j]
        if a[1] == c[1]
    )
    return 10 * crossed + sum(abs(at[a] - at[b]) for a, b in lines)


def put_in_order(rows, lines, tries=12):
    """Pairs change places while that takes disorder away; the best of several beginnings."""
    draw, best = np.random.RandomState(0), None
    for attempt in range(tries):
        order = [
            [row[k] for k in (draw.permutation(len(row)) if attempt else range(len(row)))]
            for row in rows
        ]
        least, before = disorder(order, lines), None
        while least != before:
            before = least
            for row in order:
                for i in range(len(row)):
                    for j in range(i):
                        row[i], row[j] = row[j], row[i]
                        now = disorder(order, lines)
                        least, keep = (now, True) if now < least else (least, False)
                        if not keep:
                            row[i], row[j] = row[j], row[i]
        if best is None or least < best[0]:
            best = least, order
    return best[1]


def not_falling(wanted):
    """The values nearest to those wanted that never fall (pooled neighbours)."""
    pools = []
    for value in wanted:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    return [value for value, n in pools for _ in range(n)]


def places(boxes, across=1.0, up=0.9, wide=()):
    """(x, y) of every stop, in inches, and the row of each name; circles in ``wide`` need room."""
    row, lines, rows = rows_of(boxes)
    rows = put_in_order(rows, lines)
    width = {}
    for name, k in (stop for stops in rows for stop in stops):
        passing = row[name] != k or is_circle(boxes, name)
        width[name, k] = across / 2 if passing else across
        if name in wide and row[name] == k and passing:
            width[name, k] = 1.7 * across
    beside = {stop: [] for stops in rows for stop in stops}
    for a, b in lines:  # where a line only passes, it pulls harder: long lines become straight
        pull = 6.0 ** sum(row[name] != k for name, k in (a, b))
        beside[a].append((b, pull))
        beside[b].append((a, pull))
    x, offsets = {}, []
    for stops in rows:
        widths = [width[stop] for stop in stops]
        steps = np.cumsum([0, *(np.add(widths, [*widths[1:], 0])[:-1] / 2)])
        offsets.append(steps)
        x |= dict(zip(stops, steps - steps[-1] / 2, strict=True))
    for _ in range(200):
        for stops, steps in zip(rows, offsets, strict=True):
            wanted = []
            for stop in stops:
                near, pulls = zip(*((x[other], pull) for other, pull in beside[stop]), strict=True)
                wanted.append((x[stop] + np.average(near, weights=pulls)) / 2)
            x |= dict(zip(stops, not_falling(wanted - steps) + steps, strict=True))
    return {stop: (x[stop], up * stop[1]) for stop in x}, row


def is_circle(boxes, name):
    return boxes.get(name, ("given",))[0] in ("⊙", "+")


def written(name):
    """A name as it is printed: ``h-1`` is h_{t-1}; what begins with ⊙ or · has none."""
    letter, _, delay = name.partition("-")
    return "" if letter[0] in "⊙·" else f"${letter}_{{t{f'-{delay}' if delay else ''}}}$"


def through(weight):
    letter, _, index = weight.rstrip("!").partition("_")
    return f"${letter}_{{{index}}}$" if index else letter.replace("1−z", "$1-z_t$")


def canvas(points, margin=(0.62, 0.42)):
    """A figure of just the size of what stands at ``points``, one unit an inch, and its axes."""
    (x0, y0), (x1, y1) = np.min(points, axis=0) - margin, np.max(points, axis=0) + margin
    figure = Figure(figsize=(x1 - x0, y1 - y0), dpi=110, layout="none", facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(x0, x1), ylim=(y0, y1))
    axes.axis("off")
    return figure, axes


def rise(axes, stops, dashed=False, weight=1.1, color=DARK):
    """An arrow up through ``stops``, upright at each."""
    vertices, codes = [stops[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(stops):
        middle = (y0 + y1) / 2
        vertices += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [Path.CURVE4] * 3
    look = {"arrowstyle": "-|>", "mutation_scale": 9, "color": color, "lw": weight, "zorder": 1}
    look |= {"ls": (0, (4, 2)) if dashed else "-", "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(path=Path(vertices, codes), **look))


def named_box(axes, at, title, beneath="", given=False, half=(0.37, 0.2)):
    """A box with a name, and what it does beneath."""
    (x, y), (w, h) = at, np.subtract(half, 0.03)
    look = {
        "fc": "white" if given else PAPER["forward"],
        "ec": DARK,
        "lw": 1.0,
        "ls": ":" if given else "-",
    }
    shape = "round,pad=0.03"
    axes.add_patch(FancyBboxPatch((x - w, y - h), 2 * w, 2 * h, boxstyle=shape, zorder=3, **look))
    rows = [(title, 10.5, "black"), (beneath, 7.5, "#444444")]
    for k, (text, size, color) in enumerate(rows if beneath else rows[:1]):
        look = {"ha": "center", "va": "center", "size": size, "color": color, "zorder": 4}
        axes.text(x, y + (0.065 - 0.165 * k if beneath else 0), text, **look)


def shown(figure, text):
    """Display the figure; where pictures are compared or read aloud, ``text`` stands for it."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    picture = base64.b64encode(file.getvalue()).decode()
    display({"image/png": picture, "text/plain": text}, raw=True)


def draw_cell(cell):
    """Show one step of a cell of the package as boxes and arrows; what comes in is dotted.

    Raises: ``TypeError`` for another cell, ``ValueError`` for more delays than can be drawn.
    """
    boxes = parse(wiring(cell))
    at, row = places(boxes)
    figure, axes = canvas(list(at.values()))
    for name, (kind, sources) in boxes.items():
        x, y = at[name, row[name]]
        inward = sorted(sources, key=lambda s, top=row[name] - 1: at[s[0], top][0])
        for k, (source, weight) in enumerate(inward):
            spread = 0 if is_circle(boxes, name) else 0.17 * (k - (len(inward) - 1) / 2)
            gap = 0.16 if is_circle(boxes, name) else 0.2
            stops = [at[source, r] for r in range(row[source], row[name])]
            below = 0.14 if is_circle(boxes, source) else 0.2
            stops[0] = (stops[0][0], stops[0][1] + below)
            rise(axes, [*stops, (x + spread, y - gap)], dashed=weight.endswith("!"))
            if weight and (weight.endswith("!") or not inside(boxes, name)):
                (x0, y0), x1, y1 = stops[-1], x + spread, y - gap
                side = "right" if x0 < x1 else "left"
                look = {"ha": side, "va": "center", "size": 8.5, "zorder": 2}
                look["bbox"] = {"fc": "white", "ec": "none", "pad": 0.8}
                axes.text(0.5 * (x0 + x1), 0.5 * (y0 + y1), through(weight), **look)
        if is_circle(boxes, name):
            axes.add_patch(Circle((x, y), 0.14, fc="white", ec=DARK, lw=1.1, zorder=3))
            axes.text(x, y - 0.01, kind, ha="center", va="center", size=10.5, zorder=4)
            axes.text(x + 0.2, y + 0.02, written(name), va="center", size=11.5, zorder=4)
        else:
            named_box(
                axes, (x, y), f"{written(name)}  {kind}".strip(), ", ".join(inside(boxes, name))
            )
    for name in [name for name in row if name not in boxes]:
        (x, y), (letter, _, delay) = at[name, 0], name.partition("-")
        named_box(axes, (x, y), written(name), given=True)
        newer = f"{letter}-{int(delay) - 1}".removesuffix("-0") if delay else None
        if row.get(newer) == 0:  # a delay line: what is x_t now is x_{t-1} next
            (x0, _), way = at[newer, 0], np.sign(x - at[newer, 0][0])
            sideways(axes, (x0 + 0.37 * way, y), (x - 0.37 * way, y), dashed=True)
    shown(figure, wiring(cell))


def inside(boxes, name):
    """The weights that are written into a box: two at most, else they stand beside the arrows."""
    weights = [through(w) for _, w in boxes[name][1] if w and not w.endswith("!")]
    return weights if len(weights) <= 2 and not is_circle(boxes, name) else []


def draw_layers(layer, steps=3):
    """Show a stack or a pair of directions, unrolled over ``steps``: time goes to the right.

    Raises: ``TypeError`` for another layer, ``ValueError`` for too many layers or steps.
    """
    rows, read_last = levels(layer)
    for what, count in (("layers", len(rows)), ("steps", steps)):
        if not 1 <= count <= LARGEST:
            raise ValueError(f"{what}: expected 1 to {LARGEST} to draw, received {count}")
    across, up = 1.25, 0.95
    tops = len(rows) + 1
    spots = {(r, t): (across * t, up * r) for r in range(tops + 1) for t in range(steps)}
    figure, axes = canvas([*spots.values(), (-0.55, 0), (across * (steps - 1) + 0.55, 0)])
    for t in range(steps):
        named_box(axes, spots[0, t], f"$x_{t + 1}$", given=True)
        named_box(axes, spots[tops, t], f"$o_{t + 1}$", given=True)
        for r, (kind, letter, way, reads) in enumerate(rows, 1):
            named_box(axes, spots[r, t], f"${letter}_{t + 1}$", kind)
            for low in reads:
                rise(axes, detour(spots, low, r, t))
            if 0 <= t - way < steps:
                (x0, y0), (x1, y1) = spots[r, t - way], spots[r, t]
                sideways(axes, (x0 + 0.37 * way, y0), (x1 - 0.37 * way, y1))
        for low in read_last:
            rise(axes, detour(spots, low, tops, t))
    said = [f"{kind} {letter}, reads {reads}" for kind, letter, _, reads in rows]
    shown(figure, "\n".join([*said, f"o reads {read_last}"]))


def levels(layer, reads=(0,), first=1):
    """Each level from ``first`` up, (kind of cell, letter, way through time, levels that it reads),
    and the levels that are the layer's output."""
    if type(layer) is RNN:
        kind = type(layer.cell).__name__.removesuffix("Cell")
        return [(kind, rf"h^{{({first})}}", 1, reads)], (first,)
    if type(layer) is Bidirectional:
        (ahead,), own = levels(layer.ahead, reads, first)
        (back,), other = levels(layer.back, reads, first + 1)
        arrows = r"\overrightarrow{h}", r"\overleftarrow{h}"
        return [(ahead[0], arrows[0], 1, reads), (back[0], arrows[1], -1, reads)], own + other
    if type(layer) is Stacked:
        rows = []
        for part in layer._parts:
            more, reads = levels(part, reads, first + len(rows))
            rows += more
        return rows, reads
    kind = type(layer).__name__
    raise TypeError(f"layer: expected an RNN, Stacked or Bidirectional, received {kind}")


def detour(spots, low, high, t):
    """From the top of one box to the bottom of another, around what stands between."""
    (x, y0), (_, y1) = spots[low, t], spots[high, t]
    if high == low + 1:
        return [(x, y0 + 0.2), (x, y1 - 0.2)]
    middle = [(x + 0.46, spots[r, t][1]) for r in range(low + 1, high)]
    return [(x + 0.12, y0 + 0.2), *middle, (x + 0.12, y1 - 0.2)]


def sideways(axes, start, end, dashed=False):
    look = {"arrowstyle": "-|>", "mutation_scale": 9, "color": DARK, "lw": 1.1, "zorder": 1}
    look["ls"] = (0, (4, 2)) if dashed else "-"
    axes.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **look))


def draw_chains(rows):
    """Show unrolled cells: between two states an arrow back, as thick as a gradient's way there.

    ``rows`` holds, by the cell's name, T factors: by how much step t multiplies the gradient that
    comes back through it, ‖∂L/∂s_{t-1}‖ / ‖∂L/∂s_t‖. A factor of 1 is 3 points thick, and none is
    thicker than 9; the circle of s_t is as dark as what is left there of ∂L/∂s_T.
    """
    steps = {len(factors) for factors in rows.values()}
    if len(steps) != 1:
        raise ValueError(f"rows: expected as many factors in each, received {sorted(steps)}")
    (T,), across, up = steps, 0.44, 0.62
    figure, axes = canvas([(-1.1, -0.25), (across * T, up * (len(rows) - 1) + 0.1)], (0.3, 0.3))
    for k, (name, factors) in enumerate(rows.items()):
        y, left = up * (len(rows) - 1 - k), 1.0
        axes.text(-1.3, y, name, size=9, va="center")
        for t in reversed(range(T + 1)):
            shade = str(1 - 0.85 * min(left, 1.0))
            axes.add_patch(Circle((across * t, y), 0.11, fc=shade, ec=DARK, lw=0.8, zorder=3))
            if t:
                ends = (across * t - 0.11, y), (across * (t - 1) + 0.11, y)
                look = {"color": BACKWARD, "lw": min(3 * factors[t - 1], 9), "zorder": 1}
                axes.plot(*zip(*ends, strict=True), solid_capstyle="butt", **look)
                left *= factors[t - 1]
    for t in (0, T):
        axes.text(across * t, -0.32, f"$s_{{{t}}}$", ha="center", size=9)
    figure.text(0.5, 0.02, "← the way back of the gradient", ha="center", size=9, color=BACKWARD)
    said = [
        f"{name}: {np.prod(factors):.0e} left of the last, {min(factors):.2f} to {max(factors):.2f}"
        for name, factors in rows.items()
    ]
    shown(figure, "\n".join(said))
