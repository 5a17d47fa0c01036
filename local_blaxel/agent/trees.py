"""``/filesystem/tree``: whole directories at once."""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import paths, wire
from .files import (
    describe,
    failing_with,
    list_directory,
    read_file,
    remove,
    status,
)
from .sandbox import Sandbox
from .walk import walk
from .wire import (
    ApiError,
    Json,
    query_flag,
    query_list,
    query_number,
    read_json,
    without_nul,
)
from .writing import make_folders, written

PREFIX = "/filesystem/tree"
MAX_FILES = 10_000
MAX_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Selection:
    """The wanted files of a tree, and the most to return."""

    patterns: list[str]
    excluded: list[str]
    exclude_hidden: bool
    max_files: int
    max_bytes: int
    with_content: bool

    @classmethod
    def of(cls, request: Request) -> Selection:
        return cls(
            patterns=query_list(request, "patterns"),
            excluded=query_list(request, "excludeDirs"),
            exclude_hidden=query_flag(request, "excludeHidden"),
            max_files=query_number(request, "maxFiles", MAX_FILES),
            max_bytes=query_number(request, "maxBytes", MAX_BYTES),
            with_content=query_flag(request, "content"),
        )

    def hides(self, name: str) -> bool:
        return self.exclude_hidden and name.startswith(".")

    def wants_file(self, name: str) -> bool:
        matches = not self.patterns or any(fnmatchcase(name, glob) for glob in self.patterns)
        return matches and not self.hides(name)

    def wants_directory(self, name: str) -> bool:
        return name not in self.excluded and not self.hides(name)


class TreeApi:
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
        if not stat.S_ISDIR(status(path).st_mode):
            raise ApiError(400, "path is not a directory", "ENOTDIR")
        if not query_flag(request, "recursive"):
            return Json(await asyncio.to_thread(list_directory, path))
        return Json(await asyncio.to_thread(read_tree, path, Selection.of(request)))

    async def write(self, request: Request) -> Response:
        path = self._path(request)
        files = (await read_json(request)).texts("files", wire.path)
        await asyncio.to_thread(write_tree, path, files)
        return Json(await asyncio.to_thread(list_directory, path))

    async def delete(self, request: Request) -> Response:
        path = self._path(request)
        if not stat.S_ISDIR(status(path).st_mode):
            raise ApiError(422, "path points to a file, not a directory", "ENOTDIR")
        return await remove(path, recursive=query_flag(request, "recursive"))

    def _path(self, request: Request) -> str:
        return paths.requested_tree(request, self._sandbox, PREFIX)


def write_tree(root: str, files: dict[str, str]) -> None:
    with failing_with(422, "mkdir", root):
        make_folders(root)
    for name, text in files.items():
        path = posixpath.normpath(posixpath.join(root, without_nul("files", name).lstrip("/")))
        with failing_with(422, "open", path), written(path) as file:
            file.write(text.encode())


def read_tree(root: str, selection: Selection) -> dict[str, Any]:
    """Every level below `root`: all that is selected, or ApiError 422 when it is too much."""
    files: list[dict[str, Any]] = []
    folders: list[dict[str, str]] = []
    size = 0
    for entry in walk(root, selection.wants_directory):
        path = entry.path
        if entry.is_directory:
            folders.append({"path": path, "name": entry.name})
            continue
        if not selection.wants_file(entry.name):
            continue
        if len(files) >= selection.max_files:
            raise ApiError(422, f"more than {selection.max_files} files match under {root}")
        try:
            file = describe(path, os.lstat(path))
        except OSError:  # It has vanished since it was listed.
            continue
        if selection.with_content and (content := _content(path)) is not None:
            size += len(content)
            if size > selection.max_bytes:
                raise ApiError(
                    422, f"files under {root} hold more than {selection.max_bytes} bytes"
                )
            file["content"] = content.decode(errors="replace")
        files.append(file)
    return {
        "path": root,
        "name": posixpath.basename(root),
        "files": files,
        "subdirectories": folders,
        "recursive": True,
    }


def _content(path: str) -> bytes | None:
    """The bytes of a readable file or of a link to one; None for everything else."""
    try:
        return read_file(path) if stat.S_ISREG(os.stat(path).st_mode) else None
    except (OSError, ApiError):  # It may not be read, or has vanished.
        return None
