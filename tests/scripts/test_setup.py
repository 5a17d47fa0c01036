import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import install

ROOT = Path(__file__).resolve().parent.parent.parent
OLD_PYTHON = 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac'
WITHOUT_VENV = 'case "$2" in *venv*) exit 1 ;; esac'


class Machine:
    """A checkout, and a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "manta"
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ROOT / "scripts", self.checkout / "scripts")
        for lock in ROOT.glob("requirements*.lock"):
            shutil.copy(lock, self.checkout)
        for name in ("sh", "dirname", "env"):
            (self.bin / name).symlink_to(shutil.which(name))
        self.has("uname", "echo Linux")
        self.has("id", "echo 1000")

    def has(self, name: str, script: str = "exit 0") -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def has_everything_installed(self, purpose: str) -> None:
        self.has("python3", f'exec {sys.executable} "$@"')
        venv = self.checkout / ".venv" / "bin"
        venv.mkdir(parents=True)
        (venv / "python").symlink_to(sys.executable)
        (venv.parent / "installed").write_text(install.stamp(purpose))

    def set_up(self, purpose: str = "run") -> subprocess.CompletedProcess:
        command = [self.bin / "sh", self.checkout / "scripts" / "setup.sh", purpose]
        environ = {"PATH": str(self.bin)}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """scripts/install.py with a .venv of its own."""
    monkeypatch.setattr(install, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(install, "STAMP", tmp_path / "installed")
    return install


def test_an_old_python_is_told_in_one_line_with_the_command_that_helps(machine):
    machine.has("python3", OLD_PYTHON)

    result = machine.set_up()

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "3.11 or newer is needed; here: Python 3.9.2" in result.stderr
    assert "sudo apt-get install python3 python3-venv" in result.stderr


def test_a_missing_venv_module_is_told_in_one_line_with_the_command_that_helps(machine):
    machine.has("python3", WITHOUT_VENV)

    result = machine.set_up()

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "sudo apt-get install python3-venv" in result.stderr


def test_nothing_is_done_when_everything_is_there(machine):
    machine.has_everything_installed("run")
    machine.has("bwrap")

    result = machine.set_up()

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_an_ordinary_user_is_told_how_to_install_bubblewrap(machine):
    machine.has_everything_installed("run")
    machine.has("apt-get", "exit 1")
    machine.has("sudo", "exit 1")

    result = machine.set_up()

    assert result.returncode == 0
    assert "To install it: sudo apt-get install bubblewrap" in result.stderr


def test_whoever_may_use_sudo_without_a_password_gets_what_is_missing(machine):
    machine.has_everything_installed("test")
    machine.has("sudo", 'shift; exec "$@"')
    machine.has("true")
    machine.has("apt-get", 'echo "$*" >>"$0.log"')

    result = machine.set_up("test")

    assert result.returncode == 0
    asked = (machine.bin / "apt-get.log").read_text().splitlines()
    assert [line.split()[-3:] for line in asked] == [
        ["install", "-y", "bubblewrap"],
        ["install", "-y", "chromium-headless-shell"],
    ]


def test_a_run_needs_no_chromium(machine):
    machine.has_everything_installed("run")
    machine.has("bwrap")

    assert "chromium" not in machine.set_up().stderr


def test_serving_a_team_takes_what_a_run_does_and_no_bubblewrap(machine):
    machine.has_everything_installed("run")

    result = machine.set_up("serve")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_what_tests_installed_serves_a_run_too(checkout):
    checkout.STAMP.write_text(checkout.stamp("test"))

    assert checkout.is_installed("run")


def test_what_a_run_installed_is_not_enough_for_tests(checkout):
    checkout.STAMP.write_text(checkout.stamp("run"))

    assert not checkout.is_installed("test")


def test_a_changed_lock_is_installed_again(checkout, tmp_path, monkeypatch):
    checkout.STAMP.write_text(checkout.stamp("run"))
    changed = tmp_path / "requirements.lock"
    changed.write_text("other==1\n")
    monkeypatch.setitem(checkout.LOCKS, "run", changed)

    assert not checkout.is_installed("run")


def test_an_installation_that_broke_off_is_done_again(checkout):
    assert not checkout.is_installed("run")


def test_uv_looks_where_pip_looks(checkout, tmp_path, monkeypatch):
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = file:///a\nextra-index-url = file:///b file:///c\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", "file:///from-the-environment")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    options = checkout.uv_options(checkout.pip_settings())

    assert options[:2] == ["--default-index", "file:///from-the-environment"]
    assert options[-4:] == ["--index", "file:///b", "--index", "file:///c"]


def test_a_machine_without_an_index_stays_offline(checkout):
    assert checkout.uv_options({"no-index": ["true"], "find-links": ["wheels"]}) == [
        "--find-links",
        "wheels",
        "--no-index",
    ]
