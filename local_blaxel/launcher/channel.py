"""The launcher's side of the control line to an agent: one question, one answer, maybe a socket."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ANSWER_SECONDS = 10.0


async def ask(
    path: Path, request: dict[str, Any], seconds: float = ANSWER_SECONDS
) -> dict[str, Any]:
    """The agent's answer; a socket that came with it is under ``socket``.

    Raises ConnectionError when no agent answers.
    """
    async with asking(path, request, seconds) as (answer, _):
        return answer


@asynccontextmanager
async def asking(
    path: Path, request: dict[str, Any], seconds: float = ANSWER_SECONDS
) -> AsyncIterator[tuple[dict[str, Any], socket.socket]]:
    """Ask as `ask` does, with the line kept open meanwhile; the agent closes it only by its end."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.setblocking(False)
    with line:
        try:
            async with asyncio.timeout(seconds):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(line, str(path))
                await loop.sock_sendall(line, json.dumps(request).encode() + b"\n")
                answer = await _receive(line)
        except (OSError, ValueError) as exc:
            raise ConnectionError(f"the sandbox does not answer: {str(exc) or 'too late'}") from exc
        yield answer, line


async def _receive(line: socket.socket) -> dict[str, Any]:
    text, passed = b"", []
    while not text.endswith(b"\n"):
        await _readable(line)
        data, fds, _, _ = socket.recv_fds(line, 2**16, 1)
        passed += fds
        if not data:
            raise ConnectionError("it hung up")
        text += data
    answer: dict[str, Any] = json.loads(text)
    for fd in passed:
        os.set_inheritable(fd, False)
        answer["socket"] = socket.socket(fileno=fd)
        answer["socket"].setblocking(False)
    return answer


async def _readable(line: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(line, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(line)
