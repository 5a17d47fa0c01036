"""``/filesystem``: read, list, write and delete one file or directory."""

from __future__ import annotations

import asyncio
import grp
import mimetypes
import os
import posixpath
import pwd
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from . import paths
from .sandbox import Sandbox
from .wire import ApiError, Json, query_flag, read_json

PREFIX = "/filesystem"
# Inside JSON a file is held in memory several times; larger ones are read raw.
MAX_JSON_FILE = 64 * 2**20
DEFAULT_FILE_MODE = 0o644


class FileApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route(PREFIX + path, handler, methods=[method])
            for path in ("", "/{path:path}")
            for method, handler in {
                "GET": self.read,
                "PUT": self.write,
                "DELETE": self.delete,
            }.items()
        ]

    async def read(self, request: Request) -> Response:
        path = self._path(request)
        info = status(path)
        if stat.S_ISDIR(info.st_mode):
            return Json(await asyncio.to_thread(list_directory, path))
        refuse_irregular(path, info)
        if query_flag(request, "download") or _asks_for_bytes(request):
            return _raw(path, info)
        if info.st_size > MAX_JSON_FILE:
            raise ApiError(413, f"{path} is too large for JSON; ask for application/octet-stream")
        content = await asyncio.to_thread(read_file, path)
        return Json(describe(path, info) | {"content": content.decode(errors="replace")})

    async def write(self, request: Request) -> Response:
        path = self._path(request)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            return await self._write_upload(request, path)
        body = await read_json(request)
        if body.flag("isDirectory"):
            mode = octal(body.text("permissions"))
            with failing_with(422, "mkdir", path):
                os.makedirs(path, exist_ok=True)
                if mode is not None:
                    os.chmod(path, mode)
            return _done(path, "Directory created successfully")
        mode = octal(body.text("permissions"))
        content = body.text("content").encode()
        with failing_with(422, "open", path), create(path, mode) as file:
            file.write(content)
        return _done(path, "File created/updated successfully")

    async def _write_upload(self, request: Request, path: str) -> Response:
        async with uploaded_file(request) as (file, permissions):
            mode = octal(permissions)
            await asyncio.to_thread(_store, file, path, mode)
        return _done(path, "Binary file uploaded successfully")

    async def delete(self, request: Request) -> Response:
        path = self._path(request)
        return await remove(path, recursive=query_flag(request, "recursive"))

    def _path(self, request: Request) -> str:
        return paths.requested(request, self._sandbox, PREFIX)


@asynccontextmanager
async def uploaded_file(request: Request) -> AsyncIterator[tuple[BinaryIO, str]]:
    """The form's file, spooled to disk when large, and its field `permissions`."""
    try:
        form = await request.form(max_files=1, max_fields=16)
    except (MultiPartException, ClientDisconnect) as exc:
        raise ApiError(400, f"the form can't be read: {exc}") from exc
    try:
        upload, permissions = form.get("file"), form.get("permissions") or ""
        if not isinstance(upload, UploadFile) or not isinstance(permissions, str):
            raise ApiError(400, "the form needs a file named 'file'")
        yield upload.file, permissions
    finally:
        await form.close()


def status(path: str) -> os.stat_result:
    """What the path leads to. Raises ApiError 404 when there is nothing."""
    try:
        return os.stat(path)
    except OSError as exc:
        missing = isinstance(exc, (FileNotFoundError, NotADirectoryError))
        raise ApiError(404 if missing else 500, explain("stat", path, exc)) from exc


def refuse_irregular(path: str, info: os.stat_result) -> None:
    """A pipe or a device could block for ever, or never end."""
    if not stat.S_ISREG(info.st_mode):
        raise ApiError(422, f"{path} is not a regular file")


def read_file(path: str) -> bytes:
    with failing_with(422, "open", path):
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            refuse_irregular(path, os.fstat(fd))
            return file.read(MAX_JSON_FILE)


def create(path: str, mode: int | None = None) -> BinaryIO:
    """Open the file for writing, empty, with its parents made. Refuses what is no regular file.

    An existing file keeps its permissions unless a mode is given.
    """
    os.makedirs(posixpath.dirname(path), exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(path, flags, DEFAULT_FILE_MODE)
    try:
        refuse_irregular(path, os.fstat(fd))
        if mode is not None:
            os.fchmod(fd, mode)
        os.ftruncate(fd, 0)
    except BaseException:
        os.close(fd)
        raise
    return open(fd, "wb")


def list_directory(path: str) -> dict[str, Any]:
    """One level; links are listed as themselves."""
    files, folders = [], []
    with failing_with(422, "open", path), os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            where = posixpath.join(path, entry.name)
            if entry.is_dir(follow_symlinks=False):
                folders.append({"path": where, "name": entry.name})
            else:
                files.append(describe(where, entry.stat(follow_symlinks=False)))
    return {
        "path": path,
        "name": posixpath.basename(path),
        "files": files,
        "subdirectories": folders,
    }


def describe(path: str, info: os.stat_result) -> dict[str, Any]:
    modified = datetime.fromtimestamp(info.st_mtime, UTC)
    return {
        "path": path,
        "name": posixpath.basename(path),
        "permissions": f"{stat.S_IMODE(info.st_mode) & 0o777:o}",
        "size": info.st_size,
        "lastModified": modified.isoformat().replace("+00:00", "Z"),
        "owner": _owner(info.st_uid),
        "group": _group(info.st_gid),
    }


async def remove(path: str, *, recursive: bool) -> Response:
    try:
        info = os.lstat(path)
    except OSError as exc:
        raise ApiError(404, explain("stat", path, exc)) from exc
    if not stat.S_ISDIR(info.st_mode):
        with failing_with(422, "remove", path):
            os.unlink(path)
        return _done(path, "File deleted successfully")
    if recursive:
        await _remove_tree(path)
    else:
        with failing_with(422, "remove", path):
            os.rmdir(path)
    return _done(path, "Directory deleted successfully")


async def _remove_tree(path: str) -> None:
    """With rm, which no depth of folders stops."""
    env, pipe = {"PATH": "/usr/bin:/bin"}, asyncio.subprocess.PIPE
    rm = await asyncio.create_subprocess_exec("rm", "-rf", "--", path, stderr=pipe, env=env)
    _, errors = await rm.communicate()
    if rm.returncode:
        raise ApiError(422, errors.decode(errors="replace").strip().splitlines()[-1])


def octal(text: str) -> int | None:
    if not text:
        return None
    try:
        mode = int(text, 8)
    except ValueError:
        raise ApiError(400, f"permissions must be octal digits, not {text!r}") from None
    if not 0 <= mode <= 0o7777:
        raise ApiError(400, f"permissions must be octal digits, not {text!r}")
    return mode


@contextmanager
def failing_with(code: int, verb: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise ApiError(code, explain(verb, path, exc)) from exc


def explain(verb: str, path: str, exc: OSError) -> str:
    """As Go words it: ``stat /x: no such file or directory``."""
    return f"{verb} {path}: {(exc.strerror or str(exc)).lower()}"


def _asks_for_bytes(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*")
    return "json" not in accepted and "*/*" not in accepted


def _raw(path: str, info: os.stat_result) -> Response:
    name = posixpath.basename(path)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # A full copy only for /proc and the like, whose files say that they are empty.
    if info.st_size == 0:
        disposition = FileResponse(path, filename=name, stat_result=info).headers
        kept = {"content-disposition": disposition["content-disposition"]}
        return Response(read_file(path), media_type=media_type, headers=kept)
    return FileResponse(path, media_type=media_type, filename=name, stat_result=info)


def _store(source: BinaryIO, path: str, mode: int | None) -> None:
    with failing_with(422, "open", path), create(path, mode) as file:
        shutil.copyfileobj(source, file, 2**20)


def _done(path: str, message: str) -> Response:
    return Json({"path": path, "message": message})


@lru_cache(maxsize=64)
def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@lru_cache(maxsize=64)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
