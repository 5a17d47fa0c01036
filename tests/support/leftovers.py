"""Ends with a test run whatever it has started, also when the run itself is killed.

Fixtures stop what they have started. When a run is interrupted, pytest-xdist kills its workers
before they come to that, and servers and sandboxes would go on. So each pytest process has a
folder for temporary files of its own, and a watcher that waits for the end of that process: what
still uses the folder then is killed, and the folder is removed.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

ROUNDS = 5
# Where a process shows which folder it belongs to; a sandbox shows it by what is mounted in it.
SIGNS = ("cmdline", "environ", "mountinfo")


def pytest_configure(config: pytest.Config) -> None:
    # pytest's own stay where they were: their paths are long already.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    # Short: a socket's path may have 107 characters.
    folder = tempfile.mkdtemp(prefix="mt-")
    # Some tests start processes as another user.
    os.chmod(folder, 0o711)
    tempfile.tempdir = folder
    command = [sys.executable, "-m", "tests.support.leftovers", folder]
    # In a session of its own, so that Ctrl-C does not reach it.
    watcher = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    config.add_cleanup(lambda: _end(watcher))


def _end(watcher: subprocess.Popen[bytes]) -> None:
    watcher.communicate()
    tempfile.tempdir = None


def using(folder: str) -> list[int]:
    """The ids of the processes that belong to a folder, but for the one that asks."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid() and _shows(entry, folder):
            found.append(int(entry.name))
    return found


def _shows(process: Path, folder: str) -> bool:
    for sign in SIGNS:
        # It has ended, or is somebody else's.
        with suppress(OSError):
            if folder.encode() in (process / sign).read_bytes():
                return True
    return False


def main(folder: str) -> None:
    sys.stdin.read()  # until the other end is closed, however that comes
    # More than once: who is killed last may have started somebody meanwhile.
    for _ in range(ROUNDS):
        for pid in using(folder):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
