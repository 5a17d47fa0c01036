"""Files below one folder and nowhere else, for callers that may reach no more than that.

A path is resolved and opened in one step by the kernel (openat2), so a link that is exchanged after
a check leads nowhere: there is no moment between the check and the use.
"""

from __future__ import annotations

import ctypes
import errno
import os
import posixpath
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from . import paths
from .sandbox import Sandbox
from .wire import ApiError

HEADER = "x-local-blaxel-beneath"
CODE = "OUT_OF_REACH"
OPENAT2 = 437  # The same number on every architecture.
NO_MAGICLINKS, NO_SYMLINKS, BENEATH = 0x02, 0x04, 0x08

_libc = ctypes.CDLL(None, use_errno=True)


class Folder:
    """The folder that a request is held to, open; paths are absolute ones below it."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    @contextmanager
    def opened(self, path: str, flags: int, mode: int = 0) -> Iterator[int]:
        fd = self.open(path, flags, mode)
        try:
            yield fd
        finally:
            os.close(fd)

    def open(self, path: str, flags: int, mode: int = 0, *, resolve: int = 0) -> int:
        """Raises ApiError 403 for a path that leads out of the folder, else OSError."""
        relative = self.relative(path)
        flags |= os.O_CLOEXEC
        try:
            return openat2(self.fd, relative, flags, mode, BENEATH | NO_MAGICLINKS | resolve)
        except OSError as exc:
            if exc.errno != errno.EXDEV or resolve & NO_SYMLINKS:
                raise self._unless_outside(exc, path) from exc
        # An absolute link may lead to a place below it; its name is resolved here, and trusted
        # no further than that.
        return self._open_real(path, flags, mode)

    @contextmanager
    def place_of(self, path: str) -> Iterator[tuple[int, str]]:
        """The open folder and the name that a path leads to, which need not be there."""
        above, name = posixpath.split(self._real(path))
        flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        fd = self._open_below(path, above or ".", flags)
        try:
            yield fd, name
        finally:
            os.close(fd)

    def _open_real(self, path: str, flags: int, mode: int) -> int:
        return self._open_below(path, self._real(path), flags, mode)

    def _real(self, path: str) -> str:
        """The path without links, from the folder on. Raises ApiError 403 when it leads out."""
        top = os.path.realpath(f"/proc/self/fd/{self.fd}")
        real = os.path.realpath(path)
        if not f"{real}/".startswith(f"{top.rstrip('/')}/"):
            raise self.out_of_reach(path)
        return posixpath.relpath(real, top)

    def _open_below(self, path: str, below: str, flags: int, mode: int = 0) -> int:
        """Open what is below the folder by a path that has no links, or refuse it."""
        try:
            return openat2(self.fd, below, flags, mode, BENEATH | NO_MAGICLINKS | NO_SYMLINKS)
        except OSError as exc:
            raise self._unless_outside(exc, path) from exc

    def make_folders(self, path: str) -> None:
        """Make the folder and the missing ones above it."""
        at = ""
        for part in self.relative(path).split("/"):
            parent = posixpath.join(self.path, at)
            with self.opened(parent, os.O_PATH | os.O_DIRECTORY) as fd, suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=fd)
            at = posixpath.join(at, part)

    def relative(self, path: str) -> str:
        below = posixpath.relpath(path, self.path)
        if below == ".." or below.startswith("../"):
            raise self.out_of_reach(path)
        return below

    def out_of_reach(self, path: str) -> ApiError:
        return ApiError(403, f"{path} leads out of {self.path}", CODE)

    def _unless_outside(self, exc: OSError, path: str) -> Exception:
        if exc.errno in (errno.EXDEV, errno.ELOOP):
            return self.out_of_reach(path)
        return exc


@contextmanager
def folder_of(request: Request, sandbox: Sandbox) -> Iterator[Folder | None]:
    """The folder that the request is held to, None where it is not held to any."""
    if HEADER in request.headers:
        with held_folder(request, sandbox) as folder:
            yield folder
    else:
        yield None


@contextmanager
def held_folder(request: Request, sandbox: Sandbox, *, make: bool = False) -> Iterator[Folder]:
    """The folder that the request is held to, open."""
    path = os.fsdecode(unquote_to_bytes(request.headers[HEADER]))
    if not path.startswith("/"):
        raise ApiError(400, f"{HEADER} must be an absolute path")
    if sys.platform != "linux":
        raise ApiError(501, "only Linux can hold a request to a folder")
    path = paths.absolute(path, sandbox)
    try:
        if make:
            os.makedirs(path, exist_ok=True)
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as exc:
        code = errno.errorcode.get(exc.errno or 0)
        raise ApiError(404, f"{path}: {(exc.strerror or str(exc)).lower()}", code) from exc
    try:
        yield Folder(path, fd)
    finally:
        os.close(fd)


def openat2(folder: int, path: str, flags: int, mode: int, resolve: int) -> int:
    """The system call, which no version of Python has."""
    how = struct.pack("=QQQ", flags, mode if flags & os.O_CREAT else 0, resolve)
    arguments = (ctypes.c_int(folder), os.fsencode(path), how, ctypes.c_size_t(len(how)))
    while (fd := _libc.syscall(ctypes.c_long(OPENAT2), *arguments)) < 0:
        # EAGAIN: something on the way was renamed meanwhile.
        if (number := ctypes.get_errno()) not in (errno.EINTR, errno.EAGAIN):
            raise OSError(number, os.strerror(number), path)
    return int(fd)
