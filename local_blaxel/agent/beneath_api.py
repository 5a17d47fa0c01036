"""The file API's answers to requests that are held to one folder."""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from . import files, paths
from .beneath import HEADER, Folder, held_folder
from .files import failing_with, octal
from .sandbox import Sandbox
from .wire import ApiError, Json, query_flag, read_json
from .writing import refuse_irregular, written_at

# What looks below a folder by itself holds to it by itself, too.
SEARCHES = ("/filesystem-search", "/filesystem-find", "/filesystem-content-search")
GREP = "/codegen/grep"


class Held:
    """Middleware: answers a request that is held to a folder, or refuses one that can't be."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = [name for name, _ in scope.get("headers", [])]
        if HEADER.encode() not in names or self._holds_itself(scope):
            await self._app(scope, receive, send)
            return
        try:
            answer = await self._answer(Request(scope, receive))
        except ApiError as exc:
            answer = Json(exc.body(), exc.status)
        await answer(scope, receive, send)

    def _holds_itself(self, scope: Scope) -> bool:
        path = scope["path"]
        return any(path == each or path.startswith(f"{each}/") for each in (*SEARCHES, GREP))

    async def _answer(self, request: Request) -> Response:
        url, methods = request.url.path, {"GET": self._read, "PUT": self._write}
        methods["DELETE"] = self._delete
        is_file = url == files.PREFIX or url.startswith(f"{files.PREFIX}/")
        if not is_file or url.startswith(f"{files.PREFIX}/tree"):
            raise ApiError(403, f"{url} can't be held to a folder")
        if request.method not in methods:
            raise ApiError(405, "method not allowed")
        path = paths.requested(request, self._sandbox, files.PREFIX)
        return await methods[request.method](request, path)

    async def _read(self, request: Request, path: str) -> Response:
        with held_folder(request, self._sandbox) as folder:
            return await asyncio.to_thread(_read, folder, path, query_flag(request, "download"))

    async def _write(self, request: Request, path: str) -> Response:
        body = await read_json(request)
        mode = octal(body.text("permissions"))
        content = None if body.flag("isDirectory") else body.text("content").encode()
        with held_folder(request, self._sandbox, make=True) as folder:
            await asyncio.to_thread(_write, folder, path, content, mode)
        return Json({"path": path, "message": "Written successfully"})

    async def _delete(self, request: Request, path: str) -> Response:
        with held_folder(request, self._sandbox) as folder:
            if folder.relative(path) == ".":
                raise ApiError(403, f"{path} itself can't be deleted")
            parent, name = posixpath.split(path)
            with failing_with(404, "stat", path):
                above = folder.open(parent, os.O_PATH | os.O_DIRECTORY)
            try:
                recursive = query_flag(request, "recursive")
                return await files.remove(path, recursive=recursive, place=(above, name))
            finally:
                os.close(above)


def _read(folder: Folder, path: str, as_bytes: bool) -> Response:
    with failing_with(404, "stat", path):
        fd = folder.open(path, os.O_PATH)
    try:
        info, place = os.fstat(fd), f"/proc/self/fd/{fd}"
        if stat.S_ISDIR(info.st_mode):
            with _told_of(path, place):
                listed = _named(files.list_directory(place), place, path)
            return Json(listed | {"name": posixpath.basename(path)})
        refuse_irregular(path, info)
        if info.st_size > files.MAX_JSON_FILE:
            raise ApiError(413, f"{path} is too large")
        with _told_of(path, place):
            content = files.read_file(place)
    finally:
        os.close(fd)
    if as_bytes:
        return Response(content, media_type="application/octet-stream")
    described = files.describe(path, info)
    return Json(described | {"content": content.decode(errors="replace")})


def _write(folder: Folder, path: str, content: bytes | None, mode: int | None) -> None:
    if content is None:
        with failing_with(422, "mkdir", path):
            folder.make_folders(path)
            with folder.opened(path, os.O_RDONLY | os.O_DIRECTORY) as made:
                if mode is not None:
                    os.fchmod(made, mode)
        return
    with failing_with(422, "open", path):
        folder.make_folders(posixpath.dirname(path))
        with folder.place_of(path) as (above, name), written_at(above, name, mode) as file:
            file.write(content)


@contextmanager
def _told_of(path: str, place: str) -> Iterator[None]:
    """Have errors name the path, and not the place where it is open."""
    try:
        yield
    except ApiError as exc:
        raise ApiError(exc.status, exc.message.replace(place, path), exc.code) from exc


def _named(value: Any, place: str, path: str) -> Any:
    """Say about the path what was said about the place where it is open."""
    if isinstance(value, dict):
        return {key: _named(each, place, path) for key, each in value.items()}
    if isinstance(value, list):
        return [_named(each, place, path) for each in value]
    if isinstance(value, str) and (value == place or value.startswith(f"{place}/")):
        return path.rstrip("/") + value.removeprefix(place) or "/"
    return value
