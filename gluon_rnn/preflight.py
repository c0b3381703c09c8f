"""Say in at most five lines what keeps gluon_rnn from running here, and the command that mends it.

Runs before anything is installed: ``python3 gluon_rnn/preflight.py``. Hence only the standard
library, only ASCII, and nothing that a Python as old as 3.6 could not parse.
"""

import ctypes
import importlib.util
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig

__all__ = ["MachineError", "check", "problems", "report"]

PYTHONS = ((3, 10), (3, 11))  # numpy 1.23 has no wheel for 3.12
NEEDED = {"numpy": "1.23", "mxnet": "1.9.1", "gluonnlp": "0.10.0"}  # numpy 1.24 removed np.bool

# What each wheel of MXNet 1.9.1 takes from the system: the libraries it needs and does not bundle.
ARM = "libarmpl_lp64_mp.so"
LIBRARIES = {
    ("Linux", "x86_64"): ("libquadmath.so.0", "libgomp.so.1"),
    ("Linux", "aarch64"): ("libgomp.so.1", ARM),
    ("Darwin", "x86_64"): (),
}
PACKAGES = {  # missing thing: its package in (Debian, Fedora, conda-forge)
    "a C compiler": ("gcc libc6-dev", "gcc", "c-compiler"),
    "the Python headers": ("python3-dev", "python3-devel", "python"),
    "libquadmath.so.0": ("libquadmath0", "libquadmath", "libgfortran5"),
    "libgomp.so.1": ("libgomp1", "libgomp", "libgomp"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++", "libstdcxx"),
    ARM: (None, None, "anaconda::armpl"),  # the Arm Performance Libraries
}

OPEN_BOOK = "jupyter lab notebooks/00_start_here.ipynb"
IN_A_CONTAINER = (
    "docker run --platform linux/amd64 -it -p 8888:8888 -v $PWD:/book -w /book python:3.11 "
    f"sh -c 'pip install uv && uv run {OPEN_BOOK} --ip 0.0.0.0 --allow-root'"
)


class MachineError(ImportError):
    """This machine cannot run gluon_rnn as it is; the message says why, and what mends it."""

    def _render_traceback_(self):  # what IPython and Jupyter show in place of a traceback
        return str(self).splitlines()


def check():
    """Import MXNet; raises a `MachineError` where that cannot work here."""
    found = problems() or _import_mxnet()
    if found:
        _hide_traceback()
        raise MachineError(_message(found))


def problems(installing=False):
    """List of (what is wrong, the command that mends it), empty on a healthy machine.

    installing: True before the installation, when a package not yet there is no fault.
    """
    if (platform.system(), platform.machine()) not in LIBRARIES or _musl():
        return [_no_wheel()]
    found = []
    if sys.version_info[:2] not in PYTHONS:
        found.append(_wrong_python())
    missing = _missing_from_system()
    if missing:
        found.append(_install_from_system(missing))
    if sys.version_info[:2] in PYTHONS:
        found.extend(_distributions(installing))
    return found


def report():
    """A line for each condition and 'ok', the same on every healthy machine; else what to do."""
    names = ["Python 3.10 or 3.11", "platform with a wheel", "system libraries"]
    names += [f"{name} {version}" for name, version in NEEDED.items()]
    return _message(problems()) or "\n".join(f"{name:<24} ok" for name in names)


def _message(found):
    """Two lines for each of the first two problems and one for the rest."""
    lines = [line for what, command in found[:2] for line in (what, "  " + command)]
    if found[2:]:
        lines.append("Then try again: something else is missing, too.")
    return "\n".join(lines)


def _hide_traceback():
    """Let plain Python print the message of a MachineError alone, and all else as before."""
    previous = sys.excepthook

    def hook(kind, error, traceback):
        if isinstance(error, MachineError):
            print(error, file=sys.stderr)
        else:
            previous(kind, error, traceback)

    sys.excepthook = hook


def _musl():
    return "musl" in (sysconfig.get_config_var("SOABI") or "")


def _no_wheel():
    system, machine = platform.system(), platform.machine()
    if system == "Windows":
        return "MXNet has no wheel for Windows; WSL 2 gives you a Linux.", "wsl --install"
    if system == "Darwin":
        what = "MXNet has no wheel for Apple silicon; an x86-64 Python (Rosetta) can use one."
        return what, f"uv run --python cpython-3.11-macos-x86_64 {OPEN_BOOK}"
    libc = "with musl " if _musl() else ""
    return f"MXNet has no wheel for {system} {libc}on {machine}.", IN_A_CONTAINER


def _wrong_python():
    here = ".".join(map(str, sys.version_info[:2]))
    what = f"This is Python {here}; MXNet 1.9.1 needs Python 3.10 or 3.11."
    return what, f"uv run --python 3.11 {OPEN_BOOK}"


def _missing_from_system():
    libraries = LIBRARIES[platform.system(), platform.machine()]
    missing = [name for name in libraries if not _loads(name)]
    if _version("gluonnlp") is None:  # it will be built from source
        missing += _missing_for_build()
    return missing


def _loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _missing_for_build():
    """Try what a build does first: compile a file that includes Python.h."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    compiler = shutil.which(compiler) or shutil.which("cc")
    if compiler is None:
        return ["a C compiler"]
    command = [compiler, "-fsyntax-only", "-x", "c", "-I", sysconfig.get_path("include"), "-"]
    for header, thing in (("stdio.h", "a C compiler"), ("Python.h", "the Python headers")):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(command, input=f"#include <{header}>\n".encode(), **quiet).returncode:
            return [thing]
    return []


def _install_from_system(missing):
    root = "" if os.geteuid() == 0 else "sudo "
    if platform.system() == "Darwin":
        command = "xcode-select --install"
    elif os.environ.get("CONDA_PREFIX") or ARM in missing:
        command = _with("conda install -y -c conda-forge", missing, 2)
    elif shutil.which("dnf"):
        command = _with(root + "dnf install -y", missing, 1)
    else:
        command = _with(f"{root}apt-get update && {root}apt-get install -y", missing, 0)
    return f"Missing on this machine: {', '.join(missing)}.", command


def _with(installer, missing, column):
    return " ".join([installer] + [PACKAGES[thing][column] for thing in missing])


def _version(distribution):
    try:
        from importlib.metadata import PackageNotFoundError, version
    except ImportError:  # Python 3.7 and older
        return None
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _distributions(installing):
    missing, wrong = [], []
    for name, needed in NEEDED.items():
        version = _version(name)
        if version is None:
            if importlib.util.find_spec(name) is None:  # else it is mxnet-cu112, or built here
                missing.append(name)
        elif not f"{version}.".startswith(f"{needed}."):
            wrong.append((name, version))
    if missing:  # then `uv run` makes another environment: nothing here matters to it
        problem = (f"This Python lacks {', '.join(missing)}.", f"uv run {OPEN_BOOK}")
        return [] if installing else [problem]
    return [_wrong_versions(wrong)] if wrong else []


def _wrong_versions(wrong):
    found = ", ".join(f"{name} {version}" for name, version in wrong)
    needed = ", ".join(f"{name} {NEEDED[name]}" for name, _ in wrong)
    pip = f"{shlex.quote(sys.executable)} -m pip install"
    if importlib.util.find_spec("pip") is None:
        pip = f"uv pip install --python {shlex.quote(sys.executable)}"
    command = " ".join([pip] + [f"'{name}=={NEEDED[name]}.*'" for name, _ in wrong])
    return f"This Python has {found}; needed: {needed}. Restart it after this:", command


def _import_mxnet():
    """The problems that only the import itself shows; any other error passes unchanged."""
    try:
        import mxnet  # noqa: F401
    except OSError as error:
        match = re.match(r"(\S+): cannot open shared object file", str(error))
        if match and match.group(1) in PACKAGES:
            return [_install_from_system([match.group(1)])]
        raise
    except AttributeError as error:
        if "module 'numpy' has no attribute" in str(error):
            return [_wrong_versions([("numpy", "1.24 or newer")])]
        raise
    return []


def _main():
    sys.path.pop(0)  # this file's folder: the package's modules are not top-level modules
    installed = _version("mxnet") is not None
    found = problems(installing=not installed)
    if installed and not found:
        found = _import_mxnet()
    if found:
        print(_message(found))
    elif installed:
        print(report())
    else:
        print(f"Ready. This installs everything and opens the book:\n  uv run {OPEN_BOOK}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(_main())
