"""The memory of all of a sandbox's processes together, kept under its limit without a cgroup.

RLIMIT_DATA holds for each process; many small ones could still take the whole machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal

from .limits import LEAST_MEMORY_MB
from .sandbox import Sandbox

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.5
PAGE = os.sysconf("SC_PAGE_SIZE")


class Watchdog:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def run(self) -> None:
        """Look while the sandbox is awake: nothing grows in standby."""
        while self._sandbox.is_isolated:
            await self._sandbox.awake.wait()
            await asyncio.sleep(INTERVAL_SECONDS)
            self._look()

    def _look(self) -> None:
        limit = max(self._sandbox.memory_mb, LEAST_MEMORY_MB) * 2**20
        pids = others()
        # Resident memory counts what processes share once for each; the exact sum costs more.
        if sum(map(_resident, pids)) <= limit:
            return
        shares = {pid: _share(pid) for pid in pids}
        if sum(shares.values()) > limit:
            largest = max(shares, key=shares.__getitem__)
            logger.warning("process %s was killed: the sandbox's memory is used up", largest)
            with contextlib.suppress(ProcessLookupError):
                os.kill(largest, signal.SIGKILL)


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


def _share(pid: int) -> int:
    """Return its proportional share of memory by the kernel, else its resident memory."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            lines = dict(line.split(b":", 1) for line in rollup.read().splitlines()[1:])
        return int(lines[b"Pss"].split()[0]) * 1024
    except (OSError, KeyError):
        return _resident(pid)
