"""What a person or a program can do with the files in a sandbox. All of it wakes the sandbox."""

import hashlib
import posixpath
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from django.core import signing

from sandboxes import errors
from sandboxes.dataplane import Ran, files, run_script
from sandboxes.dataplane.files import Content, Listing
from sandboxes.models import Sandbox
from sandboxes.services.rows import require_ready, use

# What an editor takes at once.
MOST_TEXT = 5 * 2**20
HOME = "/blaxel"
# Deleted things wait here for Undo; on another file system beside what was deleted, so that
# nothing is ever copied.
TRASH = f"{HOME}/.manta/trash"
TRASH_NAMES = (".manta", ".manta-trash")
_SCRIPT_SECONDS = 15
_LOOKED_AT_FOR_NUL = 8 * 2**10
MOST_LINES = 200
_LONGEST_LINE = 240

Kind = Literal["directory", "file"]

# Exit statuses 10 and 11 are these scripts' own; anything else is the system's refusal, in words.
_THERE = 'there() { [ -e "$1" ] || [ -L "$1" ]; }\n'
_MOVE = f"""{_THERE}
there "$SOURCE" || exit 10
if there "$TARGET"; then
  if [ -d "$TARGET" ] || [ -z "$OVERWRITE" ]; then exit 11; fi
fi
mv -f -- "$SOURCE" "$TARGET"
"""
_TRASH = f"""{_THERE}
there "$SOURCE" || exit 10
device() {{ stat -c %d -- "$1" 2>/dev/null; }}
mkdir -p -- "$TRASH" || exit 1
if [ "$(device "$PARENT")" != "$(device "$TRASH")" ]; then TRASH=${{PARENT%/}}/.manta-trash; fi
mkdir -p -- "$TRASH/$ID" || exit 1
mv -f -- "$SOURCE" "$TRASH/$ID/item" || {{ rmdir -- "$TRASH/$ID"; exit 1; }}
printf %s "$TRASH/$ID/item"
find "$TRASH" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {{}} + >/dev/null 2>&1 &
"""
# Which of a folder's links lead to folders. No name has a slash: it divides them.
_LINKS = r"""
IFS=/; set -f
for name in $NAMES; do
  if [ ! -L "$FOLDER/$name" ]; then printf f; elif [ -d "$FOLDER/$name" ]; then printf D
  else printf F; fi
done
"""


@dataclass(frozen=True)
class Entry:
    """One line of a folder. The kind of a link is that of what it leads to."""

    name: str
    path: str
    kind: Kind
    size: int | None = None
    modified_at: datetime | None = None
    is_link: bool = False


@dataclass(frozen=True)
class Folder:
    path: str
    entries: list[Entry]


@dataclass(frozen=True)
class File:
    """content is None where there is a reason why not: binary, too_large, not_utf8, unreadable."""

    path: str
    size: int
    modified_at: datetime | None
    version: str | None
    content: str | None
    why: str | None


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


def read_path(*, sandbox: Sandbox, path: str) -> Folder | File:
    """What is at an absolute path. Raises a FileError."""
    _reach(sandbox)
    try:
        found = files.read(sandbox.url, path, MOST_TEXT)
    except (errors.NotAFile, errors.FileDenied):
        return File(path, 0, None, None, None, "unreadable")
    if isinstance(found, Listing):
        return Folder(path, _entries(sandbox, path, found))
    content, why = _text(found)
    return File(path, found.size, found.modified_at, version_of(found), content, why)


def version_of(content: Content) -> str:
    """Another one whenever the file is another."""
    if content.data is None:
        return f"{content.size}-{content.modified_at.timestamp():.0f}"
    return hashlib.sha256(content.data).hexdigest()[:32]


def _text(found: Content) -> tuple[str | None, str | None]:
    if found.data is None:
        return None, "too_large"
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
        Entry(name, posixpath.join(folder, name), "directory")
        for name in listing.folders
        if name not in TRASH_NAMES
    ]
    for each in listing.files:
        name = str(each["name"])
        path, size = posixpath.join(folder, name), int(each.get("size") or 0)
        modified = datetime.fromisoformat(each["lastModified"]).astimezone(UTC)
        kind: Kind = "directory" if links.get(name) == "D" else "file"
        entries.append(Entry(name, path, kind, size, modified, links.get(name, "f") != "f"))
    return sorted(entries, key=sort_key)


def sort_key(entry: Entry) -> tuple[bool, str, str]:
    return entry.kind == "file", entry.name.casefold(), entry.name


def _links(sandbox: Sandbox, folder: str, listing: Listing) -> dict[str, str]:
    """D or F for each link to a folder or a file. The listing can't tell: links have mode 777."""
    suspects = [
        str(each["name"])
        for each in listing.files
        if str(each.get("permissions")) in ("777", "0777") and int(each.get("size") or 0) < 4096
    ][:1000]
    if not suspects:
        return {}
    values = {"FOLDER": folder, "NAMES": "/".join(suspects)}
    told = run_script(sandbox.url, _LINKS, values, _SCRIPT_SECONDS).stdout
    return dict(zip(suspects, told, strict=False))


def save_file(*, sandbox: Sandbox, path: str, content: str, version: str | None) -> File:
    """Write a text over the version that was read; None: there must be no file yet.

    Raises ChangedOnDisk, FileExists, or another FileError.
    """
    _reach(sandbox)
    data = content.encode()
    if len(data) > MOST_TEXT:
        raise errors.FileTooLarge("A text of more than 5 MB can't be saved here: upload it.")
    _expect_version(sandbox, path, version)
    files.write(sandbox.url, path, data)
    return File(path, len(data), None, version_of(Content(len(data), _EPOCH, data)), None, None)


_EPOCH = datetime.fromtimestamp(0, UTC)


def _expect_version(sandbox: Sandbox, path: str, version: str | None) -> None:
    try:
        found = files.read(sandbox.url, path, MOST_TEXT)
    except errors.FileNotFound:
        if version is not None:
            raise errors.ChangedOnDisk(f"{path} was deleted or moved meanwhile.") from None
        return
    if isinstance(found, Listing):
        raise errors.NotAFile(f"{path} is a folder.")
    if version is None:
        raise errors.FileExists(f"There is a file at {path} already.")
    if version != version_of(found):
        raise errors.ChangedOnDisk(f"{path} has changed since you opened it.")


def make_folder(*, sandbox: Sandbox, path: str) -> None:
    """Make a folder, and those above it. Raises FileExists when something is there."""
    _reach(sandbox)
    if _is_there(sandbox, path):
        raise errors.FileExists(f"There is something at {path} already.")
    files.make_folder(sandbox.url, path)


def _is_there(sandbox: Sandbox, path: str) -> bool:
    try:
        files.read(sandbox.url, path, 0)
    except errors.FileNotFound:
        return False
    except errors.FileError:
        return True
    return True


def move_path(*, sandbox: Sandbox, source: str, destination: str, overwrite: bool = False) -> None:
    """Move or rename. Files are overwritten only when told to, folders never.

    Raises FileNotFound, FileExists, or another FileError.
    """
    _reach(sandbox)
    _refuse_root(source)
    if f"{destination}/".startswith(f"{source}/"):
        raise errors.BadPath(f"{source} can't be moved into itself.")
    values = {"SOURCE": source, "TARGET": destination, "OVERWRITE": "1" if overwrite else ""}
    _expect_done(run_script(sandbox.url, _MOVE, values, _SCRIPT_SECONDS), source, destination)


def delete_path(*, sandbox: Sandbox, path: str, forever: bool = False) -> str | None:
    """Move into the trash; what is returned brings it back for a day. None when it is forever."""
    _reach(sandbox)
    _refuse_root(path)
    if forever:
        files.delete(sandbox.url, path)
        return None
    values = {
        "SOURCE": path,
        "PARENT": posixpath.dirname(path),
        "TRASH": TRASH,
        "ID": secrets.token_hex(8),
    }
    ran = run_script(sandbox.url, _TRASH, values, _SCRIPT_SECONDS)
    _expect_done(ran, path, path)
    return signing.dumps([sandbox.name, ran.stdout, path], salt=__name__, compress=True)


def restore_path(*, sandbox: Sandbox, trashed: str) -> str:
    """Undo a deletion; returns the path. Raises FileExists when something took its place."""
    _reach(sandbox)
    try:
        name, item, path = signing.loads(trashed, salt=__name__)
    except signing.BadSignature as exc:
        raise errors.FileNotFound("This is not in the trash.") from exc
    if name != sandbox.name:
        raise errors.FileNotFound("This is not in the trash.")
    values = {"SOURCE": item, "TARGET": path, "OVERWRITE": ""}
    _expect_done(run_script(sandbox.url, _MOVE, values, _SCRIPT_SECONDS), path, path)
    return str(path)


def _refuse_root(path: str) -> None:
    if path == "/" or f"{TRASH}/".startswith(f"{path}/"):
        raise errors.BadPath(f"The sandbox itself needs {path}.")


def _expect_done(ran: Ran, source: str, destination: str) -> None:
    if ran.exit_code == 10:
        raise errors.FileNotFound(f"There is nothing at {source} any more.")
    if ran.exit_code == 11:
        raise errors.FileExists(f"There is something at {destination} already.")
    if ran.exit_code:
        known = files.explained(destination, ran.stderr)
        raise known or errors.BadPath(f"The sandbox could not do this with {source}.")


def search(*, sandbox: Sandbox, path: str, query: str, contents: bool, hidden: bool) -> Found:
    """Names, or lines, below a folder that have the text, whatever its case."""
    _reach(sandbox)
    if contents:
        lines = files.search_contents(sandbox.url, path, query, MOST_LINES + 1)
        matches = [_line(path, each) for each in lines]
    else:
        matches = _names(sandbox, path, query, hidden)
    kept = [match for match in matches if not _is_in_trash(match.path)]
    return Found(kept[:MOST_LINES], len(kept) > MOST_LINES)


def _names(sandbox: Sandbox, folder: str, query: str, hidden: bool) -> list[Match]:
    kinds: tuple[Kind, Kind] = ("directory", "file")
    matches = [
        Match(posixpath.join(folder, found), kind)
        for kind in kinds
        for found in files.find(sandbox.url, folder, kind, _glob(query), hidden)
    ]
    wanted = query.casefold()
    named = [each for each in matches if wanted in posixpath.basename(each.path).casefold()]
    return sorted(named, key=lambda match: (len(match.path), match.path))


def _glob(query: str) -> str:
    """A glob for at least the names that have the text in them, in either case."""
    letters = (
        f"[{letter.lower()}{letter.upper()}]"
        if letter.isascii() and letter.isalpha()
        else letter
        if letter.isascii() and (letter.isdigit() or letter in " ._-")
        else "*"
        for letter in query
    )
    return f"*{''.join(letters)}*"


def _line(folder: str, found: dict[str, object]) -> Match:
    column, text = int(str(found.get("column") or 1)), str(found.get("text") or "")
    start = max(0, column - 1 - _LONGEST_LINE // 4) if len(text) > _LONGEST_LINE else 0
    path = posixpath.join(folder, str(found["path"]))
    return Match(
        path, "file", int(str(found["line"])), column, text[start : start + _LONGEST_LINE].strip()
    )


def _is_in_trash(path: str) -> bool:
    return any(f"/{name}/" in f"{path}/" for name in TRASH_NAMES)


def _reach(sandbox: Sandbox) -> None:
    require_ready(sandbox)
    use(sandbox)
