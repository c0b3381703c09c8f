"""What every test run has: a quiet environment, a plan for the workers, a word on the browser."""

import os
import re
import shutil
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

# Set before a worker or a kernel starts. Stored outputs hold no progress bars; the workers already
# use every core; and where threads outnumber cores, a waiting one must not spin (20-fold cost).
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


class ByNotebook(LoadScopeScheduling):
    """One file's tests on one worker; of tests with a notebook in brackets, one notebook's."""

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        return file + "".join(re.findall(r"\[\d\d_\w+", test)[:1])


@pytest.hookimpl(optionalhook=True)  # `-p no:xdist` is no error
def pytest_xdist_make_scheduler(config, log):
    if config.getoption("dist") == "loadfile":
        return ByNotebook(config, log)


def pytest_configure(config):
    if getattr(config.option, "nbval", False) and config.option.nbval_sanitize_with is None:
        # Where a claim is compared, the measured number is not.
        claims = Path(__file__).parent / "notebooks" / "claims.cfg"
        config.option.nbval_sanitize_with = str(claims)


def pytest_collection_modifyitems(config, items):
    if CHROMIUM is None:
        browser = [item for item in items if item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=browser)
        items[:] = [item for item in items if item not in browser]


def pytest_terminal_summary(terminalreporter):
    if CHROMIUM is None:
        terminalreporter.write_line(
            f"Left out: the tests marked 'browser', for none of {', '.join(BROWSERS)} is on PATH.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def chromium():
    return CHROMIUM
