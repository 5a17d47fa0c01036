"""The queue between a terminal's clients and the program in front, which may not read for a while.

The kernel holds about 13 KB for a program that does not read. The rest waits here, in order, until
the pseudo-terminal can be written again, so that nothing is lost, however long that takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import termios

# Bytes that may wait; after that the clients wait, through their connections.
LIMIT = 4 * 2**20
WRITE_SIZE = 2**13
# In canonical mode the kernel holds 4,095 bytes of a line that has not ended yet, and discards
# what follows. A line that grows longer is handed to the program in parts of this size.
MAX_PART_LENGTH = 4_000
# A key that interrupts the program overtakes what it has not read for this many seconds.
INTERRUPT_SECONDS = 1.0
_PLAIN = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")
_DISABLED = b"\0"
# Opens the other end of a master; Python's termios does not name it.
TIOCGPTPEER = 0x5441


class TerminalInput:
    """Writes to a pseudo-terminal as fast as it can take it. Its master must not block."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._waiting = bytearray()
        self._changed = asyncio.Condition()
        # Bytes of the line in canonical mode that the program was not handed any part of yet.
        self._unfinished = 0
        self._writing = asyncio.create_task(self._write_all())

    async def put(self, text: str) -> None:
        """Type; returns once there is room for more. After close it is discarded."""
        data = text.encode(errors="replace")
        if self._waiting and self._interrupts(data):
            await self._overtake()
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < LIMIT or self._is_closed)
            if not self._is_closed:
                self._waiting += data
                self._changed.notify_all()

    async def close(self) -> None:
        """Stop writing. The master must stay open until then."""
        self._writing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._writing
        async with self._changed:
            self._changed.notify_all()

    @property
    def _is_closed(self) -> bool:
        return self._writing.done()

    def _interrupts(self, data: bytes) -> bool:
        """Return whether it is a key at which the terminal sends a signal."""
        with contextlib.suppress(termios.error):
            attributes = termios.tcgetattr(self._master)
            keys = (attributes[6][key] for key in (termios.VINTR, termios.VQUIT, termios.VSUSP))
            return bool(attributes[3] & termios.ISIG) and data in keys
        return False

    async def _overtake(self) -> None:
        """Discard what the program does not read, as the terminal itself does at such a key."""
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERRUPT_SECONDS):
                    await self._changed.wait_for(lambda: not self._waiting)
            if self._waiting and not self._is_closed:
                self._waiting.clear()
                self._unfinished = 0
                _flush(self._master)

    async def _write_all(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._waiting)
                is_blocked = not self._write_some()
                self._changed.notify_all()
            if is_blocked:
                await _writable(self._master)
            else:
                await asyncio.sleep(0)

    def _write_some(self) -> bool:
        """Write what there is room for; False when there is none."""
        try:
            end_of_part = self._end_of_part()
            size = MAX_PART_LENGTH - self._unfinished if end_of_part else WRITE_SIZE
            if end_of_part and not size:
                os.write(self._master, end_of_part)
                self._unfinished = 0
                return True
            written = os.write(self._master, self._waiting[:size])
        except BlockingIOError:
            return False
        except (OSError, termios.error):
            # The other end is closed.
            written = len(self._waiting)
            end_of_part = b""
        self._unfinished = self._count(self._waiting[:written]) if end_of_part else 0
        del self._waiting[:written]
        return True

    def _end_of_part(self) -> bytes:
        """The key that hands the program a line which goes on; none where no line is kept back."""
        attributes = termios.tcgetattr(self._master)
        key = attributes[6][termios.VEOF]
        is_canonical = attributes[3] & termios.ICANON and isinstance(key, bytes)
        return key if is_canonical and key != _DISABLED else b""

    def _count(self, written: bytearray) -> int:
        """Bytes of the unfinished line. One that was edited may be empty, and counts as new."""
        plain = _PLAIN.match(written[::-1])
        length = len(plain[0]) if plain else 0
        return length + self._unfinished if length == len(written) else length


def _flush(master: int) -> None:
    """Discard what was written and not read: on its way to the line discipline, and in it."""
    with contextlib.suppress(OSError, termios.error):
        terminal = fcntl.ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
        try:
            termios.tcflush(master, termios.TCOFLUSH)
            termios.tcflush(terminal, termios.TCIFLUSH)
        finally:
            os.close(terminal)


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(fd)
