"""The state directory after a first start, which a test run makes once for all of its workers.

Migrations and the collection of static files take seconds of processor time.
"""

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
VARIABLE = "MANTA_TEST_PREPARED_STATE"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix="manta-prepared-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(VARIABLE))


def prepared_state() -> Path:
    """Return the state directory after a first start; it is to be copied, not changed."""
    shared = Path(os.environ[VARIABLE])
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "state").exists():
            (shared / "unfinished").mkdir()
            prepare(shared / "unfinished")
            (shared / "unfinished").rename(shared / "state")
    return shared / "state"


def copy_static_files(state_dir: Path) -> None:
    """Spare a first start their collection; it still compares them with their sources."""
    shutil.copytree(prepared_state() / "static", state_dir / "static")
    shutil.copy(prepared_state() / "static.stamp", state_dir)


def prepare(state_dir: Path) -> None:
    """Do what a first start does before its processes run."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(state_dir),
        "MANTA_STATE_DIR": str(state_dir),
        "MANTA_LOCAL": "true",
        "SECRET_KEY": "of-the-prepared-state",
        "BLAXEL_WORKSPACE_ID": "manta",
        "BLAXEL_API_KEY": "none-is-asked-for",
    }
    command = [sys.executable, "-m", "scripts.prepare", "run"]
    subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
