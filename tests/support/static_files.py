"""Static files that a test run collects once, for all of its workers: it takes seconds of CPU."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The folder, which pytest's first process makes and its workers inherit.
VARIABLE = "MANTA_TEST_STATIC_FILES"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="manta-static-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(VARIABLE))


def copy_static_files(state_dir: Path) -> None:
    """Spare a first start their collection; it still compares them with their sources."""
    if VARIABLE not in os.environ:
        return  # not under pytest
    shared = Path(os.environ[VARIABLE])
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "static.stamp").exists():
            _collect(shared)
    shutil.copytree(shared / "static", state_dir / "static")
    shutil.copy(shared / "static.stamp", state_dir)


def _collect(shared: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(shared),
        "MANTA_STATE_DIR": str(shared),
        "MANTA_LOCAL": "true",
        "SECRET_KEY": "of-the-static-files",
        "BLAXEL_WORKSPACE_ID": "manta",
        "BLAXEL_API_KEY": "none-is-asked-for",
    }
    command = [sys.executable, "-m", "scripts.prepare", "run"]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
