"""The agent as process 1 of its sandbox: nothing inside can end it, trace it or open its files."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import IO, Any, TypeVar

T = TypeVar("T")

PR_SET_DUMPABLE = 4
# Signals that by default end a process without a core.
ENDING = {
    *(signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM),
    *(signal.SIGTERM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO),
    *(number for name in ("SIGSTKFLT", "SIGPWR") if (number := getattr(signal, name, None))),
}
# Those that libc lets no program handle, and the system call that does.
RESERVED_BY_LIBC = (32, 33)
RT_SIGACTION = {"x86_64": 13, "aarch64": 134}
RETRY_SECONDS = 0.05
# What the agent writes lies on the host, where no limit of the sandbox holds.
MAX_LOG_BYTES = 256 * 2**10


def close_to_others() -> None:
    """Keep this process's memory and files from the sandbox's own, which have its uid."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getpid() == 1:
        _survive_signals()


def _survive_signals() -> None:
    """Let no signal from inside end process 1.

    The kernel drops those that would, but not while the main thread blocks them, as each start of a
    child does: another thread then takes them for all. With a handler, which no child inherits,
    there is nothing to take. What dumps core, the kernel does drop.
    """
    for number in ENDING | {n for n in signal.valid_signals() if n >= signal.SIGRTMIN}:
        signal.signal(number, lambda number, frame: None)
    call = RT_SIGACTION.get(os.uname().machine)
    for number in RESERVED_BY_LIBC if call else ():
        ignore = struct.pack("=QQQQ", int(signal.SIG_IGN), 0, 0, 0)
        size = ctypes.c_size_t(8)
        ctypes.CDLL(None).syscall(ctypes.c_long(call or 0), number, ignore, None, size)


class CappedLog:
    """Standard error whose file begins anew when it has become too long."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if os.fstat(self._stream.fileno()).st_size > MAX_LOG_BYTES:
            os.ftruncate(self._stream.fileno(), 0)
        return self._stream.write(text[:MAX_LOG_BYTES])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Children:
    """Tells the agent's own children from the orphans that become those of process 1."""

    def __init__(self) -> None:
        self._starting = 0
        self._own: list[Any] = []

    async def start(self, start: Callable[[], Awaitable[T]]) -> T:
        """Start a child; its starter waits for it, as long as asyncio has not collected it."""
        self._starting += 1
        try:
            started = await start()
            self._own.append(started)
        finally:
            self._starting -= 1
        return started

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """Collect orphans from now on, where they come to this process."""
        if os.getpid() == 1:
            loop.add_signal_handler(signal.SIGCHLD, self._collect, loop)

    def _collect(self, loop: asyncio.AbstractEventLoop) -> None:
        own = self._own_pids()
        while not self._starting:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            if found.si_pid in own:
                break
            os.waitpid(found.si_pid, os.WNOHANG)
        loop.call_later(RETRY_SECONDS, self._collect, loop)

    def _own_pids(self) -> set[int]:
        transports = [_transport(each) for each in self._own]
        own = [each for each in transports if each.get_returncode() is None]
        self._own = own
        return {each.get_pid() for each in own}


def _transport(started: Any) -> asyncio.SubprocessTransport:
    """Return the transport of a process that was started in any of asyncio's three ways."""
    if isinstance(started, asyncio.subprocess.Process):
        started = started._transport  # type: ignore[attr-defined]
    elif isinstance(started, tuple):
        started = started[0]
    transport: asyncio.SubprocessTransport = started
    return transport


children = Children()
