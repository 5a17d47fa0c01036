"""``/filesystem``: read, list, write and delete one file or directory."""

from __future__ import annotations

import asyncio
import errno
import grp
import io
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
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from . import limits, paths, programs
from .sandbox import Sandbox
from .wire import ApiError, Json, query_flag, read_json
from .writing import CHUNK, refuse_irregular, written

PREFIX = "/filesystem"
# Inside JSON a file is held in memory several times; larger ones are read raw.
MAX_JSON_FILE = 64 * 2**20
# Of the years 1 and 9999. A file system in memory keeps the times of any other, too.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
# What the kernel says of a file that it makes up when it is read.
MAX_PSEUDO_FILE = 2**20
# A file that is read at once: a thread for it would take longer than the disk.
SMALL = 64 * 2**10
# An addition to Blaxel's headers: whether the sandbox's programs may write to the file.
WRITABLE = "X-Local-Blaxel-Writable"


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
            return _raw(path, info, has_range="range" in request.headers)
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
        content = io.BytesIO(body.text("content").encode())
        await asyncio.to_thread(_store, content, path, mode)
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
    # A form may name any codec of Python as its charset.
    except (MultiPartException, ClientDisconnect, UnicodeError) as exc:
        raise ApiError(400, f"the form can't be read: {exc}") from exc
    try:
        upload, permissions = form.get("file"), form.get("permissions") or ""
        if not isinstance(upload, UploadFile) or not isinstance(permissions, str):
            raise ApiError(400, "the form needs a file named 'file'")
        yield upload.file, permissions
    finally:
        await form.close()


def status(path: str) -> os.stat_result:
    """Return what the path leads to. Raises ApiError 404 when there is nothing."""
    try:
        return os.stat(path)
    except OSError as exc:
        missing = isinstance(exc, (FileNotFoundError, NotADirectoryError))
        raise refusal(404 if missing else 500, "stat", path, exc) from exc


def read_file(path: str, max_bytes: int = MAX_JSON_FILE) -> bytes:
    with failing_with(422, "open", path):
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            refuse_irregular(path, os.fstat(fd))
            return b"".join(pieces(file, max_bytes))


def pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """So many bytes, or all. Of what it makes up the kernel refuses to read megabytes at once."""
    while size and (data := file.read(min(size, CHUNK))):
        yield data
        size -= len(data)


def list_directory(path: str) -> dict[str, Any]:
    """One level; links are listed as themselves, and what has vanished meanwhile is left out."""
    files, folders = [], []
    with failing_with(422, "open", path), os.scandir(path) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        where = posixpath.join(path, entry.name)
        try:
            if entry.is_dir(follow_symlinks=False):
                folders.append({"path": where, "name": entry.name})
            else:
                files.append(describe(where, entry.stat(follow_symlinks=False)))
        except FileNotFoundError:
            continue
        except OSError:  # A folder that may be read and not entered gives names alone.
            files.append(describe(where, os.stat_result((0,) * 10)) | {"lastModified": ""})
    return {
        "path": path,
        "name": posixpath.basename(path),
        "files": files,
        "subdirectories": folders,
    }


def describe(path: str, info: os.stat_result) -> dict[str, Any]:
    modified = datetime.fromtimestamp(_modified(info), UTC)
    return {
        "path": path,
        "name": posixpath.basename(path),
        "permissions": f"{stat.S_IMODE(info.st_mode) & 0o777:o}",
        "size": info.st_size,
        "lastModified": modified.isoformat().replace("+00:00", "Z"),
        "owner": _owner(info.st_uid),
        "group": _group(info.st_gid),
    }


def _modified(info: os.stat_result) -> float:
    """Return when a file was changed, or the nearest time of a year that dates are written with."""
    return min(max(info.st_mtime, FIRST_SECOND), LAST_SECOND)


async def remove(
    path: str, *, recursive: bool, place: tuple[int | None, str] | None = None
) -> Response:
    """Remove what is at the path, which is the place in an open folder where one is given."""
    folder, name = place or (None, path)
    try:
        info = (
            os.lstat(name)
            if folder is None
            else os.stat(name, dir_fd=folder, follow_symlinks=False)
        )
    except OSError as exc:
        raise refusal(404, "stat", path, exc) from exc
    if not stat.S_ISDIR(info.st_mode):
        with failing_with(422, "remove", path):
            os.unlink(name, dir_fd=folder)
        return _done(path, "File deleted successfully")
    if recursive:
        await _remove_tree(name, folder)
    else:
        with failing_with(422, "remove", path):
            os.rmdir(name, dir_fd=folder)
    return _done(path, "Directory deleted successfully")


async def _remove_tree(path: str, folder: int | None) -> None:
    """Remove a tree with rm, which no depth of folders stops."""
    env, pipe = programs.environment(), asyncio.subprocess.PIPE
    program = programs.find("rm") or "rm"
    cwd = None if folder is None else f"/proc/self/fd/{folder}"
    rm = await limits.starting(
        lambda: asyncio.create_subprocess_exec(
            program, "-rf", "--", path, stderr=pipe, env=env, cwd=cwd
        )
    )
    _, errors = await rm.communicate()
    if rm.returncode:
        said = errors.decode(errors="replace").strip().splitlines()[-1]
        raise ApiError(422, said, _number_of(said.rpartition(": ")[2]))


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
        raise refusal(code, verb, path, exc) from exc


def refusal(status: int, verb: str, path: str, exc: OSError) -> ApiError:
    """The system's own refusal: in Go's words for people, by its number's name for programs."""
    return ApiError(status, explain(verb, path, exc), errno.errorcode.get(exc.errno or 0))


def _number_of(message: str) -> str | None:
    """The name of the error number that the system has this message for."""
    names = (name for number, name in errno.errorcode.items() if os.strerror(number) == message)
    return next(names, None)


def explain(verb: str, path: str, exc: OSError) -> str:
    """Word an error as Go does: ``stat /x: no such file or directory``."""
    return f"{verb} {path}: {(exc.strerror or str(exc)).lower()}"


def _asks_for_bytes(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*")
    return "json" not in accepted and "*/*" not in accepted


def _raw(path: str, info: os.stat_result, *, has_range: bool = False) -> Response:
    name = posixpath.basename(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = FileResponse(path, media_type=media_type, filename=name, stat_result=_dated(info))
    response.headers[WRITABLE] = str(os.access(path, os.W_OK)).lower()
    # A full copy only for /proc and /sys, whose files hold other content than their size says.
    if info.st_blocks == 0 and info.st_size <= MAX_PSEUDO_FILE:
        kept = ("content-disposition", "last-modified", WRITABLE.lower())
        headers = {each: response.headers[each] for each in kept}
        return Response(read_file(path), media_type=media_type, headers=headers)
    if has_range:
        _expect_readable(path)
        return response
    if info.st_size <= SMALL:
        content = read_file(path, info.st_size)
        response.headers["content-length"] = str(len(content))
        return Response(content, headers=dict(response.headers))
    _expect_readable(path)
    return StreamingResponse(_beginning(path, info.st_size), headers=dict(response.headers))


def _dated(info: os.stat_result) -> os.stat_result:
    """The status with a time that a header can tell."""
    fields = list(info)
    fields[stat.ST_MTIME] = int(_modified(info))
    return os.stat_result(fields, {"st_mtime": _modified(info)})


def _beginning(path: str, size: int) -> Iterator[bytes]:
    """As much as there was, of a file that may grow meanwhile."""
    with open(path, "rb") as file:
        yield from pieces(file, size)


def _expect_readable(path: str) -> None:
    """Refuse now what could only be broken off once the answer has begun."""
    with failing_with(422, "open", path):
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


def _store(source: BinaryIO, path: str, mode: int | None) -> None:
    with failing_with(422, "open", path), written(path, mode) as file:
        shutil.copyfileobj(source, file, CHUNK)


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
