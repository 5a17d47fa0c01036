"""Searching the names and the contents of files below a folder in a sandbox."""

import posixpath
from dataclasses import dataclass
from unicodedata import normalize

from sandboxes.data_plane import drafts, files, name_search, names
from sandboxes.models import Sandbox
from sandboxes.services.files import TRASH_NAMES, Kind, number_of, require_files

MAX_LINES = 200
_MAX_LINE_LENGTH = 240


@dataclass(frozen=True)
class Match:
    path: str
    kind: Kind
    line: int | None = None
    column: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class Found:
    matches: list[Match]
    more: bool


def search(*, sandbox: Sandbox, path: str, query: str, contents: bool, hidden: bool) -> Found:
    """Names, or lines, below a folder that have the text, whatever its case."""
    require_files(sandbox)
    matches = _lines(sandbox, path, query) if contents else _names(sandbox, path, query, hidden)
    kept = [match for match in matches if not _is_own(match.path)]
    return Found(kept[:MAX_LINES], len(kept) > MAX_LINES)


def _lines(sandbox: Sandbox, folder: str, query: str) -> list[Match]:
    """Lines in the order of files, whichever of Unicode's normal forms they have the text in."""
    found: dict[tuple[str, int | None], Match] = {}
    for form in dict.fromkeys((query, normalize("NFC", query), normalize("NFD", query))):
        for each in files.search_contents(sandbox.reach, folder, form, MAX_LINES + 1):
            match = _line(folder, each)
            found.setdefault((match.path, match.line), match)
    return list(found.values())


def _names(sandbox: Sandbox, folder: str, query: str, hidden: bool) -> list[Match]:
    kinds: tuple[Kind, Kind] = ("directory", "file")
    globs, wanted = name_search.globs(query), name_search.folded(query)
    matches = [
        Match(posixpath.join(folder, found), kind)
        for kind in kinds
        for found in files.find(sandbox.reach, folder, kind, globs, hidden)
    ]
    named = [
        each for each in matches if wanted in name_search.folded(posixpath.basename(each.path))
    ]
    return sorted(named, key=lambda match: (len(match.path), match.path))


def _line(folder: str, found: dict[str, object]) -> Match:
    column, text = number_of(found.get("column")) or 1, names.text(found.get("text"))
    start = max(0, column - 1 - _MAX_LINE_LENGTH // 4) if len(text) > _MAX_LINE_LENGTH else 0
    path = posixpath.join(folder, names.told(str(found.get("path") or "")))
    shown = text[start : start + _MAX_LINE_LENGTH].strip()
    return Match(path, "file", number_of(found.get("line")), column, shown)


def _is_own(path: str) -> bool:
    own = any(f"/{name}/" in f"{path}/" for name in TRASH_NAMES)
    return own or f"/{drafts.PREFIX}" in path
