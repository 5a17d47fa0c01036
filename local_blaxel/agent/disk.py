"""Keeps what a sandbox stores under its limits where it has no file system of its own.

The kernel limits single files only. So the folders are measured again and again, and while they
hold too much, that limit is nothing for every process: a write fails, reading and deleting go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .limits import let_write
from .processes import ProcessTable
from .sandbox import Disk, Sandbox
from .watchdog import others
from .wire import ApiError

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.25
# Between two looks: seconds, and how many times as long as the last one took.
QUIET, FULL, FILLING = (2.0, 100), (1.0, 10), (0.0, 3)
# A name without content takes a place in the file system, too.
LEAST_FILE_BYTES = 4096
LEAST_STEP = 2**20
FULL_DISK = "ENOSPC"
MACHINE = "the disk of this machine"
KILLED = b"[Killed: the sandbox's disk is full, and something goes on filling it]\n"


@dataclass(frozen=True)
class Look:
    """One measurement: what each disk holds, and what was free on the machine."""

    used: tuple[int, ...]
    least_room: int
    free: int
    at: float
    seconds: float


class DiskWatch:
    def __init__(self, sandbox: Sandbox, table: ProcessTable) -> None:
        self._sandbox = sandbox
        self._table = table
        self._looking = asyncio.Lock()
        self._last: Look | None = None
        # What the full disk held when nothing could be written to it any more.
        self._settled_at: int | None = None

    async def run(self) -> None:
        """Look while the sandbox is awake: nothing grows in standby."""
        while True:
            await self._sandbox.awake.wait()
            await asyncio.sleep(INTERVAL_SECONDS)
            if self._sandbox.disks and self._is_due():
                await self.look()

    def room(self) -> int:
        """Return how many bytes fit into the first disk yet, as far as known."""
        disks, last = self._sandbox.disks, self._last
        if not disks:
            return sys.maxsize
        spare = _free_bytes(self._sandbox.home) - self._sandbox.reserve
        return min(spare, disks[0].limit - (last.used[0] if last else 0))

    async def look(self) -> None:
        """Measure, and let everything write or nothing."""
        async with self._looking:
            began, free, disks = time.monotonic(), self._free(), self._sandbox.disks
            used = await asyncio.to_thread(_measure, disks)
            now, held = time.monotonic(), list(zip(disks, used, strict=True))
            spare = _free_bytes(self._sandbox.home) - self._sandbox.reserve
            least_room = min(spare, *(disk.limit - size for disk, size in held))
            self._last = Look(used, least_room, free, now, now - began)
            full = next(((disk, size) for disk, size in held if size >= disk.limit), None)
            if full is None and spare <= 0:
                full = Disk((MACHINE,), disks[0].limit), used[0]
            self._decide(full)

    def _is_due(self) -> bool:
        if self._last is None:
            return True
        lost = self._last.free - self._free()
        if lost >= max(self._last.least_room / 2, LEAST_STEP):
            seconds, times = FILLING
        else:
            seconds, times = FULL if self._sandbox.full_disk else QUIET
        since = time.monotonic() - self._last.at
        return since >= max(seconds, times * self._last.seconds)

    def _free(self) -> int:
        """Return the free bytes of the whole machine: a drop may be the sandbox's own growth."""
        state = os.statvfs(self._sandbox.home)
        return state.f_bavail * state.f_frsize + state.f_favail * LEAST_FILE_BYTES

    def _decide(self, full: tuple[Disk, int] | None) -> None:
        was_full, self._sandbox.full_disk = self._sandbox.full_disk, full[0].name if full else ""
        if full is None:
            self._settled_at = None
            if was_full:
                _let_all_write(True)
            return
        _let_all_write(False)
        disk, held = full
        if not was_full:
            logger.warning("%s is full: nothing can be written for now", disk.name)
        elif self._settled_at is None:
            self._settled_at = held
        elif held > self._settled_at + disk.limit // 16:
            self._kill_all(disk)

    def _kill_all(self, disk: Disk) -> None:
        """Kill every process: no write limit stops those that make empty or map sparse files."""
        logger.warning("%s is full and grows: every process was killed", disk.name)
        for process in self._table.running():
            process.output.write("stderr", KILLED)
        for pid in others():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._settled_at = None


class RefusedWrites:
    """Middleware: a write through the file API that does not fit fails as on a full disk."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox, disk: DiskWatch) -> None:
        self._app = app
        self._sandbox = sandbox
        self._disk = disk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        writes = scope["type"] == "http" and scope["method"] in ("PUT", "POST")
        if writes and scope["path"].startswith("/filesystem"):
            receive = self._checked(receive)
        await self._app(scope, receive, send)

    def _checked(self, receive: Receive) -> Receive:
        received = 0

        async def checked() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if self._sandbox.full_disk:
                # A user who has just deleted something need not wait for the next look.
                await self._disk.look()
            if full := self._sandbox.full_disk:
                raise ApiError(422, f"no space left on device: {full} is full", FULL_DISK)
            if received > self._disk.room():
                said = "no space left on device: the body is larger than what is free"
                raise ApiError(422, said, FULL_DISK)
            return message

        return checked


def _free_bytes(path: str) -> int:
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def _let_all_write(may_write: bool) -> None:
    for pid in others():
        let_write(pid, may_write)


def _measure(disks: tuple[Disk, ...]) -> tuple[int, ...]:
    places = {path for disk in disks for path in disk.paths}
    used = [sum(_sizes(disk.paths, places)) for disk in disks]
    # It is not known any more where they were.
    own = {os.stat(path).st_dev for path in (*disks[0].paths, "/", "/usr") if os.path.exists(path)}
    used[0] += sum(_deleted_sizes(own))
    return tuple(used)


def _sizes(folders: Iterable[str], places: set[str]) -> Iterator[int]:
    """Bytes of everything below the folders; not below a place that is limited by itself."""
    pending, linked = list(folders), set()
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                found = [(entry.path, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:  # It went, or is closed to us as to every other user in here.
            continue
        for path, info in found:
            if stat.S_ISDIR(info.st_mode):
                if path in places:
                    continue
                pending.append(path)
            elif info.st_nlink > 1:
                if info.st_ino in linked:
                    continue
                linked.add(info.st_ino)
            yield max(info.st_blocks * 512, LEAST_FILE_BYTES)


def _deleted_sizes(devices: set[int]) -> Iterator[int]:
    """Bytes of files that have no name any more, and that a process still has open."""
    seen = set()
    for pid in others():
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                info = os.stat(f"/proc/{pid}/fd/{name}")
                if info.st_nlink == 0 and info.st_dev in devices and info.st_ino not in seen:
                    seen.add(info.st_ino)
                    yield info.st_blocks * 512
        except OSError:  # The process ended, or closed the file.
            continue
