"""One file: down with Range, up in parts that fit the provider's requests."""

import asyncio
import posixpath
import re
from collections.abc import AsyncIterator, Mapping
from functools import partial

import httpx

from manta.core.computing import while_waiting
from sandboxes import errors
from sandboxes.data_plane import drafts, files
from sandboxes.data_plane.async_client import PASSED_ON, streaming_client
from sandboxes.data_plane.files import PART
from sandboxes.models.reach import Reach
from sandboxes.streams.transfers.admission import Exchange, ask, attachment, expect_success

_ONE_RANGE = re.compile(r"bytes=(\d{1,18})?-((?(1)\d{0,18}|\d{1,18}))", re.ASCII)
_PASSED_ON = ("Content-Length", "Content-Range", "Accept-Ranges", "Last-Modified", "ETag")


class Content:
    async def download(self, exchange: Exchange) -> None:
        """The file; asked by HEAD, only what is known of it."""
        ranges = _ranges(exchange.request.headers)
        where = files.location(exchange.reach, exchange.path)
        async with streaming_client().stream(
            "GET", **where.as_request(files.RAW | ranges), extensions=PASSED_ON
        ) as response:
            if response.status_code != 416:
                await expect_success(response, exchange.path, "read a file")
                if not files.is_file(response):
                    raise errors.NotAFile(f"{exchange.path} is a folder. Download it as archive.")
            told = {name: str(response.headers.get(name, "")) for name in _PASSED_ON}
            passed = {name: text for name, text in told.items() if _is_plain(text)}
            kind = {
                "Content-Type": "application/octet-stream",
                "Content-Disposition": attachment(posixpath.basename(exchange.path)),
                "Content-Security-Policy": "sandbox; default-src 'none'",
            }
            content = response.aiter_raw()
            first = await _first(content, exchange.path)
            await exchange.begin(response.status_code, kind | passed)
            if exchange.request.method != "HEAD":
                await exchange.tell(first)
                async for data in content:
                    await exchange.tell(data)
            await exchange.tell(b"", more=False)

    async def upload(self, exchange: Exchange) -> None:
        """Upload into a draft, which takes the file's place when it is complete."""
        await _expect_room(exchange)
        parts = _parts(exchange.request.stream())
        first, is_last = await anext(parts)
        draft = drafts.beside(exchange.path)
        try:
            if is_last:
                where = files.location(exchange.reach, draft)
                await ask("PUT", where, exchange.path, files={"file": ("file", first)})
                size = len(first)
            else:
                size = await _in_parts(exchange, draft, first, parts)
            put = partial(drafts.place, overwrite=_overwrites(exchange))
            await while_waiting(put, exchange.reach, draft, exchange.path)
        except BaseException:
            # Also when this very task is cancelled: by a sign-out, or because the page went away.
            await asyncio.shield(while_waiting(drafts.remove, exchange.reach, draft))
            raise
        body = b'{"size": %d}' % size
        kind = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        await exchange.begin(201, kind)
        await exchange.tell(body, more=False)


content = Content()


async def _first(content: AsyncIterator[bytes], path: str) -> bytes:
    """The first piece, before an answer begins: a sandbox may say that a file is there, and then
    not be able to read it.
    """
    try:
        return await anext(content, b"")
    except httpx.TimeoutException:
        raise
    except httpx.HTTPError as exc:
        raise errors.FileDenied(f"{path} can't be read: permission denied.") from exc


def _ranges(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what asks for a part of the file. Anything but one range is ignored (RFC 9110, 14.2):
    several would come as a form.
    """
    found = _ONE_RANGE.fullmatch(asked.get("Range", ""))
    if found is None or (found[1] and found[2] and int(found[1]) > int(found[2])):
        return {}
    return {name: asked[name] for name in ("Range", "If-Range") if name in asked}


def _is_plain(text: str) -> bool:
    """Return whether a header may hold the text: a sandbox may say anything."""
    return bool(text) and text.isascii() and text.isprintable()


def _overwrites(exchange: Exchange) -> bool:
    return exchange.request.query_params.get("overwrite") in ("1", "true")


async def _expect_room(exchange: Exchange) -> None:
    """Raise NotAFile or FileExists for what is at the path, unless it may be overwritten."""
    if _overwrites(exchange):
        return
    where = files.location(exchange.reach, exchange.path)
    async with streaming_client().stream(
        "GET", **where.as_request(files.RAW), extensions=PASSED_ON
    ) as response:
        if response.status_code == 404:
            return
        if not response.is_success:
            await expect_success(response, exchange.path, "look for a file")
        if not files.is_file(response):
            raise errors.NotAFile(f"{exchange.path} is a folder.")
    raise errors.FileExists(f"Something already exists at {exchange.path}.")


async def _parts(body: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    """The body in pieces of one size, each with whether it is the last, which may be smaller."""
    held = bytearray()
    async for data in body:
        held += data
        while len(held) > PART:
            yield bytes(held[:PART]), False
            del held[:PART]
    yield bytes(held), True


async def _in_parts(
    exchange: Exchange, draft: str, first: bytes, rest: AsyncIterator[tuple[bytes, bool]]
) -> int:
    reach, path = exchange.reach, exchange.path
    where = files.location(reach, draft, "filesystem-multipart/initiate")
    started = await ask("POST", where, path, json={})
    upload = reach.at(f"/filesystem-multipart/{started.json()['uploadId']}")
    try:
        told, size = [await _part(upload, path, 1, first)], len(first)
        async for data, _ in rest:
            told.append(await _part(upload, path, len(told) + 1, data))
            size += len(data)
        await ask("POST", upload.at("/complete"), path, json={"parts": told}, timeout=300)
    except BaseException:
        await asyncio.shield(streaming_client().delete(**upload.at("/abort").as_request()))
        raise
    return size


async def _part(upload: Reach, path: str, number: int, data: bytes) -> dict[str, object]:
    form = {"file": ("part", data)}
    answer = await ask("PUT", upload.at("/part"), path, params={"partNumber": number}, files=form)
    return {"partNumber": number, "etag": answer.json()["etag"]}
