"""Terminals: shells on a PTY that outlive their clients, each shown to any number of them."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import os
import shutil
import signal
import struct
import termios
from collections.abc import Awaitable, Callable

from . import limits
from .sandbox import Sandbox
from .terminal_input import TerminalInput
from .terminal_replay import REPLAY, Replay
from .wire import ApiError

# The reader waits for the slowest client: what it has not seen is still in the replay.
MAX_BEHIND = REPLAY // 2
READ_SIZE = 2**14
# A shell without clients ends after this, not counting what the sandbox slept meanwhile.
LINGER_SECONDS = 600.0
LINGER_STEPS = 20
# A client that takes nothing for this long has gone.
STALLED_SECONDS = 30.0
# A program draws itself anew when it sees another size for this long.
REDRAW_SECONDS = 0.1
HANGUP_SECONDS = 2.0
SHELLS = ("zsh", "bash", "sh", "ash")
# A session leader without a terminal gets the one it opens as its own.
ON_TERMINAL = 'exec "$@" <>"$0"'
# What Python's termios does not name: Backspace removes a whole character, not its last byte.
IUTF8 = 0o40000
DEFAULTS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class _Client:
    def __init__(self) -> None:
        self.position = 0
        self.news = asyncio.Event()


class Session:
    """One shell and its screen."""

    def __init__(
        self,
        master: int,
        shell: asyncio.subprocess.Process,
        sandbox: Sandbox,
        on_end: Callable[[], None],
    ) -> None:
        os.set_blocking(master, False)
        self.ended = asyncio.Event()
        self._master = master
        self._shell = shell
        self._sandbox = sandbox
        self._on_end = on_end
        self._replay = Replay()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._clients: set[_Client] = set()
        self._is_reading = False
        self._input = TerminalInput(master)
        self._lingering: asyncio.Task[None] | None = None
        self._waiting = asyncio.create_task(self._wait_for_end())
        self._regulate()

    async def show(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Send what the screen had, then what comes; returns when the shell has ended."""
        client = _Client()
        self._clients.add(client)
        if self._lingering is not None:
            self._lingering.cancel()
        try:
            while True:
                end, text = self._replay.end, self._replay.since(client.position)
                if text:
                    is_cut = self._replay.is_cut(client.position)
                    async with asyncio.timeout(STALLED_SECONDS):
                        await send(text)
                    client.position = end
                    self._regulate()
                    if is_cut and self._replay.begins_full_screen:
                        await self._redraw()
                elif self.ended.is_set():
                    return
                else:
                    client.news.clear()
                    await client.news.wait()
        finally:
            self._clients.discard(client)
            self._regulate()
            if not self._clients and not self.ended.is_set():
                self._lingering = asyncio.create_task(self._linger())

    async def write(self, text: str) -> None:
        """Type; what the program in front does not read yet waits."""
        await self._input.put(text)

    def resize(self, cols: int, rows: int) -> None:
        if self.ended.is_set():
            return
        if (cols, rows) != tuple(os.get_terminal_size(self._master)):
            self._replay.resized()
        size = struct.pack("HHHH", rows, cols, 0, 0)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    async def _redraw(self) -> None:
        """Have a program that fills the screen draw what the replay's lost beginning drew."""
        if self.ended.is_set():
            return
        cols, rows = os.get_terminal_size(self._master)
        self.resize(cols, rows + 1)
        await asyncio.sleep(REDRAW_SECONDS)
        if not self.ended.is_set() and os.get_terminal_size(self._master) == (cols, rows + 1):
            self.resize(cols, rows)

    async def hang_up(self) -> None:
        """End the shell as a terminal that is closed does, and by force if it stays."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._shell.pid, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), HANGUP_SECONDS)
                return

    def _regulate(self) -> None:
        """Read on, unless a client is too far behind."""
        behind = max((self._replay.end - each.position for each in self._clients), default=0)
        reads = behind < MAX_BEHIND and not self.ended.is_set()
        if reads and not self._is_reading:
            asyncio.get_running_loop().add_reader(self._master, self._read)
        elif self._is_reading and not reads:
            asyncio.get_running_loop().remove_reader(self._master)
        self._is_reading = reads

    def _read(self) -> bool:
        """Take in what was written; False when there was nothing."""
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return False
        except OSError:
            # The other end is closed; the shell's exit is noticed by itself.
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            return False
        self._show(self._decoder.decode(data))
        return True

    def _show(self, text: str) -> None:
        self._replay.write(text)
        self._regulate()
        for client in self._clients:
            client.news.set()

    async def _wait_for_end(self) -> None:
        """The shell's exit ends the session, whatever it left in the background."""
        await self._shell.wait()
        for _ in range(REPLAY // READ_SIZE):
            if not self._read():
                break
        self.ended.set()
        self._on_end()
        self._regulate()
        self._show(self._decoder.decode(b"", final=True))
        await self._input.close()
        os.close(self._master)

    async def _linger(self) -> None:
        for _ in range(LINGER_STEPS):
            await self._sandbox.awake.wait()
            await asyncio.sleep(LINGER_SECONDS / LINGER_STEPS)
        await self.hang_up()


class Terminals:
    """The sessions of this sandbox by their id."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._sessions: dict[str, Session] = {}
        self._opening = asyncio.Lock()

    async def open(self, session_id: str, shell: str, cwd: str, size: tuple[int, int]) -> Session:
        """The session of that id, or a new one. Raises ApiError when no shell can be started."""
        async with self._opening:
            session = self._sessions.get(session_id)
            if session is None:
                session = await self._start(session_id, shell, cwd)
                self._sessions[session_id] = session
            session.resize(*size)
            return session

    async def _start(self, session_id: str, shell: str, cwd: str) -> Session:
        if not os.path.isdir(cwd):
            raise ApiError(422, f"folder '{cwd}' does not exist")
        program = self._find(shell)
        environ = DEFAULTS | self._sandbox.environ | {"SHELL": program, "PWD": cwd}
        master, slave = os.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[0] |= IUTF8
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        try:
            process = await limits.starting(
                lambda: asyncio.create_subprocess_exec(
                    *("/bin/sh", "-c", ON_TERMINAL, os.ttyname(slave), program),
                    stdin=slave,
                    stdout=slave,
                    stderr=slave,
                    cwd=cwd,
                    env=environ,
                    start_new_session=True,
                    restore_signals=False,
                    preexec_fn=limits.before_exec(is_isolated=self._sandbox.is_isolated),
                )
            )
        except OSError as exc:
            os.close(master)
            raise ApiError(422, f"{program} can't be started: {exc.strerror}") from exc
        finally:
            os.close(slave)
        self._sandbox.settle(process.pid)
        return Session(master, process, self._sandbox, lambda: self._forget(session_id))

    def _forget(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)

    def _find(self, shell: str) -> str:
        environ = self._sandbox.environ
        wanted = [shell] if shell else [environ.get("SHELL", ""), *SHELLS]
        for name in filter(None, wanted):
            if found := shutil.which(name, path=environ.get("PATH")):
                return found
        raise ApiError(422, f"there is no shell {shell}".rstrip())
