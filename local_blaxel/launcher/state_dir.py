"""The state directory of the launcher: its lock, the folder of each sandbox, and files in it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from pathlib import Path
from typing import Any

from .model import LaunchError

INSTANCE = re.compile("[0-9a-f]{16}")
MAX_OF_LOG = 4096
MAX_SOCKET_PATH_LENGTH = 107


def lock(state_dir: Path) -> int:
    """Take the directory for this process; return the file that holds the lock."""
    held = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise LaunchError(f"another local_blaxel is using {state_dir}") from None
    return held


def check_path_length(state_dir: Path) -> None:
    example = state_dir / ("0" * 16) / "control"
    if len(os.fsencode(example)) > MAX_SOCKET_PATH_LENGTH:
        raise LaunchError(
            f"{state_dir} is too long a path for a socket: "
            "set LOCAL_BLAXEL_STATE_DIR to a shorter one"
        )


def folders(state_dir: Path) -> list[Path]:
    return sorted(path for path in state_dir.iterdir() if INSTANCE.fullmatch(path.name))


def remember(folder: Path, known: dict[str, Any]) -> None:
    """Write the processes that make the sandbox of a folder."""
    # Replaced whole: the server may be killed between any two writes.
    draft = folder / "processes.new"
    draft.write_text(json.dumps(known))
    draft.replace(draft.with_name("processes"))


def known(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / "processes").read_text()
    except FileNotFoundError:
        return {"init": None, "awake": []}
    found: dict[str, Any] = json.loads(text)
    return found


def end_of_log(log: Path) -> str:
    """Return the end of a log, however long it is."""
    with open(log, "rb") as file:
        file.seek(-min(MAX_OF_LOG, os.fstat(file.fileno()).st_size), os.SEEK_END)
        return file.read(MAX_OF_LOG).decode(errors="replace")


def listen(path: Path) -> socket.socket:
    """Return a listening socket that the agent inherits: inside, no path leads to it."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(512)
    return listener
