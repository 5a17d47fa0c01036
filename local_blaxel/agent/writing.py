"""Writing a file: its new content is whole on the disk before anything of the old one goes.

The content goes into a draft in the same folder, which then takes the file's name in one step. A
draft has no name where the file system allows that, so that nothing is left of one whose writer
was killed. Permissions, owner and links are kept: where another file can't have them, the content
is copied into the old one, beginning with what takes more room.
"""

from __future__ import annotations

import errno
import os
import posixpath
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import BinaryIO, cast

from .wire import ApiError

DEFAULT_MODE = 0o644
# The code of what is neither a file nor a folder.
IRREGULAR = "NOT_A_REGULAR_FILE"
# A draft has a name between two system calls, or where it can't be without one.
DRAFT = ".local_blaxel-draft-"
CHUNK = 2**20
# Enough to reach what is in a folder, also where its names may not be read.
FOLDER = (os.O_PATH if sys.platform == "linux" else os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
# What a file system answers that has no files without a name.
UNSUPPORTED = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)


@contextmanager
def written(path: str, mode: int | None = None, *, exclusive: bool = False) -> Iterator[BinaryIO]:
    """A file to write into, with its folders made; it is at the path once the block has ended.

    What is at the path stays as it was when the block fails, and keeps its permissions unless a
    mode is given. Links are followed. Exclusive: raises FileExistsError when there is something.
    """
    real = path if exclusive else os.path.realpath(path)
    above, name = posixpath.split(real)
    make_folders(above)
    folder = os.open(above, FOLDER)
    try:
        with written_at(folder, name, mode, exclusive=exclusive) as file:
            yield file
    finally:
        os.close(folder)


@contextmanager
def written_at(
    folder: int, name: str, mode: int | None = None, *, exclusive: bool = False
) -> Iterator[BinaryIO]:
    """Write as `written` does, to a name in an open folder; a link is refused."""
    with ExitStack() as stack:
        old = None if exclusive else _old(folder, name, stack)
        draft = stack.enter_context(closing(_Draft(folder, may_be_elsewhere=old is not None)))
        yield draft.file
        draft.file.flush()
        if old is None:
            draft.finish(mode)
            draft.take_new_name(name, exclusive=exclusive)
        elif draft.is_beside and _can_stand_for(draft.file.fileno(), old):
            draft.finish(stat.S_IMODE(os.fstat(old).st_mode) if mode is None else mode)
            if not draft.take_place_of(name):
                _overwrite(old, draft.file, mode)
        else:
            _overwrite(old, draft.file, mode)


def make_folders(path: str) -> None:
    """Make a folder and those above it. Raises NotADirectoryError where a file is in the way."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError as exc:
        os.stat(path)  # a loop of links says so
        number = errno.ENOTDIR
        raise NotADirectoryError(number, os.strerror(number), path) from exc


def refuse_irregular(path: str, info: os.stat_result) -> None:
    """A pipe or a device could block for ever, or never end."""
    if not stat.S_ISREG(info.st_mode):
        raise ApiError(422, f"{path} is not a regular file", IRREGULAR)


class _Draft:
    """A file that has no name yet."""

    def __init__(self, folder: int, *, may_be_elsewhere: bool) -> None:
        self._folder = folder
        self._name = ""
        self.is_beside = True
        try:
            self.file = self._open()
        except OSError as exc:
            # Into a file that is there one may write, also where no other may be made.
            if not may_be_elsewhere or exc.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            self.is_beside = False
            self.file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115

    def _open(self) -> BinaryIO:
        flags = os.O_RDWR | os.O_CLOEXEC
        if sys.platform == "linux":
            try:
                fd = os.open(".", flags | os.O_TMPFILE, DEFAULT_MODE, dir_fd=self._folder)
                return open(fd, "w+b")
            except OSError as exc:
                if exc.errno not in UNSUPPORTED:
                    raise
        name = _draft_name()
        fd = os.open(name, flags | os.O_CREAT | os.O_EXCL, DEFAULT_MODE, dir_fd=self._folder)
        self._name = name
        return open(fd, "w+b")

    def finish(self, mode: int | None) -> None:
        """Let the content be on the disk, with the mode where one is given."""
        if mode is not None:
            os.fchmod(self.file.fileno(), mode)
        os.fsync(self.file.fileno())

    def take_new_name(self, name: str, *, exclusive: bool) -> None:
        """Raises FileExistsError when there is something meanwhile, and this is exclusive."""
        try:
            self._link(name)
        except FileExistsError:
            if exclusive:
                raise
            self.take_place_of(name)
            return
        self._tell_of_content(name)

    def _tell_of_content(self, name: str) -> None:
        """Have those who watch the folder told that the file was written, and not only made."""
        with suppress(OSError):
            fd = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
            try:
                os.ftruncate(fd, os.fstat(fd).st_size)
            finally:
                os.close(fd)

    def take_place_of(self, name: str) -> bool:
        """Take a name from another file; False where that is a mount and keeps it."""
        if not self._name:
            draft = _draft_name()
            self._link(draft)
            self._name = draft
        try:
            os.replace(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError as exc:
            if exc.errno != errno.EBUSY:
                raise
            return False
        self._name = ""
        return True

    def _link(self, name: str) -> None:
        source = self._name or f"/proc/self/fd/{self.file.fileno()}"
        where = {"src_dir_fd": self._folder, "dst_dir_fd": self._folder}
        os.link(source, name, **where, follow_symlinks=not self._name)

    def close(self) -> None:
        # What could not be written is tried once more, and fails once more.
        with suppress(OSError):
            self.file.close()
        if self._name:
            with suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)


def _draft_name() -> str:
    return f"{DRAFT}{secrets.token_hex(8)}"


def _old(folder: int, name: str, stack: ExitStack) -> int | None:
    """The file of that name, open for writing; None when there is none."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno == errno.ENXIO:  # a pipe or a socket that nobody reads from
            raise ApiError(422, f"{name} is not a regular file", IRREGULAR) from exc
        raise
    stack.callback(os.close, fd)
    refuse_irregular(name, os.fstat(fd))
    return fd


def _can_stand_for(draft: int, old: int) -> bool:
    """Give the draft the old file's owner; False where it can't have all that belongs to that."""
    info, mine = os.fstat(old), os.fstat(draft)
    if info.st_nlink != 1 or _attributes(old):
        return False
    if (info.st_uid, info.st_gid) != (mine.st_uid, mine.st_gid):
        try:
            os.fchown(draft, info.st_uid, info.st_gid)
        except OSError:
            return False
    return True


def _attributes(fd: int) -> list[str]:
    """Access lists and the like; what the system itself notes of every file is none of them."""
    if sys.platform != "linux":
        return []
    try:
        return [name for name in os.listxattr(fd) if not name.startswith("security.")]
    except OSError:
        return []


def _overwrite(old: int, draft: BinaryIO, mode: int | None) -> None:
    """Copy the draft into the old file. Raises OSError before anything of it is lost."""
    before, size = os.fstat(old).st_size, os.fstat(draft.fileno()).st_size
    try:
        # The end first: it takes the room that is needed, and can be taken back.
        _copy(draft, old, before, size)
    except OSError:
        os.ftruncate(old, before)
        raise
    _copy(draft, old, 0, min(before, size))
    os.ftruncate(old, size)
    if mode is not None:
        os.fchmod(old, mode)
    with suppress(OSError):  # what is no file on a disk can't be brought there
        os.fsync(old)


def _copy(source: BinaryIO, target: int, start: int, end: int) -> None:
    source.seek(start)
    while start < end and (data := source.read(min(CHUNK, end - start))):
        while data:
            count = os.pwrite(target, data, start)
            data, start = data[count:], start + count
