"""Limit on what all of a sandbox's processes take together, where no cgroup holds it.

RLIMIT_DATA holds for each process; many small ones could still take the whole machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import signal
import time

from . import holdings
from .limits import LEAST_MEMORY_MB
from .sandbox import Sandbox

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
# Between two looks at every open file, while they find much less than the limit.
DEEP_INTERVAL_SECONDS, NEAR = 5.0, 0.75
PAGE = os.sysconf("SC_PAGE_SIZE")
# Where all sandboxes are one user to the kernel, which counts epoll's watches for each user.
PART_OF_WATCHES = 8
# In a row, two seconds in all: a neighbour that has used the watches up is mostly killed by then.
LOOKS_BEFORE_HIDDEN = 4


class Watchdog:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._looks_without_watches = 0
        # Of the last deep look: its time, its sum, and the shared memory of the machine.
        self._last_deep = (-math.inf, 0, 0)

    async def run(self) -> None:
        """Look while the sandbox is awake: nothing grows in standby."""
        while self._sandbox.is_isolated:
            await self._sandbox.awake.wait()
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self._look()
            except Exception:
                # What a process shows of itself is its own choice: no limit may end with one look.
                logger.exception("a look at what the sandbox's processes take failed")

    async def _look(self) -> None:
        limit = max(self._sandbox.memory_mb, LEAST_MEMORY_MB) * 2**20
        pids = others()
        stored = holdings.shared_memory_of_machine()
        if stored > limit and self._is_deep_look_due(stored, limit):
            taken = await asyncio.to_thread(_look_deep, pids, limit)
            self._last_deep = (time.monotonic(), taken, stored)
        # Resident memory counts what processes share once for each; the exact sum costs more.
        elif sum(map(_resident, pids)) > limit:
            shares = {pid: _shares(pid)[0] for pid in pids}
            if sum(shares.values()) > limit:
                _kill(max(shares, key=shares.__getitem__), "memory")
        if not holdings.are_watches_used_up():
            self._looks_without_watches = 0
            return
        self._looks_without_watches += 1
        _look_at_watches(pids, may_be_hidden=self._looks_without_watches >= LOOKS_BEFORE_HIDDEN)

    def _is_deep_look_due(self, stored: int, limit: int) -> bool:
        """Return whether it is time, or this sandbox may have stored what came since."""
        looked_at, taken, stored_then = self._last_deep
        is_time = time.monotonic() - looked_at >= DEEP_INTERVAL_SECONDS
        return is_time or taken + max(0, stored - stored_then) > NEAR * limit


def _look_deep(pids: list[int], limit: int) -> int:
    """Count what is in files of memory and in segments, too, mapped or not; return the sum."""
    shares = {pid: _shares(pid) for pid in pids}
    files, segments = holdings.memory_files(pids), holdings.segments()
    mapped = sum(shared for _, shared in shares.values())
    stored = sum(files.values()) + sum(each.resident for each in segments)
    own = sum(whole - shared for whole, shared in shares.values())
    # What is stored may be mapped, and is then counted with what is.
    taken = own + max(mapped, stored)
    if taken <= limit:
        return taken
    if left := [each for each in segments if not each.is_attached]:
        logger.warning("segments that no process has were removed: the memory is used up")
        for segment in left:
            holdings.remove(segment)
        return taken
    held = {pid: max(shares[pid][0], files[pid]) for pid in pids}
    _kill(max(held, key=held.__getitem__), "memory")
    return taken


def _look_at_watches(pids: list[int], *, may_be_hidden: bool) -> None:
    """Kill who has used up what the user may watch; others of the user can't watch until then."""
    max_count = holdings.max_watches() // PART_OF_WATCHES
    found = {pid: holdings.polls(pid) for pid in pids}
    shown = {pid: polls for pid, polls in found.items() if polls is not None}
    over, left = [], max_count
    for pid in sorted(shown, key=lambda pid: len(shown[pid]), reverse=True):
        count = holdings.watches(shown[pid], left)
        if count > left:
            over.append(pid)
        else:
            left -= count
    if not over and may_be_hidden:
        # No process that shows what it watches is the one, in this sandbox or, by now, in another.
        over = [pid for pid in pids if pid not in shown]
    for pid in over:
        _kill(pid, "share of epoll's watches")


def _kill(pid: int, used_up: str) -> None:
    logger.warning("process %s was killed: the sandbox's %s is used up", pid, used_up)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def others() -> list[int]:
    """Every process of the sandbox but the agent and the namespace's init."""
    return [
        int(name)
        for name in os.listdir("/proc")
        if name.isdigit() and int(name) not in (1, os.getpid())
    ]


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * PAGE
    except OSError:
        return 0


def _shares(pid: int) -> tuple[int, int]:
    """Return its proportional share of memory, and of that which is shared memory.

    By the kernel, else its resident memory.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            lines = dict(line.split(b":", 1) for line in rollup.read().splitlines()[1:])
        whole, shared = (int(lines.get(name, b"0").split()[0]) for name in (b"Pss", b"Pss_Shmem"))
        return whole * 1024, shared * 1024
    except OSError:
        return _resident(pid), 0
