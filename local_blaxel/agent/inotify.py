"""The kernel's inotify through libc: what changes in directories, told in fsnotify's words."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import posixpath
import re
import struct
import sys
from collections.abc import Callable
from typing import NamedTuple

from .walk import walk
from .writing import DRAFT

# linux/inotify.h
IN_MODIFY, IN_ATTRIB, IN_MOVED_FROM, IN_MOVED_TO = 0x2, 0x4, 0x40, 0x80
IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x100, 0x200, 0x400, 0x800
IN_Q_OVERFLOW, IN_IGNORED, IN_ONLYDIR, IN_ISDIR = 0x4000, 0x8000, 0x01000000, 0x40000000
OPERATIONS = {
    "CREATE": IN_CREATE | IN_MOVED_TO,
    "WRITE": IN_MODIFY,
    "REMOVE": IN_DELETE | IN_DELETE_SELF,
    "RENAME": IN_MOVED_FROM | IN_MOVE_SELF,
    "CHMOD": IN_ATTRIB,
}
WANTED = sum(OPERATIONS.values()) | IN_ONLYDIR
HEADER = struct.Struct("iIII")
READ_SIZE = 2**16
NAMELESS = re.compile("#[0-9]+")
# What a slow client has not taken yet; more stays with the kernel, which says when it lost some.
MAX_WAITING = 4096


class Change(NamedTuple):
    operation: str
    folder: str
    name: str
    error: str | None = None


class Watch:
    """The changes in one directory, and with `recursive` in all below it, new ones too.

    Raises OSError when the directory can't be watched. One below it that can't be is left out and
    reported once, as a change with an error.
    """

    def __init__(self, root: str, *, recursive: bool, skips: Callable[[str], bool]) -> None:
        if sys.platform != "linux":
            raise OSError(errno.ENOTSUP, "files can't be watched on this system")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._recursive = recursive
        self._skips = skips
        self._folders: dict[int, str] = {}
        self._is_at_limit = False
        # The kernel's number for the last draft that took the place of a file.
        self._replacing = 0
        self._changes: asyncio.Queue[Change | None] = asyncio.Queue()
        self._fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        try:
            self._root = self._add(root)
            self._add_below(root)
        except OSError:
            os.close(self._fd)
            raise

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    async def next(self) -> Change | None:
        """The next change; None when the directory itself is gone."""
        if self._changes.qsize() < MAX_WAITING:
            asyncio.get_running_loop().add_reader(self._fd, self._read)
        return await self._changes.get()

    def _add(self, folder: str) -> int:
        path = os.fsencode(folder)
        watch = self._checked(self._libc.inotify_add_watch(self._fd, path, WANTED))
        self._folders[watch] = folder
        return watch

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

    def _add_below(self, folder: str, *, is_new: bool = False) -> None:
        """Watch the folders below; report what a new folder holds, as it was made unwatched."""
        if not self._recursive:
            return
        for entry in walk(folder, lambda name: True):
            if self._skips(entry.path):
                continue
            if is_new:
                self._changes.put_nowait(Change("CREATE", *posixpath.split(entry.path)))
            if entry.is_directory:
                self._add_if_possible(entry.path)

    def _add_if_possible(self, folder: str) -> bool:
        """Watch it. Returns whether that succeeded."""
        if self._is_at_limit:
            return False
        try:
            self._add(folder)
        except (FileNotFoundError, NotADirectoryError):  # It is gone again, or something else.
            return False
        except OSError as exc:
            # So many are watched that no other can be: that is reported once for all of them.
            self._is_at_limit = exc.errno == errno.ENOSPC
            error = f"not watched: {(exc.strerror or str(exc)).lower()}"
            self._changes.put_nowait(Change("", *posixpath.split(folder), error))
            return False
        return True

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        if self._changes.qsize() >= MAX_WAITING:
            asyncio.get_running_loop().remove_reader(self._fd)
        while data:
            watch, mask, cookie, length = HEADER.unpack_from(data)
            name = os.fsdecode(data[HEADER.size : HEADER.size + length].rstrip(b"\0"))
            data = data[HEADER.size + length :]
            if mask & IN_MOVED_FROM and name.startswith(DRAFT):
                self._replacing = cookie
            elif mask & IN_MOVED_TO and cookie == self._replacing:
                mask = IN_MODIFY
            self._notice(watch, mask, name)

    def _notice(self, watch: int, mask: int, name: str) -> None:
        if mask & IN_Q_OVERFLOW:
            self._changes.put_nowait(Change("", "", "", "events were lost: too many at once"))
        elif mask & IN_IGNORED:
            self._folders.pop(watch, None)
            self._is_at_limit = False
            if watch == self._root:
                self._changes.put_nowait(None)
        elif (folder := self._folders.get(watch)) is not None:
            self._tell(watch, mask, folder, name)

    def _tell(self, watch: int, mask: int, folder: str, name: str) -> None:
        # What happens to a directory itself is told by its parent's watch, too.
        if not name and watch != self._root:
            return
        where = (folder, name) if name else posixpath.split(folder)
        path = posixpath.join(*where)
        if self._skips(path) or _has_no_name(mask, path):
            return
        operations = [word for word, bits in OPERATIONS.items() if mask & bits]
        self._changes.put_nowait(Change("|".join(operations), *where))
        is_new_folder = mask & IN_ISDIR and mask & OPERATIONS["CREATE"]
        if is_new_folder and self._recursive and self._add_if_possible(path):
            self._add_below(path, is_new=True)


def _has_no_name(mask: int, path: str) -> bool:
    """Return whether it is a file without a name yet, of which the kernel tells the number."""
    is_written = bool(mask & (IN_MODIFY | IN_ATTRIB))
    is_number = NAMELESS.fullmatch(posixpath.basename(path)) is not None
    return is_written and is_number and not os.path.lexists(path)
