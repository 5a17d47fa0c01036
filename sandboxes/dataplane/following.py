"""What a sandbox tells for as long as somebody listens: its files, and what a process says."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from sandboxes import errors
from sandboxes.dataplane.streaming import streaming_client

# Bytes of a line, and of a list with the last output of each process in it.
_LONGEST_LINE = 64 * 1024
_LONGEST_LIST = 64 * 2**20


@asynccontextmanager
async def _following(url: str, **options: Any) -> AsyncIterator[httpx.Response]:
    async with streaming_client().stream("GET", url, **options) as response:
        if response.status_code == 404 and "/process/" in url:
            raise errors.ProcessNotFound("There is no such process any more.")
        if response.status_code != 200:
            raise errors.ProviderUnavailable(f"The sandbox answered {response.status_code}.")
        yield response


@asynccontextmanager
async def changes_of(url: str, folder: str, ignore: Iterable[str]) -> AsyncIterator[httpx.Response]:
    """Begin to watch a folder and all below it; what happens from then on is told in lines."""
    path = quote(folder)
    asked = {"ignore": ",".join(ignore)}
    async with _following(f"{url}/watch/filesystem/{path}/**", params=asked) as response:
        yield response


@asynccontextmanager
async def log_of(url: str, name: str) -> AsyncIterator[httpx.Response]:
    """What a process has said, and goes on to say, until it ends."""
    path = quote(name, safe="")
    async with _following(f"{url}/process/{path}/logs/stream") as response:
        yield response


async def lines(response: httpx.Response) -> AsyncIterator[str]:
    """Whole lines; of one that is too long, nothing."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if len(line) <= _LONGEST_LINE:
                yield line.decode(errors="replace")
        if len(rest) > _LONGEST_LINE:
            rest = b""


async def start(url: str, name: str, command: str) -> None:
    """Start a process, unless one of that name runs already."""
    body = {"name": name, "command": command, "workingDir": "/"}
    response = await streaming_client().post(f"{url}/process", json=body)
    if response.status_code >= 400 and "already" not in response.text:
        raise errors.ProviderUnavailable(f"The sandbox answered {response.status_code}.")


async def processes_of(url: str) -> list[dict[str, Any]]:
    """As GET /process lists them, with the last output of each."""
    body = bytearray()
    async with _following(f"{url}/process") as response:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _LONGEST_LIST:
                raise errors.ProviderUnavailable("The list of processes is too long to be read.")
    # It may be many megabytes.
    listed = await asyncio.to_thread(json.loads, bytes(body))
    return [each for each in listed if isinstance(each, dict)]


async def whole_log(url: str, name: str) -> str:
    """What a process has said until now; of very much, the end."""
    async with _following(f"{url}/process/{quote(name, safe='')}/logs") as response:
        said = await asyncio.to_thread(json.loads, await response.aread())
    return str(said.get("logs") or "") if isinstance(said, dict) else ""


async def after(response: httpx.Response, lines_known: int) -> AsyncIterator[bytes]:
    """What a log says after so many of its lines; signs of life are none of them."""
    async for chunk in response.aiter_bytes():
        rest = chunk
        while lines_known and rest:
            line, newline, rest = rest.partition(b"\n")
            if newline and not line.startswith(b"[keepalive]"):
                lines_known -= 1
        if rest:
            yield rest
