"""A folder as a .tar.gz that is made while it is sent."""

import asyncio
import posixpath
import re
import tarfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from manta.core.computing import in_thread, while_waiting
from sandboxes import errors
from sandboxes.data_plane import entries, files, names
from sandboxes.data_plane.async_client import PASSED_ON, streaming_client
from sandboxes.data_plane.client import object_of
from sandboxes.data_plane.files import Listing
from sandboxes.models.reach import Reach
from sandboxes.streams.transfers.admission import Exchange, attachment, expect_success

NOTE = "NOT IN THIS ARCHIVE.txt"
_BLOCK = tarfile.BLOCKSIZE
_MODE = re.compile("[0-7]{3,4}")
_MAYBE_LINK = "whether it is a link is not known."
# Bytes that stand for the missing end of a file that became shorter; digits of a file's size.
_MAX_PADDED, _MAX_SIZE = 2**30, 16


async def archive(exchange: Exchange) -> None:
    first = await _listed(exchange.reach, exchange.path)
    name = posixpath.basename(exchange.path) or "sandbox"
    kind = {
        "Content-Type": "application/gzip",
        "Content-Disposition": attachment(f"{name}.tar.gz"),
    }
    await exchange.begin(200, kind)
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
    async for data in _Archive(exchange.reach, exchange.path, name).blocks(first):
        if squeezed := squeeze.compress(data):
            await exchange.tell(squeezed)
    await exchange.tell(squeeze.flush(), more=False)


async def _listed(reach: Reach, path: str) -> Listing:
    limit = {"most": files.MAX_LISTED}
    where = files.location(reach, path).as_request(files.RAW)
    async with streaming_client().stream("GET", **where, extensions=limit) as response:
        await expect_success(response, path, "read a folder")
        if files.is_file(response):
            raise errors.NotAFolder(f"{path} is a file, which needs no archive.")
        await response.aread()
        body = await in_thread(object_of, response, files.MAX_TOKENS_LISTED)
    return await while_waiting(files.listing, reach, path, body)


@dataclass
class _Archive:
    reach: Reach
    root: str
    name: str
    notes: list[str] = field(default_factory=list)

    async def blocks(self, first: Listing) -> AsyncIterator[bytes]:
        async for block in self._folders(first):
            yield block
        if self.notes:
            text = "\n".join(self.notes).encode("utf-8", "replace") + b"\n"
            yield _header(names.raw(f"{self.name}/{NOTE}"), tarfile.REGTYPE, size=len(text))
            yield text + bytes(-len(text) % _BLOCK)
        yield bytes(2 * _BLOCK)

    async def _folders(self, first: Listing) -> AsyncIterator[bytes]:
        """The first and all below it, however deep; of those to come only the paths are held."""
        listing: Listing | None = first
        paths = [self.root]
        while paths:
            path = paths.pop()
            try:
                listing = await _listed(self.reach, path) if listing is None else listing
            except (errors.SandboxError, httpx.HTTPError) as exc:
                self._note(path, exc)
                continue
            async for block in self._folder(path, listing):
                yield block
            below = map(names.told, reversed(listing.folders))
            paths += [posixpath.join(path, name) for name in below]
            listing = None

    async def _folder(self, path: str, listing: Listing) -> AsyncIterator[bytes]:
        """Yield the folder's entry and those of its files and links."""
        yield _header(f"{self._inside(path)}/", tarfile.DIRTYPE, mode=0o755)
        suspects = set(listing.suspects)
        links = await self._links(path) if suspects else {}
        for each in listing.files:
            name = each["name"]
            where = posixpath.join(path, names.told(name))
            if links is None and name in suspects:
                self.notes.append(f"{where}: {_MAYBE_LINK}")
            elif links and name in links:
                yield _header(self._inside(where), tarfile.SYMTYPE, link=links[name].target)
            else:
                async for block in self._file(where, each):
                    yield block

    async def _file(self, path: str, listed: dict[str, Any]) -> AsyncIterator[bytes]:
        """Yield a header once it is known that there is content, then exactly the size it gives."""
        left = None
        try:
            where = files.location(self.reach, path).as_request(files.RAW)
            async with streaming_client().stream("GET", **where, extensions=PASSED_ON) as response:
                await expect_success(response, path, "read a file")
                if not files.is_file(response):
                    raise errors.NotAFile("it is no longer a file.")
                size = _size(response)
                content = response.aiter_raw()
                ahead = await anext(content, b"")
                yield _described(self._inside(path), listed, size)
                left = size
                async for data in _from(ahead, content):
                    yield data[:left]
                    left -= len(data[:left])
        except (errors.SandboxError, httpx.HTTPError) as exc:
            self._note(path, exc)
        if left is not None:
            if left:
                self.notes.append(f"{path}: it changed while it was read; its end is missing.")
            if left > _MAX_PADDED:
                raise errors.ProviderUnavailable(
                    f"The connection broke while your sandbox sent {path}."
                )
            while left > 0:
                await asyncio.sleep(0)  # others go on meanwhile
                yield bytes(min(left, 2**16))
                left -= min(left, 2**16)
            yield bytes(-size % _BLOCK)

    async def _links(self, path: str) -> dict[str, entries.Entry] | None:
        """The folder's links by their raw names; None when they can't be told from files."""
        try:
            return await while_waiting(entries.links, self.reach, path, targets=True)
        except errors.SandboxError as exc:
            self._note(path, exc)
            return None

    def _inside(self, path: str) -> str:
        """The raw name in the archive."""
        below = posixpath.relpath(path, self.root)
        return names.raw(self.name if below == "." else f"{self.name}/{below}")

    def _note(self, path: str, exc: Exception) -> None:
        said = str(exc) if isinstance(exc, errors.SandboxError) else "it could not be read."
        self.notes.append(f"{path}: {said}")


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for data in rest:
        yield data


def _size(response: httpx.Response) -> int:
    """Raises ProviderUnavailable for what is no size."""
    told = response.headers.get("Content-Length", "")
    if not (told.isascii() and told.isdigit() and len(told) < _MAX_SIZE):
        raise errors.ProviderUnavailable("Your sandbox did not report its length.")
    return int(told)


def _described(name: str, listed: dict[str, Any], size: int) -> bytes:
    told = str(listed.get("permissions"))
    mode = int(told, 8) if _MODE.fullmatch(told) else 0o644
    try:
        modified = datetime.fromisoformat(str(listed.get("lastModified"))[:64]).timestamp()
    except (ValueError, OverflowError):
        modified = 0
    return _header(name, tarfile.REGTYPE, size=size, mode=mode, modified=modified)


def _header(
    name: str, kind: bytes, *, size: int = 0, mode: int = 0o644, modified: float = 0, link: str = ""
) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.linkname = kind, size, mode, link
    info.mtime = int(modified)
    # In the newer format names are UTF-8, and tar warns of any other.
    is_raw = names.is_raw(name) or names.is_raw(link)
    if is_raw:
        return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
