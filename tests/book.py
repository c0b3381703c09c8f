"""The book's outputs: store them, and prove that comparing them can fail.

    uv run python tests/book.py store [NOTEBOOK ...]     format, run in a fresh kernel, store outputs

NOTEBOOK is a path or a stem such as 03_by_hand; none means every notebook in notebooks/.
"""

import argparse
import base64
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

BOOK = Path(__file__).parents[1] / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def execute(nb):
    """Run every cell of `nb` in a fresh kernel, in place, as `pytest --nbval` does."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    NotebookClient(
        nb,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": BOOK}},
        extra_arguments=["--log-level=ERROR"],  # no warning about unencrypted TCP
        store_widget_state=False,
    ).execute()


def plain_png(data):
    """The same picture, base64, without the text chunks that name the software's version."""
    png = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(data))).save(png, "PNG", optimize=True)
    return base64.b64encode(png.getvalue()).decode() + "\n"


def normalise(nb):
    """Remove from an executed notebook all that differs between two runs or two machines."""
    nb.metadata = nbformat.from_dict(METADATA)
    nb.nbformat, nb.nbformat_minor = 4, 5
    for number, cell in enumerate(nb.cells, 1):
        cell.id = f"cell-{number:02}"
        cell.metadata = {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
        if cell.cell_type != "code":
            continue
        merged = []
        for output in cell.outputs:
            if output.output_type == "error":  # the frames hold paths of this machine
                output.traceback = [f"{output.ename}: {output.evalue}"]
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = plain_png(output.data["image/png"])
                output.data.pop(WIDGET, None)  # read without a kernel, the picture stands there
            if output.get("metadata"):
                output.metadata = {}
            last = merged[-1] if merged else {}
            if output.output_type == "stream" and output.name == last.get("name"):
                last.text += output.text
            else:
                merged.append(output)
        cell.outputs = merged
    return nb


def store(notebooks):
    """Format the code, run it, and write the notebook with its outputs."""
    for path in notebooks:
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
        nb = nbformat.read(path, as_version=4)
        try:
            execute(nb)
        except CellExecutionError as error:
            sys.exit(f"{path.name} is left as it was: {error}")
        nbformat.write(normalise(nb), path)
        print(f"stored {path.name}: {path.stat().st_size // 1000} kB")


def notebook(name):
    """A notebook's path from a path or a stem."""
    path = Path(name) if name.endswith(".ipynb") else BOOK / f"{name}.ipynb"
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such notebook: {path}")
    return path


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    for command in (store,):
        sub = commands.add_parser(command.__name__, help=command.__doc__.splitlines()[0])
        sub.add_argument("notebooks", nargs="*", type=notebook, default=sorted(BOOK.glob("*.ipynb")))
        sub.set_defaults(command=command)
    arguments = vars(parser.parse_args())
    return arguments.pop("command")(**arguments)


if __name__ == "__main__":
    sys.exit(main())
