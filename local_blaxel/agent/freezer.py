"""Standby where no cgroup freezer is: stop every process by signals so that no shell notices.

A shell that sees its foreground job stopped takes its terminal back ("[1]+ Stopped"). So parents
are stopped first, each seen to be stopped before its children are, and children continue first.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

SETTLE_SECONDS = 2.0
STOPPED, GONE = "Tt", "ZX"


@dataclass(frozen=True)
class Task:
    pid: int
    parent: int
    state: str
    has_terminal: bool


class Freezer:
    def __init__(self, *, is_isolated: bool) -> None:
        self._is_isolated = is_isolated
        self._stopped: list[int] = []

    async def freeze(self) -> None:
        """Stop everything but the agent. What was already stopped stays so after `thaw`."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            running = [level for level in self._levels() if level]
            if not running:
                return
            for task in running[0]:
                self._stop(task)
            await self._settle(running[0], deadline)

    async def thaw(self) -> None:
        for pid in reversed(self._stopped):
            _signal(pid, signal.SIGCONT)
        self._stopped.clear()

    def _stop(self, task: Task) -> None:
        _signal(task.pid, signal.SIGSTOP)
        self._stopped.append(task.pid)

    async def _settle(self, level: list[Task], deadline: float) -> None:
        """Wait until those that a shell could watch are seen stopped."""
        watched = {task.pid for task in level if task.has_terminal}
        while watched and time.monotonic() < deadline:
            await asyncio.sleep(0)
            watched &= {task.pid for task in self._others() if task.state not in STOPPED + GONE}

    def _levels(self) -> list[list[Task]]:
        """The processes that still run, by their distance from the root of the tree."""
        tasks = {task.pid: task for task in self._others()}
        levels: dict[int, list[Task]] = {}
        for task in tasks.values():
            if task.state in STOPPED + GONE:
                continue
            depth, parent = 0, task.parent
            while parent in tasks and depth < len(tasks):
                depth, parent = depth + 1, tasks[parent].parent
            levels.setdefault(depth, []).append(task)
        return [levels[depth] for depth in sorted(levels)]

    def _others(self) -> list[Task]:
        """Every process of the sandbox, without the agent and the namespace's init."""
        tasks = _tasks()
        if self._is_isolated:
            return [task for task in tasks if task.pid not in (1, os.getpid())]
        mine = {task.pid for task in tasks if _session(task.pid) == os.getsid(0)}
        while found := {task.pid for task in tasks if task.parent in mine} - mine:
            mine |= found
        return [task for task in tasks if task.pid in mine - {os.getpid()}]


def _tasks() -> list[Task]:
    if sys.platform == "linux":
        tasks = (_read_stat(int(name)) for name in os.listdir("/proc") if name.isdigit())
        return [task for task in tasks if task is not None]
    listing = ["ps", "-axo", "pid=,ppid=,stat=,tty="]
    rows = subprocess.run(listing, capture_output=True, text=True, check=True)  # noqa: S603
    return [
        Task(int(pid), int(parent), state[0], terminal not in ("?", "??", "-"))
        for pid, parent, state, terminal in map(str.split, rows.stdout.splitlines())
    ]


def _read_stat(pid: int) -> Task | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return Task(pid, int(fields[1]), fields[0].decode(), fields[4] != b"0")


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
