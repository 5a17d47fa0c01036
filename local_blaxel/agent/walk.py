"""Everything below a directory, in a stable order; links are not followed."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .beneath import NO_SYMLINKS, Folder
from .wire import ApiError


@dataclass(frozen=True)
class Entry:
    path: str
    is_directory: bool

    @property
    def name(self) -> str:
        return posixpath.basename(self.path)

    @property
    def type(self) -> str:
        return "directory" if self.is_directory else "file"


def walk(root: str, enters: Callable[[str], bool]) -> Iterator[Entry]:
    """Files, links and the directories whose name `enters` accepts, with what is below them."""
    for folder, names, others in os.walk(root):
        links = {name for name in names if os.path.islink(posixpath.join(folder, name))}
        names[:] = sorted(name for name in names if name not in links and enters(name))
        for name in names:
            yield Entry(posixpath.join(folder, name), True)
        for name in sorted([*others, *links]):
            yield Entry(posixpath.join(folder, name), False)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether it is a directory itself; one that has vanished is none."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def walk_held(folder: Folder, root: str, enters: Callable[[str], bool]) -> Iterator[Entry]:
    """Walk as `walk` does, with each folder opened below the one that the request is held to."""
    pending = [(root, 0)]
    while pending:
        path, resolve = pending.pop()
        try:
            fd = folder.open(path, os.O_RDONLY | os.O_DIRECTORY, resolve=resolve)
        except (OSError, ApiError):  # It went, is closed to us, or has become a link.
            continue
        try:
            with os.scandir(fd) as found:
                kinds = sorted((entry.name, is_folder(entry)) for entry in found)
        finally:
            os.close(fd)
        inner = [posixpath.join(path, name) for name, is_dir in kinds if is_dir and enters(name)]
        yield from (Entry(each, True) for each in inner)
        yield from (
            Entry(posixpath.join(path, name), False) for name, is_dir in kinds if not is_dir
        )
        pending += [(each, NO_SYMLINKS) for each in reversed(inner)]
