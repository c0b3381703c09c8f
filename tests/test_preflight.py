"""Each fault is provoked in a process of its own: at most five lines, and the mending command."""

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from gluon_rnn import preflight

FILE = Path(preflight.__file__)
LINUX_X86 = ("Linux", "x86_64")
HEALTHY = """\
Python 3.10 or 3.11      ok
platform with a wheel    ok
system libraries         ok
numpy 1.23               ok
mxnet 1.9.1              ok
gluonnlp 0.10.0          ok
"""

# name: (files that go first on PYTHONPATH, words that the message must have)
PLATFORM = "import platform; platform.system = lambda: {!r}; platform.machine = lambda: {!r}"
FAULTS = {
    "Windows": (
        {"sitecustomize.py": PLATFORM.format("Windows", "AMD64")},
        ["no wheel for Windows", "wsl --install"],
    ),
    "Apple silicon": (
        {"sitecustomize.py": PLATFORM.format("Darwin", "arm64")},
        ["Apple silicon", "uv run --python cpython-3.11-macos-x86_64 jupyter lab"],
    ),
    "another platform": (
        {"sitecustomize.py": PLATFORM.format("Linux", "riscv64")},
        ["Linux on riscv64", "docker run --platform linux/amd64"],
    ),
    "musl": (
        {
            "sitecustomize.py": PLATFORM.format(*LINUX_X86)
            + "\nimport sysconfig; original = sysconfig.get_config_var\n"
            "sysconfig.get_config_var = lambda name: 'musl' if name == 'SOABI' else original(name)"
        },
        ["Linux with musl on x86_64", "docker run --platform linux/amd64"],
    ),
    "no Arm Performance Libraries": (
        {"sitecustomize.py": PLATFORM.format("Linux", "aarch64")},
        ["libarmpl_lp64_mp.so", "conda install", "anaconda::armpl"],
    ),
    "Python 3.12": (
        {
            "sitecustomize.py": """
            import collections, sys
            import IPython  # while it can see the true version, which decides what it imports
            Version = collections.namedtuple("Version", "major minor micro releaselevel serial")
            sys.version_info = Version(3, 12, 1, "final", 0)
            """
        },
        ["Python 3.12", "uv run --python 3.11 jupyter lab"],
    ),
    "numpy 1.26": (
        {"numpy-1.26.4.dist-info/METADATA": "Name: numpy\nVersion: 1.26.4\n"},
        ["numpy 1.26.4", "pip install", "'numpy==1.23.*'"],
    ),
    "another mxnet": (
        {"mxnet-1.8.0.dist-info/METADATA": "Name: mxnet\nVersion: 1.8.0\n"},
        ["mxnet 1.8.0", "pip install", "'mxnet==1.9.1.*'"],
    ),
    "numpy 1.26 under another name": (
        {"mxnet/__init__.py": "raise AttributeError(\"module 'numpy' has no attribute 'bool'\")"},
        ["numpy 1.24 or newer", "pip install", "'numpy==1.23.*'"],
    ),
    "a library that only the import misses": (
        {
            "mxnet/__init__.py": "raise OSError('libstdc++.so.6: cannot open shared object file: "
            "No such file or directory')"
        },
        ["libstdc++.so.6", "apt-get install -y libstdc++6"],
    ),
    "nothing but a Python": (
        {
            "sitecustomize.py": """
            import importlib.metadata as metadata, importlib.util as util
            version, find_spec = metadata.version, util.find_spec
            NEEDED = ("numpy", "mxnet", "gluonnlp")
            def no_version(name):
                if name in NEEDED:
                    raise metadata.PackageNotFoundError(name)
                return version(name)
            metadata.version = no_version
            util.find_spec = lambda name: None if name in NEEDED else find_spec(name)
            """
        },
        [
            "a C compiler",
            "apt-get install -y gcc libc6-dev",
            "lacks numpy, mxnet",
            "uv run jupyter",
        ],
    ),
}
# The loader meets an unreadable library before the system's: no part of Python is faked here.
LIBRARIES = {
    "libquadmath.so.0": "apt-get install -y libquadmath0",
    "libgomp.so.1": "apt-get install -y libgomp1",
}
for library, command in LIBRARIES.items():
    FAULTS[library] = ({library: ""}, [library, command])
WAYS = {
    "python": ["-c", "import gluon_rnn"],
    "ipython": ["-m", "IPython", "--colors=NoColor", "-c", "import gluon_rnn"],
}


def environment(folder, files=()):
    for name, text in dict(files).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text))
    gone = ("CONDA_PREFIX", "CC", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    return kept | {
        "PATH": "",  # no compiler, no package manager but the one assumed
        "PYTHONPATH": os.pathsep.join([str(folder), str(FILE.parents[1])]),
        "LD_LIBRARY_PATH": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def run(arguments, env):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def assert_short(text, words):
    assert all(word in text for word in words), text
    assert "Traceback" not in text
    rows = sum(1 + (len(line) - 1) // 80 for line in text.rstrip("\n").split("\n"))
    assert rows <= 5, f"{rows} rows of 80 columns:\n{text}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_import_says_what_is_wrong_and_what_mends_it(fault, way, tmp_path):
    if fault in LIBRARIES and preflight.platform.system() != "Linux":
        pytest.skip("the wheel takes no library from this system")
    files, words = FAULTS[fault]
    status, text = run(WAYS[way], environment(tmp_path, files))
    assert status == 1
    assert_short(text, words)


def test_jupyter_shows_the_same(tmp_path, monkeypatch):
    files, words = FAULTS["numpy 1.26"]
    for name, value in environment(tmp_path, files).items():
        monkeypatch.setenv(name, value)
    cell = nbformat.v4.new_code_cell("import gluon_rnn")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3").execute()
    (output,) = cell.outputs
    assert output.ename == "MachineError"
    assert_short("\n".join(output.traceback), words)


def test_the_error_can_be_caught_and_others_keep_their_traceback(tmp_path):
    files, _ = FAULTS["numpy 1.26"]
    code = """
    try:
        import gluon_rnn
    except ImportError as error:
        print("caught", type(error).__name__)
    1 / 0
    """
    _, text = run(["-c", textwrap.dedent(code)], environment(tmp_path, files))
    assert text.startswith("caught MachineError")
    assert "Traceback" in text
    assert "ZeroDivisionError" in text


def test_an_unknown_failure_of_mxnet_is_not_explained_away(tmp_path):
    fake = {"mxnet/__init__.py": "raise OSError('something else')"}
    status, text = run(["-c", "import gluon_rnn"], environment(tmp_path, fake))
    assert status == 1
    assert "Traceback" in text
    assert "OSError: something else" in text


def test_the_file_reports_a_healthy_machine(tmp_path):
    assert run([FILE], environment(tmp_path)) == (0, HEALTHY)
    assert preflight.report() + "\n" == HEALTHY


@pytest.mark.parametrize("fault", FAULTS)
def test_the_file_reports_the_same_faults(fault, tmp_path):
    if fault in LIBRARIES and preflight.platform.system() != "Linux":
        pytest.skip("the wheel takes no library from this system")
    files, words = FAULTS[fault]
    status, text = run([FILE], environment(tmp_path, files))
    assert status == 1
    assert_short(text, words[:2])


COMPILERS = {
    "works": ("#!/bin/sh\n", 0, ["Ready", "uv run jupyter lab notebooks/00_start_here.ipynb"]),
    "fails": ("#!/bin/sh\nexit 1\n", 1, ["a C compiler", "gcc libc6-dev"]),
    "finds no Python.h": (
        "#!/bin/sh\nread line\ncase $line in *Python.h*) exit 1;; esac\n",
        1,
        ["the Python headers", "apt-get install -y python3-dev"],
    ),
}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_before_installation_it_tries_the_compiler(compiler, tmp_path):
    script, status, words = COMPILERS[compiler]
    env = environment(tmp_path, {"cc": script}) | {"CC": str(tmp_path / "cc")}
    (tmp_path / "cc").chmod(0o755)
    found, text = run(["-S", FILE], env)  # -S: a Python with no packages
    assert found == status, text
    assert_short(text, words)


def test_many_faults_still_fit(tmp_path):
    files = {"libgomp.so.1": ""} | FAULTS["Python 3.12"][0]
    env = environment(tmp_path, files)
    _, text = run([FILE], env)
    assert_short(text, ["Python 3.12", "uv run --python 3.11", "libgomp.so.1"])
    message = preflight._message([("one", "1"), ("two", "2"), ("three", "3")])
    assert len(message.splitlines()) == 5


@pytest.mark.parametrize(
    ("variable", "tool", "command"),
    [
        ("CONDA_PREFIX", None, "conda install -y -c conda-forge c-compiler libgomp"),
        (None, "dnf", "dnf install -y gcc libgomp"),
        (None, None, "apt-get install -y gcc libc6-dev libgomp1"),
    ],
)
def test_the_command_is_that_of_the_system(variable, tool, command, monkeypatch):
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    monkeypatch.setattr(preflight.platform, "system", lambda: "Linux")
    monkeypatch.setattr(preflight.shutil, "which", lambda name: name if name == tool else None)
    if variable:
        monkeypatch.setenv(variable, "/conda")
    missing = ["a C compiler", "libgomp.so.1"]
    assert preflight._install_from_system(missing)[1].endswith(command)


def test_any_python_can_read_the_file():
    source = FILE.read_text(encoding="ascii")
    ast.parse(source, feature_version=(3, 6))
    modules = {path.stem for path in FILE.parent.glob("*.py")}
    assert not modules & set(sys.stdlib_module_names), "would shadow the standard library"
