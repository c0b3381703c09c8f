"""What every notebook keeps, beyond outputs that nbval finds unchanged.

A rule yields (cell, complaint) pairs; the table BREAKERS holds, for each rule, alterations of a
sound notebook that must make it complain. A new rule needs a row there to be run at all.
"""

import re
from statistics import median

import nbformat
import pytest
from book import BOOK, METADATA, WIDGET, text
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
TAGS = re.compile(r"(item|erratum|question)-\d+|exercise|raises-exception")
# /home/x, C:\Users\x; not a/b, //host/x, ./x, </b>.
ABSOLUTE = re.compile(
    r"(?<![\w./:~<>)\]}$*\\])/[A-Za-z_][\w.-]*/|\b[A-Z]:\\(Users|Program|Windows)"
)
FIGURE = re.compile(r"^\*Figure: [^*]{20,}\*$", re.MULTILINE)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def tags(cell):
    return cell.metadata.get("tags", [])


def code(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def markdown(nb):
    return [cell for cell in nb.cells if cell.cell_type == "markdown"]


def pictures(cell):
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))


def ran_once_from_the_top(nb):
    for number, cell in enumerate(code(nb), 1):
        if cell.execution_count != number:
            yield cell, f"execution count {cell.execution_count}, expected {number}"


def outputs_are_stored(nb):
    cells = [cell for cell in code(nb) if "exercise" not in tags(cell)]
    shown = sum(bool(cell.outputs) for cell in cells)
    if 2 * shown < len(cells):
        yield None, f"{shown} of {len(cells)} code cells have an output, expected at least half"


def no_trace_of_the_machine(nb):
    if nb.metadata != METADATA:
        yield None, f"metadata {dict(nb.metadata)}, expected {METADATA}"
    for number, cell in enumerate(nb.cells, 1):
        if cell.get("id") != f"cell-{number:02}":
            yield cell, f"id {cell.get('id')}, expected cell-{number:02}"
        if set(cell.metadata) - {"tags"}:
            yield cell, f"metadata {sorted(cell.metadata)}, expected only tags"
        texts = [cell.source, *map(text, cell.get("outputs", ()))]
        for found in filter(None, map(ABSOLUTE.search, texts)):
            yield cell, f"an absolute path, {found[0]}"


def tags_are_known(nb):
    for cell in nb.cells:
        for tag in tags(cell):
            if not TAGS.fullmatch(tag):
                yield cell, f"tag {tag}, expected {TAGS.pattern}"
        if re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source, re.MULTILINE):
            yield cell, "a comment that exempts the cell from comparison"


def code_is_short(nb):
    lengths = []
    for cell in code(nb):
        lengths.append(sum(bool(line.strip()) for line in cell.source.splitlines()))
        if lengths[-1] > 15:
            yield cell, f"{lengths[-1]} lines of code, at most 15"
    if lengths and median(lengths) > 6:
        yield None, f"a median of {median(lengths)} lines of code per cell, at most 6"


def output_is_clean(nb):
    for cell in code(nb):
        if cell.source.rstrip().endswith(";"):
            yield cell, "ends with a semicolon, which nbval does not obey: write `_ = ...`"
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                yield cell, f"{output.ename}, without the tag raises-exception"
            if output.get("name") == "stderr":
                yield cell, f"stderr: {output.text.strip()}"
            if re.search(r"\bat 0x[0-9a-f]+", text(output)):
                yield cell, f"an address in memory: {text(output).strip()}"
            if any("widget" in mime for mime in output.get("data", {})):
                yield cell, "a widget without image/png beside it (or stored by JupyterLab)"


def figures_are_described(nb):
    for cell, after in zip(nb.cells, [*nb.cells[1:], None], strict=True):
        said = after and after.cell_type == "markdown" and len(FIGURE.findall(after.source))
        if pictures(cell) > (said or 0):
            yield cell, "a figure; the next cell, Markdown, must say it: *Figure: a curve that …*"
    for cell in markdown(nb):
        for image, alt, target in LINK.findall(cell.source):
            if image and not alt.strip():
                yield cell, f"the image {target} without alt text"


def links_resolve(nb):
    for cell in markdown(nb):
        for _, _, target in LINK.findall(cell.source):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, heading = target.partition("#")
            if file and not (BOOK / file).exists():
                yield cell, f"a link to {file}, which does not exist"
            elif heading and heading not in headings(file, nb):
                yield cell, f"a link to {target}, where no heading is {heading}"


def headings(file, nb):
    """A notebook's headings as JupyterLab writes them in links."""
    linked = nbformat.read(BOOK / file, as_version=4) if file.endswith(".ipynb") else nb
    found = re.findall(r"^#+ +(.+?) *$", "\n".join(c.source for c in markdown(linked)), re.M)
    return [heading.replace(" ", "-") for heading in found]


def a_claim_can_fail(nb):
    for cell in nb.cells:
        claims = [tag for tag in tags(cell) if re.match("item|erratum|question", tag)]
        said = "".join(map(text, cell.get("outputs", ())))
        facts = re.sub(r"<Figure size .*>", "", said).strip()
        if claims and not facts and not re.search(r"^\s*assert\b", cell.source, re.MULTILINE):
            yield cell, f"{', '.join(claims)}: neither an assert nor a printed fact"


def ends_with_exercises(nb):
    start = [i for i, cell in enumerate(nb.cells) if re.search("^## Exercises", cell.source, re.M)]
    if not start:
        yield None, "no heading '## Exercises'"
        return
    found = [cell for cell in nb.cells[start[0] :] if "exercise" in tags(cell)]
    if not found:
        yield None, "no cell tagged exercise under '## Exercises'"
    for number, cell in enumerate(found, 1):
        if cell.cell_type != "code" or "..." not in cell.source:
            yield cell, "an exercise is a code cell with `...` where the answer goes"
        if not cell.source.splitlines()[-1].startswith(f"check.exercise_{number}("):
            yield cell, f"the last line must be check.exercise_{number}(...)"
        if "".join(map(text, cell.get("outputs", ()))).strip() != "Nothing yet.":
            yield cell, "an exercise not yet answered says: Nothing yet."


def few_lines_say_true(nb):
    said = [line for cell in code(nb) for o in cell.outputs for line in text(o).splitlines()]
    said = [line for line in said if line.strip() and not line.startswith("<")]
    decided = [line for line in said if re.search(r"\b(True|False)\b", line)]
    if 7 * len(decided) > len(said):
        found = f"{len(decided)} of {len(said)} printed lines say True or False"
        yield None, f"{found}, at most one in seven: print the number beside its claim"


def claims_hold(nb):
    for cell in code(nb):
        for line in "\n".join(map(text, cell.outputs)).splitlines():
            if "∉" in line:
                yield cell, f"a claim that does not hold: {line}"


def sources_stand_in_boxes(nb):
    if "# 18" in nb.cells[0].source:  # which is about the documents
        return
    for cell in markdown(nb):
        for line in cell.source.splitlines():
            if re.search(r"[Dd]ocuments? 00\d", line) and not line.startswith(">"):
                yield cell, f"a document outside a box `> **In the source.** …`: {line[:80]}"
        quoted = re.findall(r"(?:^>.*\n?)+", cell.source, re.MULTILINE)
        for box in quoted:
            if not box.startswith("> **In the source.** "):
                yield cell, f"a box that does not begin `> **In the source.** `: {box[:60]}"


def is_small(nb):
    size = len(nbformat.writes(nb).encode())
    if size > 600_000:
        yield None, f"{size // 1000} kB, at most 600"


def sound():
    """A small notebook that keeps every rule."""
    plot = new_output("display_data", {"image/png": "", "text/plain": "<Figure size 9x9>"})
    two = new_output("stream", name="stdout", text="2\n")
    cells = [
        new_markdown_cell("# A sum\n\n[the look](book.mplstyle), [exercises](#Exercises)"),
        new_code_cell("print(1 + 1)", outputs=[two], metadata={"tags": ["item-1"]}),
        new_code_cell("draw(1 + 1)", outputs=[plot]),
        new_markdown_cell("*Figure: a line that rises from one to two.*"),
        new_markdown_cell("## Exercises"),
        new_code_cell(
            "answer = ...\n\ncheck.exercise_1(answer)",
            outputs=[new_output("stream", name="stdout", text="Nothing yet.\n")],
            metadata={"tags": ["exercise"]},
        ),
    ]
    nb = new_notebook(cells=cells, metadata=METADATA)
    for number, cell in enumerate(nb.cells, 1):
        cell.id = f"cell-{number:02}"
    for number, cell in enumerate(code(nb), 1):
        cell.execution_count = number
    return nb


def put(cell, key, value):
    """A breaker: the sound notebook's cell, by position, altered in one key."""
    return lambda nb: nb.cells[cell].update({key: nbformat.from_dict(value)})


def stream(text, name="stdout"):
    return [new_output("stream", name=name, text=text)]


BREAKERS = [
    (ran_once_from_the_top, put(2, "execution_count", 7)),
    (ran_once_from_the_top, put(1, "execution_count", None)),
    (outputs_are_stored, lambda nb: [cell.update(outputs=[]) for cell in code(nb)]),
    (no_trace_of_the_machine, lambda nb: nb.metadata.kernelspec.update(name="mine")),
    (no_trace_of_the_machine, lambda nb: nb.metadata.update(widgets={})),
    (no_trace_of_the_machine, put(0, "id", "5f3a")),
    (no_trace_of_the_machine, put(0, "metadata", {"editable": False})),
    (no_trace_of_the_machine, put(1, "source", "open('/home/ada/sums')")),
    (no_trace_of_the_machine, put(1, "outputs", stream("in C:\\Users\\Ada"))),
    (tags_are_known, put(1, "metadata", {"tags": ["nbval-skip"]})),
    (tags_are_known, put(1, "metadata", {"tags": ["items-1"]})),
    (tags_are_known, put(1, "source", "# NBVAL_IGNORE_OUTPUT\nprint(2)")),
    (code_is_short, put(1, "source", "one()\n" * 16)),
    (code_is_short, lambda nb: [cell.update(source="one()\n" * 7) for cell in code(nb)]),
    (output_is_clean, put(1, "source", "draw();")),
    (output_is_clean, put(1, "outputs", [new_output("error", ename="OSError")])),
    (output_is_clean, put(1, "outputs", stream("careful!", "stderr"))),
    (output_is_clean, put(1, "outputs", stream("<Net at 0x7f3a>"))),
    (output_is_clean, put(1, "outputs", [new_output("display_data", {WIDGET: {}})])),
    (figures_are_described, put(3, "source", "A line.")),
    (figures_are_described, put(3, "source", "*Figure: a line.*")),
    (figures_are_described, lambda nb: nb.cells[2].outputs.append(nb.cells[2].outputs[0])),
    (figures_are_described, put(0, "source", "![](book.mplstyle)")),
    (links_resolve, put(0, "source", "[next](02_missing.ipynb)")),
    (links_resolve, put(0, "source", "[exercises](#Exercise)")),
    (a_claim_can_fail, put(1, "outputs", [])),
    (a_claim_can_fail, lambda nb: nb.cells[1].update(outputs=nb.cells[2].outputs)),
    (a_claim_can_fail, put(0, "metadata", {"tags": ["question-1"]})),
    (ends_with_exercises, put(4, "source", "The end.")),
    (ends_with_exercises, put(5, "metadata", {})),
    (ends_with_exercises, put(5, "source", "answer = 2\n\ncheck.exercise_1(answer)")),
    (ends_with_exercises, put(5, "source", "answer = ...\n\ncheck.exercise_2(answer)")),
    (ends_with_exercises, put(5, "source", "check.exercise_1(...)\nprint()")),
    (ends_with_exercises, put(5, "outputs", stream("Right."))),
    (ends_with_exercises, put(5, "outputs", [])),
    (few_lines_say_true, put(1, "outputs", stream("equal: True"))),
    (claims_hold, put(1, "outputs", stream("GRU 5.3 ∉ [4.3, 5.2]"))),
    (sources_stand_in_boxes, put(4, "source", "## Exercises\n\nDocument 001 says so.")),
    (sources_stand_in_boxes, put(4, "source", "## Exercises\n\n> Document 001 says so.")),
    (is_small, put(1, "outputs", stream("2" * 600_000))),
]
RULES = list(dict.fromkeys(rule for rule, _ in BREAKERS))


def complaints(rule, nb):
    """Each as a line that names the cell by its id and its first line."""
    for cell, complaint in rule(nb):
        where = f"{cell.id} ({cell.source.partition(chr(10))[0][:60]}): " if cell else ""
        yield where + complaint


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_notebook(rule, path):
    found = list(complaints(rule, nbformat.read(path, as_version=4)))
    assert not found, "\n".join([path.name, *found])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_accepts_a_sound_notebook(rule):
    assert list(complaints(rule, sound())) == []


@pytest.mark.parametrize(("rule", "alter"), BREAKERS, ids=lambda value: value.__name__)
def test_rule_can_fail(rule, alter):
    nb = sound()
    alter(nb)
    assert list(complaints(rule, nb))


def test_the_book_is_found():
    assert {"00_start_here", "03_by_hand"} <= {path.stem for path in NOTEBOOKS}
