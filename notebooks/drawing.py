"""Drawings of networks: boxes and arrows for any, and notebook 03's with a reader's numbers.

Beside the notebooks and not in the package, for it draws networks of this book; in a file and not
in cells, for how a box is drawn is not what a notebook teaches. `node` and `edge` draw on any axes.
All else is the network of two steps of notebook 03: ``values`` holds every quantity under the name
that it has in the equations of ``STEPS``, and nothing is computed here.
"""

import base64
import io

import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

__all__ = ["STEPS", "draw", "edge", "node", "png", "show"]

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
