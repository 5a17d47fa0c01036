"""Holdings of processes beside mapped memory: files of memory, segments, watches of epoll.

Read from /proc, which tells it of all processes that do not hide it. Looked for only when there is
a reason to: it costs a system call for each open file.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
from collections.abc import Iterator
from dataclasses import dataclass

IPC_RMID = 0
_EPOLL, _MEMORY_FILE = "anon_inode:[eventpoll]", "/memfd:"
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Segment:
    """A segment of System V's shared memory."""

    id: int
    is_attached: bool
    resident: int


def segments() -> list[Segment]:
    found = []
    with contextlib.suppress(OSError), open("/proc/sysvipc/shm") as table:
        for line in list(table)[1:]:
            fields = line.split()
            found.append(Segment(int(fields[1]), fields[6] != "0", int(fields[14])))
    return found


def remove(segment: Segment) -> None:
    _libc.shmctl(segment.id, IPC_RMID, None)


def shared_memory_of_machine() -> int:
    """Return more than all that a sandbox can have in segments and files of memory."""
    with contextlib.suppress(OSError, ValueError), open("/proc/meminfo") as info:
        for line in info:
            if line.startswith("Shmem:"):
                return int(line.split()[1]) * 1024
    return 0


def memory_files(pids: list[int]) -> dict[int, int]:
    """Return the bytes in files of memory by the first process that has each open."""
    seen: set[tuple[int, int]] = set()
    held = dict.fromkeys(pids, 0)
    for pid in pids:
        # A process may hide its open files, and then holds none as far as is known.
        with contextlib.suppress(OSError):
            for found in _open_memory_files(pid):
                if (found.st_dev, found.st_ino) not in seen:
                    seen.add((found.st_dev, found.st_ino))
                    held[pid] += found.st_blocks * 512
    return held


def _open_memory_files(pid: int) -> Iterator[os.stat_result]:
    for folder, fd, target in _open_files(pid):
        if target.startswith(_MEMORY_FILE):
            with contextlib.suppress(OSError):
                yield os.stat(f"{folder}/fd/{fd}")


def are_watches_used_up() -> bool:
    """Return whether the user that this process is may watch nothing more with epoll."""
    try:
        with select.epoll() as poll, select.epoll() as watched:
            poll.register(watched, select.EPOLLIN)
    except OSError as exc:
        return exc.errno == errno.ENOSPC
    return False


def max_watches() -> int:
    with open("/proc/sys/fs/epoll/max_user_watches") as file:
        return int(file.read())


def polls(pid: int) -> list[str] | None:
    """Return the files that tell what a process watches with epoll; None where it hides them."""
    try:
        opened = list(_open_files(pid))
    except PermissionError:
        return None
    return [f"{folder}/fdinfo/{fd}" for folder, fd, target in opened if target == _EPOLL]


def watches(polls: list[str], max_count: int) -> int:
    """Return how many files these watch, counted until there are more than that."""
    count = 0
    for path in polls:
        with contextlib.suppress(OSError), open(path) as info:
            count += info.read().count("tfd:")
        if count > max_count:
            break
    return count


def _open_files(pid: int) -> Iterator[tuple[str, str, str]]:
    """Yield a thread's folder, a descriptor and what it is; threads may have files of their own."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            folder = f"/proc/{pid}/task/{thread}"
            for fd in os.listdir(f"{folder}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    yield folder, fd, os.readlink(f"{folder}/fd/{fd}")
