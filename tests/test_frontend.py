"""The bundles in static: what frontend and package-lock.json build."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
FRONTEND = ROOT / "frontend"
ENTRIES = {"styles/manta.css", "workspace/workspace.js", "workspace/styles/workspace.css"}
IMPORTED = re.compile(r'\bimport\b[^;]*?"(\.[^"]+)"')
BUILT_FROM = ("package.json", "package-lock.json", ".npmrc")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """The sources with exactly the packages that the lock names."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("There is no npm here.")
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "frontend", tmp_path / "frontend")
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, check=False)
    if re.search(r"npm error (network|code E(NOTFOUND|CONN|AI_AGAIN|TIMEDOUT))", done.stderr):
        pytest.skip("npm can't reach its registry.")
    assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.process
def test_a_new_build_is_what_is_committed(frontend: Path) -> None:
    subprocess.run(["node", "frontend/build.js"], cwd=frontend, check=True)

    built, committed = contents(frontend / "static"), contents(STATIC)
    assert [name for name in built if built[name] != committed.get(name)] == []
    assert {name for name in committed if name.startswith("vendor/")} < built.keys()


def test_the_workspace_is_one_script_until_a_library_is_needed() -> None:
    script = (STATIC / "js/workspace.js").read_text()

    assert re.findall(r'\bimport\("\.\./vendor/(\w+)-', script)
    assert not re.findall(r'\b(?:import|from)"', script)


def test_every_module_and_style_is_bundled() -> None:
    sources = [*FRONTEND.glob("*/**/*.js"), *FRONTEND.glob("*/**/*.css")]
    imported = {
        (source.parent / path).resolve()
        for source in sources
        for path in IMPORTED.findall(source.read_text())
    }

    assert {path for path in sources if str(path.relative_to(FRONTEND)) not in ENTRIES} == imported


@pytest.mark.exhaustive
def test_the_lock_names_packages_and_hashes_but_no_address() -> None:
    lock = (ROOT / "package-lock.json").read_text()

    assert "integrity" in lock
    assert "://" not in re.sub(r'"url": "[^"]*"', "", lock)


def test_what_is_built_comes_with_its_licences() -> None:
    licences = (VENDOR / "LICENCES.txt").read_text()

    assert re.findall(r"^@(?:codemirror/view|xterm/xterm) .*\(MIT\)$", licences, re.MULTILINE)
    assert "Permission is hereby granted" in licences
