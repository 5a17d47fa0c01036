"""Operations of people and programs on a sandbox's files. All of them wake the sandbox."""

import codecs
import hashlib
import posixpath
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from sandboxes import errors
from sandboxes.data_plane import drafts, files, names
from sandboxes.data_plane import entries as links
from sandboxes.data_plane.files import Content, Listing
from sandboxes.data_plane.processes import run_script
from sandboxes.models import Sandbox
from sandboxes.services.row_updates import touch
from sandboxes.services.sessions import require_reach

# What an editor takes at once.
MAX_TEXT = 5 * 2**20
HOME = "/blaxel"
# Deleted things wait here for Undo; on another file system beside what was deleted, so that
# nothing is ever copied.
TRASH = f"{HOME}/.manta/trash"
TRASH_NAMES = (".manta", ".manta-trash")
_LOOKED_AT_FOR_NUL = 8 * 2**10
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Kind = Literal["directory", "file"]


class Entry(NamedTuple):
    """One line of a folder. The kind of a link is that of what it leads to.

    A folder may have many thousands, of which a page is shown: what only shown ones need is worked
    out when it is asked for.
    """

    name: str
    folder: str
    kind: Kind
    is_link: bool = False
    # As the sandbox lists a file.
    listed: Mapping[str, Any] = {}

    @property
    def path(self) -> str:
        return posixpath.join(self.folder, self.name)

    @property
    def size(self) -> int | None:
        return number_of(self.listed.get("size")) if self.listed else None

    @property
    def modified_at(self) -> datetime | None:
        try:
            moment = datetime.fromisoformat(str(self.listed.get("lastModified"))[:64])
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Folder:
    path: str
    entries: list[Entry]

    def after(self, last: tuple[Kind, str], entries: list[Entry] | None = None) -> int:
        """Return the index of the first entry after one, which may be gone."""
        found = self.entries if entries is None else entries
        kind, name = last
        return bisect_right(found, sort_key(Entry(name, "", kind)), key=sort_key)


@dataclass(frozen=True)
class File:
    """A file; `why` is binary, too_large, not_utf8 or unreadable (no content), or read_only."""

    path: str
    size: int
    modified_at: datetime | None
    version: str | None
    content: str | None
    why: str | None


def read_path(*, sandbox: Sandbox, path: str) -> Folder | File:
    """Read the file or list the folder at an absolute path. Raises a FileError."""
    require_files(sandbox)
    try:
        found = files.read(sandbox.reach, path, MAX_TEXT)
    except errors.FileDenied:
        if _listed_kind(sandbox, path) != "file":
            raise
        return File(path, 0, None, None, None, "unreadable")
    except errors.NotAFile:
        return File(path, 0, None, None, None, "unreadable")
    if isinstance(found, Listing):
        return Folder(path, _entries(sandbox, path, found))
    content, why = _text(found)
    if content is not None and not _is_writable(sandbox, path, found):
        why = "read_only"
    return File(path, found.size, found.modified_at, version_of(found), content, why)


def _listed_kind(sandbox: Sandbox, path: str) -> Kind | None:
    """Return what the folder above lists something as that can't be read. Raises FileDenied."""
    above, name = posixpath.split(path)
    found, name = files.read(sandbox.reach, above, 0), names.raw(name)
    if not isinstance(found, Listing):
        return None
    if name in found.folders:
        return "directory"
    return "file" if any(each["name"] == name for each in found.files) else None


def version_of(content: Content) -> str:
    """Return a version that changes whenever the file does."""
    if content.data is None:
        moment = content.modified_at.timestamp() if content.modified_at else 0
        return f"{content.size}-{moment:.0f}"
    return hashlib.sha256(content.data).hexdigest()[:32]


def _is_writable(sandbox: Sandbox, path: str, found: Content) -> bool:
    if found.is_writable is not None:
        return found.is_writable
    ran = run_script(sandbox.reach, '[ -w "$FILE" ]', {"FILE": names.raw(path)}, 15)
    return ran.exit_code == 0


def _text(found: Content) -> tuple[str | None, str | None]:
    if found.data is None:
        return None, "too_large"
    if found.data.startswith(_UTF_16):
        return None, "not_utf8"
    if b"\0" in found.data[:_LOOKED_AT_FOR_NUL]:
        return None, "binary"
    try:
        return found.data.decode(), None
    except UnicodeDecodeError:
        return None, "not_utf8"


def _entries(sandbox: Sandbox, folder: str, listing: Listing) -> list[Entry]:
    """Folders first, by name as people order names; without the trash."""
    links = _links(sandbox, folder, listing)
    entries = [
        Entry(names.told(name), folder, "directory")
        for name in listing.folders
        if name not in TRASH_NAMES
    ]
    for each in listing.files:
        if each["name"].startswith(drafts.PREFIX):
            continue
        link = links.get(each["name"])
        kind: Kind = "directory" if link and link.is_folder else "file"
        entries.append(Entry(names.told(each["name"]), folder, kind, link is not None, each))
    return sorted(entries, key=sort_key)


def sort_key(entry: Entry) -> tuple[bool, str, str]:
    return entry.kind == "file", entry.name.casefold(), entry.name


def _links(sandbox: Sandbox, folder: str, listing: Listing) -> dict[str, links.Entry]:
    """The folder's links by their raw names; none where they can't be looked at."""
    if not listing.suspects:
        return {}
    try:
        return links.links(sandbox.reach, folder)
    except errors.ProviderRejected:
        return {}


def save_file(*, sandbox: Sandbox, path: str, content: str, version: str | None) -> File:
    """Write a text over the version that was read; None: there must be no file yet.

    Raises ChangedOnDisk, FileExists, or another FileError.
    """
    require_files(sandbox)
    data = content.encode()
    if len(data) > MAX_TEXT:
        raise errors.FileTooLarge("A text of more than 5 MB can't be saved here: upload it.")
    drafts.write(sandbox.reach, path, data, version=version, most=MAX_TEXT)
    return File(path, len(data), None, version_of(Content(len(data), None, data)), None, None)


def make_folder(*, sandbox: Sandbox, path: str) -> None:
    """Make a folder, and those above it. Raises FileExists when something is there."""
    require_files(sandbox)
    if _is_there(sandbox, path):
        raise errors.FileExists(f"{path} already exists.")
    files.make_folder(sandbox.reach, path)


def _is_there(sandbox: Sandbox, path: str) -> bool:
    try:
        files.read(sandbox.reach, path, 0)
    except errors.FileNotFound:
        return False
    except errors.FileDenied:
        return _listed_kind(sandbox, path) is not None
    except errors.FileError:
        return True
    return True


def number_of(value: object) -> int:
    """A size or a place that a sandbox tells; 0 for what is none."""
    text = str(value)[:18]
    return int(text) if text.isascii() and text.isdigit() else 0


def require_files(sandbox: Sandbox) -> None:
    """Require that the sandbox's files can be reached, and note that they are used."""
    require_reach(sandbox)
    touch(sandbox)
