"""Streams from a sandbox: changes of its files, and a process's output."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from manta.core.computing import in_thread
from sandboxes import errors
from sandboxes.data_plane import failures, names, trusted
from sandboxes.data_plane.async_client import PASSED_ON, streaming_client
from sandboxes.data_plane.client import object_of
from sandboxes.data_plane.process_records import MAX_READ, ListReader
from sandboxes.data_plane.processes import MAX_LOG, can_be_addressed
from sandboxes.models.reach import Reach

# In bytes.
_MAX_LINE_LENGTH = 64 * 1024
_MAX_LOG = {"most": MAX_LOG}


@asynccontextmanager
async def _following(where: Reach, **options: Any) -> AsyncIterator[httpx.Response]:
    async with streaming_client().stream("GET", **where.as_request(), **options) as response:
        expect_stream(response)
        yield response


def expect_stream(response: httpx.Response) -> None:
    """Raise a SandboxError unless a sandbox answers as it was asked."""
    if response.status_code == 404 and "/process/" in response.request.url.path:
        raise errors.ProcessNotFound("The process no longer exists.")
    if response.status_code in (400, 422):
        raise errors.ProviderRejected(f"The sandbox refused it ({response.status_code}).")
    if response.status_code != 200:
        raise errors.ProviderUnavailable(f"The sandbox answered {response.status_code}.")


@asynccontextmanager
async def changes_of(
    reach: Reach, folder: str, ignore: Iterable[str]
) -> AsyncIterator[httpx.Response]:
    """Begin to watch a folder and all below it; what happens from then on is told in lines."""
    path = quote(names.raw(folder), errors="surrogateescape")
    asked = {"ignore": ",".join(ignore)}
    where = reach.at(f"/watch/filesystem/{path}/**")
    async with _following(where, params=asked, extensions=PASSED_ON) as response:
        yield response


@asynccontextmanager
async def log_of(reach: Reach, name: str) -> AsyncIterator[httpx.Response]:
    """Stream what a process has printed and goes on to print, until it ends."""
    where = reach.at(f"{await address_of(reach, name)}/logs/stream")
    async with _following(where, extensions=PASSED_ON) as response:
        yield response


async def lines(response: httpx.Response, *, longest: int = _MAX_LINE_LENGTH) -> AsyncIterator[str]:
    """Whole lines; of one that is too long, nothing. Each byte is looked at once."""
    held = bytearray()
    async for chunk in response.aiter_bytes():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            held += end
            if len(held) <= longest:
                yield held.decode(errors="replace")
            held = bytearray()
        held += rest
        if len(held) > longest:
            held = bytearray()


async def start(reach: Reach, name: str, command: str) -> None:
    """Start a process, unless one of that name is already running."""
    body = {"name": name, **trusted.script(command), "workingDir": "/"}
    response = await streaming_client().post(**reach.at("/process").as_request(), json=body)
    if response.status_code < 400 or failures.process_code(response, body) == failures.ALREADY_RUNS:
        return
    raise errors.ProviderUnavailable(f"The sandbox answered {response.status_code}.")


async def processes_of(reach: Reach) -> list[dict[str, Any]]:
    """List processes as GET /process does, without their output."""
    reader = ListReader()
    async with _following(reach.at("/process"), extensions={"most": MAX_READ}) as response:
        async for piece in response.aiter_raw():
            reader.feed(piece)
    return await in_thread(reader.processes)


async def address_of(reach: Reach, name: str) -> str:
    """Return the path of a process's API. Raises ProcessNotFound."""
    identifier = name
    if not can_be_addressed(name):
        known = await processes_of(reach)
        named = [each for each in known if name in (each.get("name"), str(each.get("pid")))]
        if not named:
            raise errors.ProcessNotFound("The process no longer exists.")
        identifier = str(named[-1].get("pid"))
    return f"/process/{quote(identifier, safe='')}"


async def whole_log(reach: Reach, name: str) -> str:
    """Return what a process has printed so far; of a long log, the end."""
    where = reach.at(f"{await address_of(reach, name)}/logs")
    async with _following(where, extensions=_MAX_LOG) as response:
        await response.aread()
    return names.text((await in_thread(object_of, response)).get("logs"))
