"""Limits on each process of the sandbox, so that a mistake in one stays small."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from .init import children

T = TypeVar("T")

# With less the agent itself could not go on.
LEAST_MEMORY_MB = 128
MAX_PROCESSES = 512
# The agent may start some more, so that it goes on, and can be asked to kill, under a fork bomb.
RESERVED_PROCESSES = 32
# The kernel lets all processes of a user, which the sandboxes are together, have only as many files
# under way over Unix sockets as the one that sends another may have open. The agent hands
# connections over in that way: it may have twice as many as what runs in any sandbox.
MAX_OPEN_FILES = 65536
MAX_FILE_BYTES = 4 * 2**30
# Of what the kernel counts for a user, which all sandboxes are together where it is not root that
# starts them. A queue of messages has 82,960 bytes: of the usual 819,200 that leaves one.
SHARED_COUNTS, PART_OF_COUNTS = (resource.RLIMIT_SIGPENDING, resource.RLIMIT_MSGQUEUE), 8
# The kernel ends what the user started before the agent that answers for it.
OOM_SCORE = 500


_shared_counts = {kind: resource.getrlimit(kind)[1] for kind in SHARED_COUNTS}


def apply(memory_mb: int, *, is_isolated: bool) -> None:
    """Limit this process and everything it starts from now on.

    RLIMIT_DATA stands for the memory: RLIMIT_AS breaks node. Processes are counted for a whole
    user namespace, so outside of one the limit would count the person's own processes.
    """
    _lower(resource.RLIMIT_DATA, max(memory_mb, LEAST_MEMORY_MB) * 2**20)
    _lower(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, 2 * MAX_OPEN_FILES if is_isolated else MAX_OPEN_FILES)
    if is_isolated:
        _lower(resource.RLIMIT_NPROC, MAX_PROCESSES + RESERVED_PROCESSES)
        for kind in SHARED_COUNTS:
            _lower(kind, _shared_counts[kind] // PART_OF_COUNTS)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
        resource.setrlimit(kind, (value, value))


def prepare_signals() -> None:
    """Let what is started from now on see a write that its limit refuses as an error.

    Such a write also sends SIGXFSZ, which would end a shell: it is blocked, and, as Python does,
    ignored. Python ignores SIGPIPE, too; a handler does the same here, and is not inherited.
    """
    signal.signal(signal.SIGPIPE, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGXFSZ})


async def starting(start: Callable[[], Awaitable[T]]) -> T:
    """Start a process that may have as many as the user may; the last resort is our reserve.

    `start` must fork before it waits for anything, as asyncio does, and leave signals as they are.
    """
    try:
        with _fewer_processes():
            return await children.start(start)
    except BlockingIOError:
        return await children.start(start)


@contextlib.contextmanager
def _fewer_processes() -> Iterator[None]:
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if hard != MAX_PROCESSES + RESERVED_PROCESSES:
        yield
        return
    resource.setrlimit(resource.RLIMIT_NPROC, (MAX_PROCESSES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))


def before_exec(*, is_isolated: bool) -> Callable[[], None] | None:
    """Return a function for a child to call before it runs a program; a later limit is too late."""
    if not is_isolated:
        return None
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def settle(pid: int, *, is_isolated: bool, may_write: bool) -> None:
    """Give a process just started the limits that the agent itself does not have."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "w") as score:
        score.write(str(OOM_SCORE))
    if is_isolated:
        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_NPROC, (MAX_PROCESSES, MAX_PROCESSES))
        if not may_write:
            let_write(pid, False)


def let_write(pid: int, may_write: bool) -> None:
    """Let a process write to files again, or fail each such write; it may read and delete."""
    with contextlib.suppress(OSError):
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if may_write else 0, hard))
