"""One process that a supervisor keeps: its output by lines, whether it answers, and its end."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar, cast

READY_LINE = "Worker ready."
START_SECONDS = 60.0

Answer = TypeVar("Answer")


class StartError(Exception):
    """Raised when Manta can't go on, with a sentence for the person at the terminal."""


def say(text: str) -> None:
    # Not print: when the terminal is gone, stopping must still work.
    with suppress(OSError):
        os.write(sys.stdout.fileno(), f"{text}\n".encode())


class Child:
    """A running process, in a session of its own so that Ctrl-C reaches only the supervisor."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, *, quiet_start: bool
    ) -> None:
        self.name = name
        self.said_ready = False
        # What it says before it answers may be kept for an epitaph, and not shown.
        self._is_heard = not quiet_start
        self._process = process
        self._last_lines: deque[str] = deque(maxlen=5)
        self._relay = asyncio.create_task(self._relay_output())
        self.ended = asyncio.create_task(self._wait())

    @classmethod
    async def start(
        cls,
        name: str,
        *command: str,
        environ: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        quiet_start: bool = True,
    ) -> "Child":
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**environ, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        return cls(name, process, quiet_start=quiet_start)

    async def until(self, attempt: Callable[[], Awaitable[Answer | None]]) -> Answer:
        """Repeat the attempt until it has an answer; StartError when the process ends first."""
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not self.ended.done():
            answer = await attempt()
            if answer is not None:
                self._is_heard = True
                return answer
            if asyncio.get_running_loop().time() > deadline:
                raise StartError(f"{self.name} did not answer within {START_SECONDS:.0f} s.")
            await asyncio.sleep(0.05)
        raise StartError(self.epitaph())

    def epitaph(self) -> str:
        said = "".join(f"\n    {line}" for line in self._last_lines) or " nothing."
        return f"{self.fate()}, so the others stop. It said last:{said}"

    def fate(self) -> str:
        status = self._process.returncode
        how = f"was killed by signal {-status}" if status and status < 0 else f"ended ({status})"
        return f"{self.name} {how}"

    async def stop(self, seconds: float) -> None:
        """Ask it to end; after this long, kill it and the processes of its group."""
        if self._process.returncode is None:
            self._process.terminate()
            await asyncio.wait({self.ended}, timeout=seconds)
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await self.ended

    async def _relay_output(self) -> None:
        output = cast(asyncio.StreamReader, self._process.stdout)
        rest = b""
        # Not readline: it gives up on a line longer than its limit.
        while chunk := await output.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._relay_line(line.decode(errors="replace"))
        if rest:
            self._relay_line(rest.decode(errors="replace"))

    def _relay_line(self, line: str) -> None:
        self._last_lines.append(line)
        self.said_ready |= line == READY_LINE
        if self._is_heard:
            # A line of JSON is for a program, and stays one.
            say(line if line.startswith("{") else f"{self.name:<12} | {line}")

    async def _wait(self) -> None:
        await self._process.wait()
        # Its last words, but not those of a grandchild that still holds the pipe.
        await asyncio.wait({self._relay}, timeout=0.2)


async def http_get(port: int, path: str, host: str = "127.0.0.1") -> bytes | None:
    """Ask a server on this machine; the body of a 200, else None."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost:{port}\r\n\r\n".encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
    except OSError:
        return None
    return body if head.split(b" ")[1:2] == [b"200"] else None
