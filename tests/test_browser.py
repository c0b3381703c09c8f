"""What a reader does: open a notebook in JupyterLab, run all of it from the menu, move a slider."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import nbformat
import psutil
import pytest
from book import BOOK, code_cells, text
from playwright.sync_api import expect, sync_playwright

IS_ROOT = os.getuid() == 0
MINUTE = 60_000  # Playwright counts milliseconds
CELLS = ".jp-NotebookPanel .jp-CodeCell"
OUTPUTS = f"{CELLS} .jp-OutputArea-output"
# No question about news; every cell in the page, also those far below.
PREFERENCES = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
expect.set_options(timeout=MINUTE)


@contextmanager
def jupyterlab(folder, stem):
    """The README's command, run in `folder`; yields the page that it would open."""
    for name, preference in PREFERENCES.items():
        file = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(preference))
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = os.environ | {name: str(folder / place) for name, place in own.items()}
    environment.pop("TQDM_DISABLE")  # the reader sees progress bars
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", f"notebooks/{stem}.ipynb", "--no-browser"]
            + ["--allow-root"] * IS_ROOT,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(120):
            if pages := list(folder.glob("runtime/*file-to-run*.html")):
                break
            assert server.poll() is None, log.read_text()
            time.sleep(1)
        yield pages[0].as_uri()
    finally:
        kernels = psutil.Process(server.pid).children(recursive=True)
        server.terminate()
        server.wait(timeout=30)
        for left in psutil.wait_procs(kernels, timeout=10)[1]:
            left.kill()


def choose(page, menu, entry):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def count(cells, found):
    return sum(found(output) for cell in cells for output in cell.outputs)


@pytest.mark.browser
@pytest.mark.parametrize("stem", ["00_start_here", "03_by_hand"])
def test_reader_runs_all_cells(stem, tmp_path, chromium):
    shutil.copytree(BOOK, tmp_path / "notebooks")
    stored = code_cells(nbformat.read(BOOK / f"{stem}.ipynb", as_version=4))
    pictures = count(stored, lambda output: "image/png" in output.get("data", {}))
    failures = count(stored, lambda output: output.output_type == "error")
    last = [text(o) for cell in stored for o in cell.outputs if o.get("name") == "stdout"][-1]
    with jupyterlab(tmp_path, stem) as address, sync_playwright() as playwright:
        options = ["--no-sandbox"] * IS_ROOT
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(MINUTE)
        page.goto(address)
        expect(page.locator(CELLS)).to_have_count(len(stored), timeout=3 * MINUTE)

        # Opened and not yet run: every figure is there, a whole drawing in a slider's place.
        expect(page.locator(f"{OUTPUTS} img")).to_have_count(pictures)
        expect(page.get_by_text("| Idle")).to_be_visible()
        page.screenshot(path=tmp_path / "opened.png")

        # Run: the stored outputs are cleared first, so that what is seen is new.
        choose(page, "Edit", "Clear Outputs of All Cells")
        expect(page.locator(OUTPUTS)).to_have_count(0)
        choose(page, "Run", "Run All Cells")
        prompts = page.locator(f"{CELLS} .jp-InputPrompt")
        ran = [re.compile(r"\[\d+\]")] * len(stored)
        expect(prompts).to_have_text(ran, timeout=5 * MINUTE)
        tracebacks = page.locator(OUTPUTS, has_text="Traceback (most recent call last)")
        expect(tracebacks).to_have_count(failures)
        printed = page.locator(f"{OUTPUTS}[data-mime-type$=stdout]")
        expect(printed.last).to_have_text(last.strip(), use_inner_text=True)
        page.screenshot(path=tmp_path / "run.png")

        # A slider moves: the picture beside it changes.
        if sliders := page.locator(".noUi-handle").all():
            picture = page.locator("img.widget-image").first
            before = picture.get_attribute("src")
            sliders[0].press("ArrowRight")
            expect(picture).not_to_have_attribute("src", before)
            page.screenshot(path=tmp_path / "moved.png")
        browser.close()


@pytest.mark.browser
def test_reader_walks_through_the_cells(tmp_path, chromium):
    """The walks of SRN, GRU and LSTM, in one notebook of their own: moved, changed, and misused."""
    shutil.copytree(BOOK, tmp_path / "notebooks")
    cells = []
    for stem in ("02_recurrence", "08_gru", "09_lstm"):
        nb = nbformat.read(BOOK / f"{stem}.ipynb", as_version=4)
        walks = [c for c in code_cells(nb) if c.source.startswith("from walk import walk")]
        cells += [code_cells(nb)[0], *walks]
    for k, cell in enumerate(cells):
        cell.id = f"cell-{k:02}"
    assert len(cells) == 6
    walks = nbformat.v4.new_notebook(cells=cells, metadata=nb.metadata)
    nbformat.write(walks, tmp_path / "notebooks" / "walks.ipynb")
    with jupyterlab(tmp_path, "walks") as address, sync_playwright() as playwright:
        options = ["--no-sandbox"] * IS_ROOT
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(MINUTE)
        page.goto(address)
        expect(page.locator(CELLS)).to_have_count(len(cells), timeout=3 * MINUTE)
        expect(page.locator(f"{OUTPUTS} img")).to_have_count(3)  # whole pictures, without a kernel
        expect(page.get_by_text("| Idle")).to_be_visible()
        choose(page, "Run", "Run All Cells")
        handles, pictures = page.locator(".noUi-handle"), page.locator("img.widget-image")
        expect(handles).to_have_count(3, timeout=3 * MINUTE)
        boxes, selects = page.locator(".widget-text input"), page.locator(".widget-dropdown select")
        for k in range(3):
            picture = pictures.nth(k)
            before = picture.get_attribute("src")
            handles.nth(k).press("ArrowLeft")
            expect(picture).not_to_have_attribute("src", before)
            moved = picture.get_attribute("src")
            selects.nth(k).select_option("x 1")
            boxes.nth(k).fill("abc")
            boxes.nth(k).press("Enter")
            expect(
                page.get_by_text("A number from −1000 to 1000, please, not 'abc'.")
            ).to_have_count(1)
            assert picture.get_attribute("src") == moved
            boxes.nth(k).fill("-0.5")
            boxes.nth(k).press("Enter")
            expect(picture).not_to_have_attribute("src", moved)
            expect(page.get_by_text("A number from")).to_have_count(0)
            page.screenshot(path=tmp_path / f"walk{k}.png")
        browser.close()
