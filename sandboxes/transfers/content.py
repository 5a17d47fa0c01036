"""One file: down with Range, up in parts that fit the provider's requests."""

import asyncio
import posixpath
from collections.abc import AsyncIterator

from sandboxes import errors
from sandboxes.dataplane import files, run_script, streaming_client
from sandboxes.transfers.admission import Exchange, ask, attachment, expect_success

# Blaxel takes 5 MB a request, with the form around the part.
PART = 4 * 2**20
_PASSED_ON = ("Content-Length", "Content-Range", "Accept-Ranges", "Last-Modified", "ETag")
_READ_MODE = '[ -f "$FILE" ] && stat -L -c %a -- "$FILE"'


class Content:
    async def download(self, exchange: Exchange) -> None:
        """The file; asked by HEAD, only what is known of it."""
        asked = exchange.request.headers
        ranges = {name: asked[name] for name in ("Range", "If-Range") if name in asked}
        where = files.location(exchange.url, exchange.path)
        async with streaming_client().stream("GET", where, headers=files.RAW | ranges) as response:
            if response.status_code != 416:
                await expect_success(response, exchange.path, "read a file")
                if not files.is_file(response):
                    raise errors.NotAFile(f"{exchange.path} is a folder. Download it as archive.")
            passed = {
                name: response.headers[name] for name in _PASSED_ON if name in response.headers
            }
            kind = {
                "Content-Type": "application/octet-stream",
                "Content-Disposition": attachment(posixpath.basename(exchange.path)),
                "Content-Security-Policy": "sandbox; default-src 'none'",
            }
            await exchange.begin(response.status_code, kind | passed)
            if exchange.request.method != "HEAD":
                async for data in response.aiter_raw():
                    await exchange.tell(data)
            await exchange.tell(b"", more=False)

    async def upload(self, exchange: Exchange) -> None:
        await _expect_room(exchange)
        parts = _parts(exchange.request.stream())
        first, is_last = await anext(parts)
        if is_last:
            where = files.location(exchange.url, exchange.path)
            await ask("PUT", where, exchange.path, files={"file": ("file", first)})
            size = len(first)
        else:
            size = await _in_parts(exchange, first, parts)
        body = b'{"size": %d}' % size
        kind = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        await exchange.begin(201, kind)
        await exchange.tell(body, more=False)


content = Content()


def _overwrites(exchange: Exchange) -> bool:
    return exchange.request.query_params.get("overwrite") in ("1", "true")


async def _expect_room(exchange: Exchange) -> None:
    """Raise NotAFile or FileExists for what is at the path, unless it may be overwritten."""
    if _overwrites(exchange):
        return
    where = files.location(exchange.url, exchange.path)
    async with streaming_client().stream("GET", where, headers=files.RAW) as response:
        if response.status_code == 404:
            return
        if not response.is_success:
            await expect_success(response, exchange.path, "look for a file")
        if not files.is_file(response):
            raise errors.NotAFile(f"{exchange.path} is a folder.")
    raise errors.FileExists(f"There is something at {exchange.path} already.")


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
    exchange: Exchange, first: bytes, rest: AsyncIterator[tuple[bytes, bool]]
) -> int:
    """Nothing is at the path before all of it is there, also when the transfer breaks off."""
    url, path = exchange.url, exchange.path
    where = files.location(url, path, "filesystem-multipart/initiate")
    started = await ask("POST", where, path, json=await _kept(exchange))
    upload = f"{url}/filesystem-multipart/{started.json()['uploadId']}"
    try:
        told, size = [await _part(upload, path, 1, first)], len(first)
        async for data, _ in rest:
            told.append(await _part(upload, path, len(told) + 1, data))
            size += len(data)
        # Somebody may have made it while the parts were on their way.
        await _expect_room(exchange)
        await ask("POST", f"{upload}/complete", path, json={"parts": told}, timeout=300)
    except BaseException:
        # Also when this very task is cancelled: by a sign-out, or because the page went away.
        await asyncio.shield(streaming_client().delete(f"{upload}/abort"))
        raise
    return size


async def _kept(exchange: Exchange) -> dict[str, str]:
    """The permissions of the file that is overwritten: a program stays one."""
    if not _overwrites(exchange):
        return {}
    values = {"FILE": exchange.path}
    ran = await asyncio.to_thread(run_script, exchange.url, _READ_MODE, values, 15)
    return {"permissions": ran.stdout.strip()} if ran.stdout else {}


async def _part(upload: str, path: str, number: int, data: bytes) -> dict[str, object]:
    form = {"file": ("part", data)}
    answer = await ask("PUT", f"{upload}/part", path, params={"partNumber": number}, files=form)
    return {"partNumber": number, "etag": answer.json()["etag"]}
