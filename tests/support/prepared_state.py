"""Results of first starts, which a test run makes once for all of its workers.

Migrations, the collection of static files and what sandboxes run in take seconds of processor time.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from local_blaxel.launcher import LaunchError, runtime
from local_blaxel.launcher.confinement import Bubblewrap

ROOT = Path(__file__).resolve().parents[2]
# The folder, which pytest's first process makes and its workers inherit.
VARIABLE = "MANTA_TEST_PREPARED_STATE"


def make_folder() -> None:
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix="manta-prepared-")


def remove_folder() -> None:
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


def link_runtime(folder: Path) -> None:
    """Spare a launcher whose folder that is the building of its sandboxes' runtime."""
    if VARIABLE not in os.environ:  # for programs of chaos and bench, which need one server
        return
    shared = Path(os.environ[VARIABLE]) / "local_blaxel"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(shared.glob(f"{runtime.PREFIX}*")):
            with suppress(LaunchError):  # for the server to say
                found = Bubblewrap(shared)
                runtime.prepare(shared, found.hidden, needs_folders=found.needs_folders)
    folder.mkdir(parents=True, exist_ok=True)
    for built in shared.glob(f"{runtime.PREFIX}*"):
        (folder / built.name).symlink_to(built)


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
