"""``/codegen/grep``: lines that match a regular expression, by this machine's own grep.

In a process of its own: an expression that never ends must not stop the API. No shell starts it,
and nothing that can be written inside says which program it is or what it reads first.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import limits, programs
from .beneath import Folder, folder_of
from .sandbox import Sandbox
from .wire import ApiError, Json, query_flag, query_text

MAX_LINES = 100
LARGEST_ANSWER = 2**20
SECONDS = 50.0
SKIPPED = ("node_modules", ".git", ".venv", "__pycache__", ".next", "dist", "build", "target")


class GrepApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [Route("/codegen/grep", self.grep, methods=["GET"])]

    async def grep(self, request: Request) -> Response:
        query = query_text(request, "query")
        if not query or "\0" in query:
            raise ApiError(400, "query is required, without NUL bytes")
        # A NUL ends each name; what can't be read is passed over in silence.
        options = ["-rnIPZs", f"--max-count={MAX_LINES}"]
        options += [f"--exclude-dir={name}" for name in SKIPPED]
        options += [] if query_flag(request, "caseSensitive") else ["-i"]
        for name, option in (("includePattern", "include"), ("excludePattern", "exclude")):
            if pattern := query_text(request, name).replace("\0", ""):
                options.append(f"--{option}={pattern}")
        with folder_of(request, self._sandbox) as folder:
            lines = await self._lines([*options, "-e", query, "--", "."], folder)
        return Json({"lines": lines[:MAX_LINES]})

    async def _lines(self, options: list[str], folder: Folder | None) -> list[str]:
        program = programs.find("grep")
        if program is None:
            raise ApiError(422, "this machine has no grep")
        workdir = self._sandbox.workdir
        if folder is None:
            return await self._run([program, *options], workdir)
        with folder.opened(workdir, os.O_PATH | os.O_DIRECTORY) as fd:
            return await self._run([program, *options], f"/proc/self/fd/{fd}")

    async def _run(self, command: list[str], cwd: str) -> list[str]:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await limits.starting(
                lambda: asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=pipe,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=cwd,
                    env={**programs.environment(), "LC_ALL": "C.UTF-8"},
                )
            )
        except OSError as exc:
            raise ApiError(422, f"grep did not start: {exc.strerror}") from exc
        self._sandbox.settle(process.pid)
        try:
            said, code = await _outcome(process, cast(asyncio.StreamReader, process.stdout))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        found = list(_matches(said))
        # 1 says that nothing was found; unreadable files are no failure.
        if code > 1 and said and not found:
            raise ApiError(422, said.decode(errors="replace").splitlines()[0])
        return found


def _matches(said: bytes) -> Iterator[str]:
    """Each name, the number of a line, and the line; the last one may have been cut off."""
    start = 0
    while (end := said.find(b"\0", start)) >= 0 and (stop := said.find(b"\n", end)) >= 0:
        yield f"{os.fsdecode(said[start:end])}:{said[end + 1 : stop].decode(errors='replace')}"
        start = stop + 1


async def _outcome(
    process: asyncio.subprocess.Process, output: asyncio.StreamReader
) -> tuple[bytes, int]:
    """Return what it said, and its exit code. It is not waited for when it says too much."""
    said = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            while len(said) < LARGEST_ANSWER and (data := await output.read(2**16)):
                said += data
            if len(said) >= LARGEST_ANSWER:
                return bytes(said), 0
            return bytes(said), await process.wait()
    except TimeoutError:
        raise ApiError(422, "the search took too long") from None
