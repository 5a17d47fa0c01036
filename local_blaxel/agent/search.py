"""``/filesystem-find``, ``-search`` and ``-content-search``: what is where below a directory."""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate, islice
from typing import Any
from unicodedata import normalize

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import paths
from .beneath import NO_SYMLINKS, Folder, folder_of
from .files import failing_with, status
from .sandbox import Sandbox
from .walk import Entry, walk, walk_held
from .wire import ApiError, Json, query_flag, query_list, query_number, query_text

FIND, FUZZY, CONTENT = "/filesystem-find", "/filesystem-search", "/filesystem-content-search"
EXCLUDED = (
    *("node_modules", "vendor", ".git", "dist", "build", "target"),
    *("__pycache__", ".venv", ".next", "coverage"),
)
FOUND_BY_DEFAULT, LINES_BY_DEFAULT, MAX_RESULTS = 20, 100, 1000
MAX_CONTEXT = 20
# What is larger, or has a NUL near its start, is data and not text.
MAX_SEARCHED_FILE = 16 * 2**20
LOOKED_AT_FOR_NUL = 8 * 2**10


@dataclass(frozen=True)
class Scope:
    """The folder to search, and the names that are left out."""

    root: str
    excluded: list[str]
    exclude_hidden: bool
    limit: int | None
    folder: Folder | None = None

    @classmethod
    def of(
        cls, request: Request, root: str, folder: Folder | None, *, hidden: bool, limit: int
    ) -> Scope:
        if not _is_directory(root, folder):
            raise ApiError(400, f"{root} is not a directory", "ENOTDIR")
        asked = query_number(request, "maxResults", limit)
        return cls(
            root=root,
            excluded=query_list(request, "excludeDirs") or list(EXCLUDED),
            exclude_hidden=query_flag(request, "excludeHidden", not hidden),
            limit=min(asked, MAX_RESULTS) or None,
            folder=folder,
        )

    def entries(self) -> Iterator[Entry]:
        if self.folder is None:
            found = walk(self.root, self._enters)
        else:
            found = walk_held(self.folder, self.root, self._enters)
        for entry in found:
            if not self._hides(entry.name):
                yield entry

    def relative(self, entry: Entry) -> str:
        return posixpath.relpath(entry.path, self.root)

    def open(self, entry: Entry) -> int:
        """Open a file for reading; never through a link."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        if self.folder is None:
            return os.open(entry.path, flags)
        resolve = NO_SYMLINKS if entry.path.startswith(f"{self.root.rstrip('/')}/") else 0
        return self.folder.open(entry.path, flags, resolve=resolve)

    def _enters(self, name: str) -> bool:
        return name not in self.excluded and not self._hides(name)

    def _hides(self, name: str) -> bool:
        return self.exclude_hidden and name.startswith(".")


class SearchApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route(prefix + path, handler, methods=["GET"])
            for path in ("", "/{path:path}")
            for prefix, handler in {
                FIND: self.find,
                FUZZY: self.search_names,
                CONTENT: self.search_content,
            }.items()
        ]

    async def find(self, request: Request) -> Response:
        kind = query_text(request, "type") or "file"
        if kind not in ("file", "directory"):
            raise ApiError(400, f"type must be file or directory, not {kind!r}")
        patterns = query_list(request, "patterns")
        with self._scope(request, FIND, FOUND_BY_DEFAULT) as scope:
            return Json(await asyncio.to_thread(find, scope, kind, patterns))

    async def search_names(self, request: Request) -> Response:
        patterns = query_list(request, "patterns")
        with self._scope(request, FUZZY, FOUND_BY_DEFAULT) as scope:
            query = query_text(request, "query") or posixpath.basename(scope.root)
            return Json(await asyncio.to_thread(search_names, scope, query, patterns))

    async def search_content(self, request: Request) -> Response:
        query = query_text(request, "query")
        if not query:
            raise ApiError(400, "query is required")
        search = ContentSearch(
            query=query,
            case_sensitive=query_flag(request, "caseSensitive"),
            pattern=query_text(request, "filePattern"),
            context=_context_lines(request),
        )
        with self._scope(request, CONTENT, LINES_BY_DEFAULT, hidden=True) as scope:
            return Json(await asyncio.to_thread(search.run, scope))

    @contextmanager
    def _scope(
        self, request: Request, prefix: str, limit: int, hidden: bool = False
    ) -> Iterator[Scope]:
        root = paths.requested(request, self._sandbox, prefix)
        with folder_of(request, self._sandbox) as folder:
            yield Scope.of(request, root, folder, hidden=hidden, limit=limit)


def find(scope: Scope, kind: str, patterns: list[str]) -> dict[str, Any]:
    """Entries of that kind whose name matches one of the globs."""
    found = (e for e in scope.entries() if e.type == kind and _matches(e.name, patterns))
    matches = [
        {"path": scope.relative(entry), "type": entry.type} for entry in islice(found, scope.limit)
    ]
    return {"matches": matches, "total": len(matches)}


def search_names(scope: Scope, query: str, patterns: list[str]) -> dict[str, Any]:
    """Entries whose relative path has the query's letters in their order; the closest first."""
    found = []
    for entry in scope.entries():
        if not entry.is_directory and not _matches(entry.name, patterns):
            continue
        path = scope.relative(entry)
        if points := score(_folded(query), _folded(path)):
            found.append((-points, len(path), path, entry.type))
    matches = [
        {"path": path, "score": -points, "type": kind}
        for points, _, path, kind in sorted(found)[: scope.limit]
    ]
    return {"matches": matches, "total": len(matches)}


def _folded(text: str) -> str:
    """Return the same for texts that differ in case and in Unicode's normal forms alone."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def score(query: str, text: str) -> int:
    """0 unless all letters are there; more for letters together and at the start of a word."""
    points, position = 0, -1
    for letter in query:
        found = text.find(letter, position + 1)
        if found < 0:
            return 0
        points += 16
        if found == position + 1:
            points += 8
        if found == 0 or not text[found - 1].isalnum():
            points += 8
        position = found
    return points


@dataclass(frozen=True)
class ContentSearch:
    query: str
    case_sensitive: bool
    pattern: str
    context: int

    def run(self, scope: Scope) -> dict[str, Any]:
        matches = list(islice(self._matches(scope), scope.limit))
        return {"query": self.query, "matches": matches, "total": len(matches)}

    def _matches(self, scope: Scope) -> Iterator[dict[str, Any]]:
        patterns = [self.pattern] if self.pattern else []
        for entry in scope.entries():
            if not entry.is_directory and _matches(entry.name, patterns):
                yield from self._in_file(scope.relative(entry), _text(scope, entry))

    def _in_file(self, path: str, text: str) -> Iterator[dict[str, Any]]:
        wanted = self._folded(self.query)
        if wanted not in self._folded(text):
            return
        lines = text.split("\n")
        for number, line in enumerate(lines):
            place = self._folded(line).find(wanted)
            if place < 0:
                continue
            column = place if self.case_sensitive else _column(line, place)
            match = {"path": path, "line": number + 1, "column": column + 1, "text": line}
            if self.context:
                around = lines[max(number - self.context, 0) : number + self.context + 1]
                match["context"] = "\n".join(around)
            yield match

    def _folded(self, text: str) -> str:
        return text if self.case_sensitive else text.casefold()


def _column(line: str, place: int) -> int:
    """Return where in a line a place in its folded form is, which may be longer."""
    if line.isascii():
        return place
    ends = accumulate(len(letter.casefold()) for letter in line)
    return next(column for column, end in enumerate(ends) if end > place)


def _context_lines(request: Request) -> int:
    """Return the number of lines, as Blaxel's server reads it: what is no number is 0."""
    text = query_text(request, "contextLines")
    return min(int(text[:9]), MAX_CONTEXT) if text.isascii() and text.isdigit() else 0


def _matches(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatchcase(name, glob) for glob in patterns)


def _is_directory(root: str, folder: Folder | None) -> bool:
    if folder is None:
        return stat.S_ISDIR(status(root).st_mode)
    with failing_with(404, "stat", root), folder.opened(root, os.O_PATH) as fd:
        return stat.S_ISDIR(os.fstat(fd).st_mode)


def _text(scope: Scope, entry: Entry) -> str:
    """Return the text of a regular file, or "" for links, data and what can't be read."""
    try:
        fd = scope.open(entry)
    except (OSError, ApiError):
        return ""
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_SEARCHED_FILE:
        # It has become something else since it was listed.
        os.close(fd)
        return ""
    with open(fd, "rb") as file:
        try:
            data = file.read(MAX_SEARCHED_FILE)
        except OSError:
            return ""
    return "" if b"\0" in data[:LOOKED_AT_FOR_NUL] else data.decode(errors="replace")
