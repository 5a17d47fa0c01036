"""Find the processes of a sandbox again, also after the server was killed and started anew.

Everything the launcher starts for a sandbox carries the instance on its command line. It is random
and never used twice, so a process number that the kernel gave to something else is never mistaken.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

AGENT_MODULE = "local_blaxel.agent"
KILL_SECONDS = 10.0


def has_instance(pid: int, instance: str) -> bool:
    """Return whether the process lives and is the sandbox's; a zombie has no command line."""
    return _marker(instance) in _command_line(pid)


def find(instance: str) -> set[int]:
    return {pid for pid in _all() if has_instance(pid, instance)}


def init_among(pids: set[int]) -> int | None:
    """The first process of the sandbox's own PID namespace, with whose death all of it ends."""
    return next((pid for pid in pids if _namespace_pids(pid)[1:] == ["1"]), None)


def kill(instance: str) -> None:
    """Kill the sandbox's own processes and wait until none is left."""
    deadline = time.monotonic() + KILL_SECONDS
    while (pids := find(instance)) and time.monotonic() < deadline:
        for pid in pids:
            send(pid, signal.SIGKILL)
        reap(pids)
        time.sleep(0.002)


def kill_session(leader: int) -> None:
    """Kill the rest of an unconfined sandbox: all in the session that its agent led."""
    for pid in _all():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def reap(children: set[int]) -> None:
    """Collect those of our children that have ended."""
    for pid in list(children):
        try:
            ended = os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            ended = True
        if ended:
            children.discard(pid)


def _marker(instance: str) -> bytes:
    return f"{AGENT_MODULE}\0{instance}\0".encode()


def _all() -> list[int]:
    if sys.platform == "linux":
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    listing = subprocess.run(["ps", "-axo", "pid="], capture_output=True, check=True)  # noqa: S607
    return [int(pid) for pid in listing.stdout.split()]


def _command_line(pid: int) -> bytes:
    if sys.platform == "linux":
        # Read for every process there is: Path would take three times as long.
        try:
            with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as command_line:
                return command_line.read()
        except OSError:
            return b""
    command = ["ps", "-o", "command=", "-p", str(pid)]
    listing = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return listing.stdout.replace(b" ", b"\0") + b"\0"


def _namespace_pids(pid: int) -> list[str]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return []
    return next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid")), [])
