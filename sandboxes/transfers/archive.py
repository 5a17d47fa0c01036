"""A folder as a .tar.gz that is made while it is sent."""

import asyncio
import posixpath
import tarfile
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from sandboxes import errors
from sandboxes.dataplane import files, run_script, streaming_client
from sandboxes.transfers.admission import Exchange, attachment, expect_success

NOTE = "NOT IN THIS ARCHIVE.txt"
_BLOCK = tarfile.BLOCKSIZE
# What each suspect leads to, ended by a NUL; no name has a slash: it divides them.
_READ_LINKS = r"""
IFS=/; set -f
for name in $NAMES; do
  path=$FOLDER/$name
  if [ -L "$path" ]; then printf 'l%s\0' "$(readlink "$path")"; else printf 'f\0'; fi
done
"""


async def archive(exchange: Exchange) -> None:
    first = await _listed(exchange.url, exchange.path)
    name = posixpath.basename(exchange.path) or "sandbox"
    kind = {
        "Content-Type": "application/gzip",
        "Content-Disposition": attachment(f"{name}.tar.gz"),
    }
    await exchange.begin(200, kind)
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
    async for data in _Archive(exchange.url, exchange.path, name).blocks(first):
        if squeezed := squeeze.compress(data):
            await exchange.tell(squeezed)
    await exchange.tell(squeeze.flush(), more=False)


async def _listed(url: str, path: str) -> dict[str, Any]:
    async with streaming_client().stream(
        "GET", files.location(url, path), headers=files.RAW
    ) as response:
        await expect_success(response, path, "read a folder")
        if files.is_file(response):
            raise errors.NotAFolder(f"{path} is a file, and needs no archive.")
        await response.aread()
        listing: dict[str, Any] = response.json()
        return listing


@dataclass
class _Archive:
    url: str
    root: str
    name: str
    notes: list[str] = field(default_factory=list)

    async def blocks(self, first: dict[str, Any]) -> AsyncIterator[bytes]:
        async for block in self._folder(self.root, first):
            yield block
        if self.notes:
            text = "\n".join(self.notes).encode("utf-8", "replace") + b"\n"
            yield _header(f"{self.name}/{NOTE}", tarfile.REGTYPE, size=len(text))
            yield text + bytes(-len(text) % _BLOCK)
        yield bytes(2 * _BLOCK)

    async def _folder(self, path: str, listing: dict[str, Any]) -> AsyncIterator[bytes]:
        yield _header(f"{self._inside(path)}/", tarfile.DIRTYPE, mode=0o755)
        links = await self._links(path, listing)
        for each in listing.get("files") or []:
            where = posixpath.join(path, each["name"])
            if each["name"] in links:
                yield _header(self._inside(where), tarfile.SYMTYPE, link=links[each["name"]])
                continue
            async for block in self._file(where, each):
                yield block
        for each in listing.get("subdirectories") or []:
            where = posixpath.join(path, each["name"])
            try:
                below = await _listed(self.url, where)
            except (errors.SandboxError, httpx.HTTPError) as exc:
                self._note(where, exc)
                continue
            async for block in self._folder(where, below):
                yield block

    async def _file(self, path: str, listed: dict[str, Any]) -> AsyncIterator[bytes]:
        """A header once it is known that there is content, then exactly so much as it says."""
        left = None
        try:
            async with streaming_client().stream(
                "GET", files.location(self.url, path), headers=files.RAW
            ) as response:
                await expect_success(response, path, "read a file")
                size = int(response.headers["Content-Length"])
                content = response.aiter_raw()
                ahead = await anext(content, b"")
                yield _described(self._inside(path), listed, size)
                left = size
                async for data in _from(ahead, content):
                    yield data[:left]
                    left -= len(data[:left])
        except (errors.SandboxError, httpx.HTTPError, KeyError) as exc:
            self._note(path, exc)
        if left is not None:
            if left:
                self.notes.append(f"{path}: it changed while it was read; its end is missing.")
            while left > 0:
                yield bytes(min(left, 2**16))
                left -= min(left, 2**16)
            yield bytes(-size % _BLOCK)

    async def _links(self, path: str, listing: dict[str, Any]) -> dict[str, str]:
        names = [
            each["name"]
            for each in listing.get("files") or []
            if str(each.get("permissions")) == "777" and int(each.get("size") or 0) < 4096
        ]
        if not names:
            return {}
        values = {"FOLDER": path, "NAMES": "/".join(names)}
        try:
            ran = await asyncio.to_thread(run_script, self.url, _READ_LINKS, values, 15)
        except errors.SandboxError as exc:
            self._note(path, exc)
            return {}
        told = ran.stdout.split("\0")
        pairs = zip(names, told, strict=False)
        return {name: said[1:] for name, said in pairs if said.startswith("l")}

    def _inside(self, path: str) -> str:
        below = posixpath.relpath(path, self.root)
        return self.name if below == "." else f"{self.name}/{below}"

    def _note(self, path: str, exc: Exception) -> None:
        said = str(exc) if isinstance(exc, errors.SandboxError) else "it could not be read."
        self.notes.append(f"{path}: {said}")


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for data in rest:
        yield data


def _described(name: str, listed: dict[str, Any], size: int) -> bytes:
    mode = int(str(listed.get("permissions") or "644"), 8)
    modified = datetime.fromisoformat(listed["lastModified"]).timestamp()
    return _header(name, tarfile.REGTYPE, size=size, mode=mode, modified=modified)


def _header(
    name: str, kind: bytes, *, size: int = 0, mode: int = 0o644, modified: float = 0, link: str = ""
) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.linkname = kind, size, mode, link
    info.mtime = int(modified)
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
