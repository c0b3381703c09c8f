"""The set-up installs what it promises: same versions everywhere, an empty environment suffices."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from gluon_rnn import preflight

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text()
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "x86_64")]
PYTHONS = ["3.10.13", "3.11.7"]
UV = os.environ.get("UV") or shutil.which("uv")
TEST_COMMAND = "uv run pytest"
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "timeout": 900}


def run(*command, cwd, **variables):
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | variables
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, **PIPES)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def pinned(lines, environment=None):
    """{name: version} of the lines that apply to an environment; a version must be exact."""
    versions = {}
    for line in lines.splitlines():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", line
            assert requirement.name not in versions, f"{line}: a second version"
            versions[canonicalize_name(requirement.name)] = specifier.version
    return versions


def needed(requirements):
    """Names of the distributions these requirements bring into this environment, themselves too."""
    found, todo = set(), [(Requirement(text), "") for text in requirements]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for extra in {"", *requirement.extras}:
            key = (canonicalize_name(requirement.name), extra)
            if key not in found:
                found.add(key)
                texts = distribution(requirement.name).requires or []
                todo += [(Requirement(text), extra) for text in texts]
    return {name for name, _ in found}


def test_constraints_hold_here_in_both_directions():
    constrained = pinned(CONSTRAINTS)
    expected, installed = {}, {}
    for name in needed([*PROJECT["dependencies"], *itertools.chain(*EXTRAS.values())]):
        expected[name] = constrained.get(name, "no line in constraints.txt")
        installed[name] = distribution(name).version
    for name, version in constrained.items():
        try:
            installed[name] = distribution(name).version
        except PackageNotFoundError:
            continue  # an extra that is not installed
        expected[name] = version
    assert len(installed) > 100
    assert installed == expected


@pytest.mark.skipif(not UV or not (ROOT / "uv.lock").exists(), reason="installed without uv")
@pytest.mark.parametrize(("system", "machine"), MACHINES)
@pytest.mark.parametrize("python", PYTHONS)
def test_constraints_are_what_uv_installs(python, system, machine):
    options = "--frozen -q --all-extras --no-emit-project --no-hashes --no-annotate --no-header"
    lock = run(UV, "export", *options.split(), cwd=ROOT)
    environment = {
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "platform_machine": machine,
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    assert pinned(CONSTRAINTS, environment) == pinned(lock, environment)


def test_constraints_name_no_host():
    for line in CONSTRAINTS.splitlines():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [\w .'<>=!()]+)?", line), line


def test_preflight_and_pyproject_agree():
    wanted = {Requirement(text).name: Requirement(text) for text in PROJECT["dependencies"]}
    for name, version in preflight.NEEDED.items():
        major, minor = version.split(".")[:2]
        assert wanted[name].specifier.contains(version)
        assert not wanted[name].specifier.contains(f"{major}.{int(minor) + 1}")
        assert not wanted[name].specifier.contains(f"{major}.{int(minor) - 1}")
    pythons = SpecifierSet(PROJECT["requires-python"])
    minors = [minor for minor in range(30) if pythons.contains(f"3.{minor}")]
    assert [(3, minor) for minor in minors] == list(preflight.PYTHONS)
    machines = [
        f"sys_platform == '{system.lower()}' and platform_machine == '{machine}'"
        for system, machine in preflight.LIBRARIES
    ]
    assert PYPROJECT["tool"]["uv"]["required-environments"] == machines


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The files git knows, elsewhere: what a stranger gets."""
    copy = tmp_path_factory.mktemp("clone") / "gluon_rnn"
    if (ROOT / ".git").exists():
        for name in run("git", "ls-files", "-z", cwd=ROOT).split("\0")[:-1]:
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
    else:
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
    return copy


def empty_environment(folder):
    """(a Python without packages, its installer)"""
    if UV:
        run(UV, "venv", "-q", "--no-project", "--python", sys.executable, folder, cwd=ROOT)
        python = folder / "bin" / "python"
        return python, [UV, "pip", "install", "-q", "--python", python]
    run(sys.executable, "-m", "venv", folder, cwd=ROOT)
    python = folder / "bin" / "python"
    return python, [python, "-m", "pip", "install", "-q"]


def pip_section():
    everything = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (section,) = [item["pip"] for item in everything if isinstance(item, dict)]
    return section, [item for item in everything if isinstance(item, str)]


def test_environment_yml_names_all_that_is_needed():
    section, packages = pip_section()
    assert {"pip", "c-compiler"} <= set(packages)
    (python,) = [item.partition("=")[2] for item in packages if item.startswith("python=")]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)
    assert section == ["--constraint constraints.txt", f"--editable .[{','.join(EXTRAS)}]"]


STEP = """
import mxnet as mx, gluon_rnn
cell = gluon_rnn.ElmanCell(2)
cell.initialize()
output, states = cell(mx.nd.ones((3, 4)), cell.begin_state(3))
print(gluon_rnn.__file__, output.shape)
"""


def test_environment_yml_installs_into_an_empty_environment(clone, tmp_path):
    python, install = empty_environment(tmp_path / "environment")
    section, _ = pip_section()
    # conda does just this: a requirements file beside environment.yml, then pip
    (clone / "condaenv.requirements.txt").write_text("\n".join(section))
    run(*install, "-r", "condaenv.requirements.txt", cwd=clone)
    assert run(python, "gluon_rnn/preflight.py", cwd=clone) == preflight.report() + "\n"
    found = run(python, "-c", STEP, cwd=tmp_path, PYTHONPATH="")
    assert found == f"{clone / 'gluon_rnn' / '__init__.py'} (3, 2)\n"
    code = "from importlib.metadata import *\nfor d in distributions(): print(d.name, d.version)"
    lines = run(python, "-c", code, cwd=tmp_path).splitlines()
    versions = {canonicalize_name(name): version for name, version in map(str.split, lines)}
    versions.pop("pip", None)
    assert versions == pinned(CONSTRAINTS) | {"gluon-rnn": PROJECT["version"]}


def test_the_wheel_holds_the_package_and_its_licence(clone, tmp_path):
    if UV:
        run(UV, "build", "-q", "--wheel", "--out-dir", tmp_path, cwd=clone)
    else:
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ".", cwd=clone)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    info = f"gluon_rnn-{PROJECT['version']}.dist-info"
    assert f"{info}/licenses/LICENSE" in names
    modules = sorted(name for name in names if not name.startswith(info))
    package = (clone / "gluon_rnn").rglob("*.py")
    assert modules == sorted(str(path.relative_to(clone)) for path in package)


def test_readme_and_ci_give_the_same_commands():
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert ci.rstrip().endswith(f"\n{TEST_COMMAND}")
    assert f"\n    {TEST_COMMAND} " in readme
    assert f"\n    uv run {preflight.OPEN_BOOK} " in readme
    things = ["a C compiler", "the Python headers", *preflight.LIBRARIES["Linux", "x86_64"]]
    packages = " ".join(preflight.PACKAGES[thing][0] for thing in things)
    assert f"apt-get update && apt-get install -y {packages}\n" in readme
    assert f"install {packages}\n" in ci


@pytest.mark.parametrize(("name", "most"), [("README.md", 65), ("CONTRIBUTING.md", 60)])
def test_documents_are_short_and_their_links_lead_somewhere(name, most):
    text = (ROOT / name).read_text()
    assert len(text.splitlines()) <= most
    links = re.findall(r"\]\((?!https?://)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []
