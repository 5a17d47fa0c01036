"""Files in a sandbox.

Every path here is absolute, as Manta shows it (names.py). It is quoted into the URL after the slash
that the API itself needs, so that `//x` means /x, whatever is in a name.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from sandboxes import errors
from sandboxes.data_plane import entries, failures, names
from sandboxes.data_plane.bounded import AnswerTooLong, with_body
from sandboxes.data_plane.client import (
    LONG_TIMEOUT,
    client,
    expect_success,
    object_of,
    objects_of,
    refuse_failures,
    request,
    translated,
    understood,
)
from sandboxes.models.reach import Reach

# The bytes themselves; a folder is listed in JSON all the same.
RAW = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
# A header of local_blaxel's: whether programs in the sandbox may write to the file.
_WRITABLE = "X-Local-Blaxel-Writable"
_MAX_FOUND = 1000
_MADE_UP = ("/proc/", "/sys/")
# Blaxel takes 5 MB a request, with the form around the part.
PART = 4 * 2**20
# Bytes of a folder's listing: of 80,000 files.
MAX_LISTED, MAX_TOKENS_LISTED = 16 * 2**20, 2_000_000
_FULL = (errors.DiskFull, "The sandbox's disk is full.")
_DENIED = (errors.FileDenied, "Permission denied: {path}.")
# What a code means for the path that was asked for.
_MEANINGS: dict[str, tuple[type[errors.FileError], str]] = {
    "ENOENT": (errors.FileNotFound, "{path} does not exist."),
    "EEXIST": (errors.FileExists, "{path} already exists."),
    "ENOTEMPTY": (errors.FileExists, "{path} already exists."),
    "ENOTDIR": (errors.NotAFolder, "A part of {path} is not a folder."),
    "EISDIR": (errors.NotAFile, "{path} is a folder."),
    "NOT_A_REGULAR_FILE": (errors.NotAFile, "{path} is a device or a pipe, not a file."),
    "ENOSPC": _FULL,
    "EDQUOT": _FULL,
    "EFBIG": _FULL,
    "ENAMETOOLONG": (errors.BadPath, "A name in this path is too long."),
    "ELOOP": (errors.BadPath, "The links at {path} form a loop."),
    "EBUSY": (errors.BadPath, "{path} is a separate file system and can't be moved."),
    "EACCES": _DENIED,
    "EPERM": _DENIED,
    "EROFS": (errors.FileDenied, "{path} is on a file system that can't be written to."),
    "ETXTBSY": (errors.FileDenied, "{path} is a running program and can't be overwritten."),
}


@dataclass(frozen=True)
class Listing:
    """A folder: Blaxel's fields of its files (links are among them), and its folders' raw names."""

    files: list[dict[str, Any]]
    folders: list[str]

    @property
    def suspects(self) -> list[str]:
        """The files that may be links, for all that is told of them."""
        return [
            each["name"]
            for each in self.files
            if str(each.get("permissions")) in ("777", "0777") and len(str(each.get("size"))) <= 4
        ]


@dataclass(frozen=True)
class Content:
    """A file; data is None when it is larger than was asked for."""

    size: int
    modified_at: datetime | None
    data: bytes | None
    # None where the sandbox's server does not tell.
    is_writable: bool | None = None


def location(reach: Reach, path: str, api: str = "filesystem") -> Reach:
    return reach.at(f"/{api}/{quote(names.raw(path), safe='/', errors='surrogateescape')}")


def explained(path: str, code: str) -> errors.FileError | None:
    """Return what a code means for the path; None for one that is no error number's name."""
    if code in _MEANINGS:
        error, sentence = _MEANINGS[code]
        return error(sentence.format(path=path))
    if message := failures.message_of(code):
        return errors.FileDenied(f"The sandbox's system refuses this at {path}: {message}.")
    return None


def expect_file_success(response: httpx.Response, path: str, what: str) -> None:
    """Raise a FileError that says why, or whatever else is wrong. The response was read."""
    if response.is_success:
        return
    if error := explained(path, failures.code_of(response)):
        raise error
    refuse_failures(response)
    if response.status_code == 404 and failures.said_by(response):
        raise errors.FileNotFound(f"{path} does not exist.")
    expect_success(response, what)


def modified(response: httpx.Response) -> datetime | None:
    """Return when a file was last changed, if the response tells."""
    try:
        return parsedate_to_datetime(response.headers.get("Last-Modified", "")[:64])
    except (ValueError, OverflowError):
        return None


def is_file(response: httpx.Response) -> bool:
    """Return whether the response is a file's content, and not a folder's listing."""
    return str(response.headers.get("Content-Disposition", "")).startswith("attachment")


@contextmanager
def _answer(
    method: str, reach: Reach, path: str, *, headers: Mapping[str, str], **options: Any
) -> Iterator[httpx.Response]:
    where = location(reach, path).as_request(headers)
    with translated(), client().stream(method, **where, **options) as response:
        if not response.is_success:
            with_body(response)
            expect_file_success(response, path, "read a file")
        yield response


def read(reach: Reach, path: str, most: int) -> Listing | Content:
    """A folder's listing, or a file with its content up to `most` bytes. Links are followed."""
    limit = {"most": max(most, MAX_LISTED)}
    with _answer("GET", reach, path, headers=RAW, extensions=limit) as response:
        if not is_file(response):
            response.read()
            return listing(reach, path, object_of(response, MAX_TOKENS_LISTED))
        with understood():
            size = int(response.headers.get("Content-Length", 0))
        if size > most:
            return Content(size, modified(response), None)
        try:
            data = response.read()
        except (AnswerTooLong, httpx.TimeoutException):
            raise
        except httpx.HTTPError as exc:
            # Its status was read, and its content can't be.
            raise errors.FileDenied(f"{path} can't be read: permission denied.") from exc
    if not data and most and path.startswith(_MADE_UP):
        data = _as_json(reach, path)[:most]
    told = {"true": True, "false": False}.get(response.headers.get(_WRITABLE, ""))
    return Content(len(data), modified(response), data, told)


def _as_json(reach: Reach, path: str) -> bytes:
    """Return the content of a file of the kernel's, which Blaxel's server has in JSON alone."""
    with _answer("GET", reach, path, headers={"Accept": "application/json"}) as response:
        response.read()
        return str(object_of(response).get("content") or "").encode()


def listing(reach: Reach, path: str, body: dict[str, Any]) -> Listing:
    """Return a folder as a sandbox listed it, with the names that its JSON could not carry."""
    found = Listing(
        files=[each for each in objects_of(body.get("files")) if _is_name(each.get("name"))],
        folders=[
            each["name"]
            for each in objects_of(body.get("subdirectories"))
            if _is_name(each.get("name"))
        ],
    )
    return _with_true_names(reach, path, found) if _has_lost_names(found) else found


def _is_name(name: object) -> bool:
    """Return whether it can be a name in a folder; the sandbox that lists it is not trusted."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set("/\0") & set(name)


def _has_lost_names(found: Listing) -> bool:
    return any(names.LOST in name for name in found.folders) or any(
        names.LOST in each["name"] for each in found.files
    )


def _with_true_names(reach: Reach, path: str, found: Listing) -> Listing:
    """Take names that are listed as one for several: for the next each, in the order of bytes."""
    true: dict[str, list[str]] = {}
    for entry in entries.entries(reach, path):
        true.setdefault(names.lost(entry.name), []).append(entry.name)

    def next_of(name: str) -> str:
        return true[name].pop(0) if names.LOST in name and true.get(name) else name

    return Listing(
        files=[{**each, "name": next_of(each["name"])} for each in found.files],
        folders=[next_of(name) for name in found.folders],
    )


def write(reach: Reach, path: str, content: bytes, *, meant: str = "") -> None:
    """Write a file of a few megabytes, with the folders above it. It keeps its permissions.

    meant is the path that a failure is told of.
    """
    meant = meant or path
    if len(content) <= PART:
        response = _ask("PUT", location(reach, path), files={"file": ("file", content)})
        expect_file_success(response, meant, "write a file")
        return
    started = _ask("POST", location(reach, path, "filesystem-multipart/initiate"), json={})
    expect_file_success(started, meant, "write a file")
    with understood():
        upload = reach.at(f"/filesystem-multipart/{object_of(started)['uploadId']}")
    try:
        _write_parts(upload, content, meant)
    except BaseException:
        with suppress(errors.SandboxError):
            _ask("DELETE", upload.at("/abort"))
        raise


def _write_parts(upload: Reach, content: bytes, meant: str) -> None:
    parts: list[dict[str, object]] = []
    for start in range(0, len(content), PART):
        number, form = len(parts) + 1, {"file": ("part", content[start : start + PART])}
        response = _ask("PUT", upload.at("/part"), params={"partNumber": number}, files=form)
        expect_file_success(response, meant, "write a file")
        parts.append({"partNumber": number, "etag": object_of(response).get("etag")})
    response = _ask("POST", upload.at("/complete"), json={"parts": parts}, timeout=LONG_TIMEOUT)
    expect_file_success(response, meant, "write a file")


def make_folder(reach: Reach, path: str) -> None:
    """Make a folder and those above it; one that is there stays."""
    response = _ask("PUT", location(reach, path), json={"isDirectory": True})
    expect_file_success(response, path, "make a folder")


def delete(reach: Reach, path: str) -> None:
    """Delete a file, or a folder with all in it, for good."""
    recursive = {"recursive": "true"}
    response = _ask("DELETE", location(reach, path), params=recursive, timeout=LONG_TIMEOUT)
    expect_file_success(response, path, "delete a file")


def find(reach: Reach, folder: str, kind: str, patterns: list[str], hidden: bool) -> list[str]:
    """Paths below the folder, relative to it, of what has a name that one of the globs matches.

    kind is "file" or "directory". What is in node_modules and the like is left out.
    """
    options = {
        "type": kind,
        "patterns": ",".join(patterns),
        "maxResults": _MAX_FOUND,
        "excludeHidden": str(not hidden).lower(),
    }
    where = location(reach, folder, "filesystem-find")
    response = _ask("GET", where, params=options, timeout=LONG_TIMEOUT)
    expect_file_success(response, folder, "search for a name")
    with understood():
        matches = objects_of(object_of(response).get("matches"))
        return [names.told(str(match["path"])) for match in matches]


def search_contents(reach: Reach, folder: str, text: str, most: int) -> list[dict[str, Any]]:
    """Lines below the folder that have the text: path (relative and raw), line, column, text."""
    options = {"query": text, "maxResults": most}
    where = location(reach, folder, "filesystem-content-search")
    response = _ask("GET", where, params=options, timeout=LONG_TIMEOUT)
    expect_file_success(response, folder, "search in files")
    return objects_of(object_of(response).get("matches"))


def _ask(method: str, where: Reach, **options: Any) -> httpx.Response:
    with translated():
        return client().request(method, **where.as_request(), **options)


def file_exists(reach: Reach, path: str) -> bool:
    """Return whether there is something at an absolute path."""
    response = request("GET", location(reach, path))
    if response.status_code != 404:
        expect_success(response, "read a file")
    return response.status_code != 404


def read_file(reach: Reach, path: str) -> str:
    """The text of the file at an absolute path."""
    response = request("GET", location(reach, path))
    expect_success(response, "read a file")
    return str(object_of(response).get("content"))


def write_file(reach: Reach, path: str, text: str) -> None:
    write(reach, path, text.encode())


def delete_file(reach: Reach, path: str) -> None:
    """Delete a file. Nothing happens when there is none."""
    response = request("DELETE", location(reach, path))
    if response.status_code != 404:
        expect_success(response, "delete a file")


def write_tree(reach: Reach, folder: str, files: dict[str, str]) -> None:
    """Write text files, given by their paths below an absolute folder."""
    where = reach.at(f"/filesystem/tree{folder}")
    response = request("PUT", where, json={"files": files}, timeout=LONG_TIMEOUT)
    expect_success(response, "write files")
