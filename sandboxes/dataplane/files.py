"""Files in a sandbox.

Every path here is absolute. It is quoted into the URL after the slash that the API itself needs, so
that `//x` means /x, whatever is in a name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from sandboxes import errors
from sandboxes.dataplane.client import (
    client,
    expect_success,
    refuse_failures,
    request,
    translated,
)

# The bytes themselves; a folder is listed in JSON all the same.
RAW = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
_MOST_FOUND = 1000
# What the operating system says, to what it means for the path that was asked for.
_SAID: tuple[tuple[str, type[errors.FileError], str], ...] = (
    ("no such file", errors.FileNotFound, "There is nothing at {path}."),
    ("not a directory", errors.NotAFolder, "{path} is not in a folder, or is none."),
    ("is a directory", errors.NotAFile, "{path} is a folder."),
    ("not a regular file", errors.NotAFile, "{path} is a device or a pipe, and no file."),
    ("no space left", errors.DiskFull, "The sandbox's disk is full."),
    ("quota exceeded", errors.DiskFull, "The sandbox's disk is full."),
    ("file too large", errors.DiskFull, "The sandbox's disk is full."),
    ("file name too long", errors.BadPath, "A name in this path is too long."),
    ("too many levels", errors.BadPath, "The links at {path} go in a circle."),
    ("busy", errors.BadPath, "{path} is a file system of its own and stays where it is."),
    ("permission denied", errors.FileDenied, "The sandbox does not allow this at {path}."),
    ("not permitted", errors.FileDenied, "The sandbox does not allow this at {path}."),
    ("read-only", errors.FileDenied, "{path} is on a file system that can't be written to."),
)


@dataclass(frozen=True)
class Listing:
    """A folder: Blaxel's fields of its files (links are among them), and its folders' names."""

    files: list[dict[str, Any]]
    folders: list[str]


@dataclass(frozen=True)
class Content:
    """A file; data is None when it is larger than was asked for."""

    size: int
    modified_at: datetime
    data: bytes | None


def location(url: str, path: str, api: str = "filesystem") -> str:
    return f"{url}/{api}/{quote(path, safe='/')}"


def explained(path: str, said: str) -> errors.FileError | None:
    """What the operating system's words mean for the path; None when they are others."""
    said = said.lower()
    for words, error, sentence in _SAID:
        if words in said:
            return error(sentence.format(path=path))
    return None


def expect_file_success(response: httpx.Response, path: str, what: str) -> None:
    """Raise a FileError that says why, or whatever else is wrong. The response was read."""
    if response.is_success:
        return
    if error := explained(path, said_by(response)):
        raise error
    refuse_failures(response)
    expect_success(response, what)


def said_by(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, str) else ""


def modified(response: httpx.Response) -> datetime:
    """When a file that is answered as it is was last changed."""
    try:
        return parsedate_to_datetime(response.headers.get("Last-Modified", ""))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def is_file(response: httpx.Response) -> bool:
    """Whether a file is answered as it is, and not a folder's listing."""
    return str(response.headers.get("Content-Disposition", "")).startswith("attachment")


@contextmanager
def _answer(method: str, url: str, path: str, **options: Any) -> Iterator[httpx.Response]:
    with translated(), client().stream(method, location(url, path), **options) as response:
        if not response.is_success:
            response.read()
            expect_file_success(response, path, "read a file")
        yield response


def read(url: str, path: str, most: int) -> Listing | Content:
    """A folder's listing, or a file with its content up to `most` bytes. Links are followed."""
    with _answer("GET", url, path, headers=RAW) as response:
        if not is_file(response):
            response.read()
            return _listing(response)
        size = int(response.headers.get("Content-Length", 0))
        if size > most:
            return Content(size, modified(response), None)
        try:
            data = response.read()
        except httpx.HTTPError as exc:
            # Its status was read, and its content can't be.
            raise errors.FileDenied(f"The sandbox does not allow {path} to be read.") from exc
        return Content(len(data), modified(response), data)


def _listing(response: httpx.Response) -> Listing:
    body = response.json()
    return Listing(
        files=body.get("files") or [],
        folders=[str(each["name"]) for each in body.get("subdirectories") or []],
    )


def write(url: str, path: str, content: bytes) -> None:
    """Write a file of a few megabytes, with the folders above it. It keeps its permissions."""
    response = _ask("PUT", location(url, path), files={"file": ("file", content)})
    expect_file_success(response, path, "write a file")


def make_folder(url: str, path: str) -> None:
    """Make a folder and those above it; one that is there stays."""
    response = _ask("PUT", location(url, path), json={"isDirectory": True})
    expect_file_success(response, path, "make a folder")


def delete(url: str, path: str) -> None:
    """Delete a file, or a folder with all in it, for good."""
    response = _ask("DELETE", location(url, path), params={"recursive": "true"})
    expect_file_success(response, path, "delete a file")


def find(url: str, folder: str, kind: str, pattern: str, hidden: bool) -> list[str]:
    """Paths below the folder, relative to it, of what has a name that the glob matches.

    kind is "file" or "directory". What is in node_modules and the like is left out.
    """
    options = {
        "type": kind,
        "patterns": pattern,
        "maxResults": _MOST_FOUND,
        "excludeHidden": str(not hidden).lower(),
    }
    response = _ask("GET", location(url, folder, "filesystem-find"), params=options)
    expect_file_success(response, folder, "search for a name")
    return [str(match["path"]) for match in response.json().get("matches") or []]


def search_contents(url: str, folder: str, text: str, most: int) -> list[dict[str, Any]]:
    """Lines below the folder that have the text: path (relative), line, column, text."""
    options = {"query": text, "maxResults": most}
    response = _ask("GET", location(url, folder, "filesystem-content-search"), params=options)
    expect_file_success(response, folder, "search in files")
    found: list[dict[str, Any]] = response.json().get("matches") or []
    return found


def _ask(method: str, where: str, **options: Any) -> httpx.Response:
    with translated():
        return client().request(method, where, **options)


def file_exists(url: str, path: str) -> bool:
    """Whether there is something at an absolute path."""
    response = request("GET", location(url, path))
    if response.status_code != 404:
        expect_success(response, "read a file")
    return response.status_code != 404


def read_file(url: str, path: str) -> str:
    """The text of the file at an absolute path."""
    response = request("GET", location(url, path))
    expect_success(response, "read a file")
    return str(response.json().get("content"))


def write_file(url: str, path: str, text: str) -> None:
    write(url, path, text.encode())


def delete_file(url: str, path: str) -> None:
    """Nothing happens when there is none."""
    response = request("DELETE", location(url, path))
    if response.status_code != 404:
        expect_success(response, "delete a file")


def write_tree(url: str, folder: str, files: dict[str, str]) -> None:
    """Write text files, given by their paths below an absolute folder."""
    response = request("PUT", f"{url}/filesystem/tree{folder}", json={"files": files})
    expect_success(response, "write files")
