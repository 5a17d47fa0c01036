"""Folders of sandboxes' files that lie outside of any sandbox: volumes, snapshots."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from .model import LaunchError, Mount

_WHILE_WE_LIVE = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
_AS_OWN_ROOT = ["bwrap", "--die-with-parent", "--unshare-user", "--uid", "0", "--gid", "0"]
_AS_OWN_ROOT += ["--cap-add", "ALL", "--bind", "/", "/"]


class Folders:
    """Folders by id in one directory, owned by the user that sandboxes run as."""

    def __init__(self, root: Path, uid: int | None) -> None:
        self._root = root
        self._uid = uid

    def path(self, id: str) -> Path:
        return self._root / id

    def make(self, id: str) -> Path:
        path = self.path(id)
        self._root.mkdir(mode=0o700, exist_ok=True)
        path.mkdir(mode=0o755)
        if self._uid is not None:
            os.chown(path, self._uid, self._uid)
        return path

    def ids(self) -> list[str]:
        return [path.name for path in self._root.iterdir()] if self._root.exists() else []

    async def keep(self, id: str, source: Path) -> None:
        """Keep a copy of a folder, whole or not at all."""
        self._root.mkdir(mode=0o700, exist_ok=True)
        draft = self.path(f"{id}.new")
        try:
            await asyncio.to_thread(copy_tree, source, draft)
        except subprocess.CalledProcessError as exc:
            await asyncio.to_thread(remove_tree, draft)
            reason = exc.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise LaunchError(f"its files can't be copied: {reason}") from exc
        draft.rename(self.path(id))

    async def remove(self, id: str) -> None:
        await asyncio.to_thread(remove_tree, self.path(id))


def make_way(root: Path, relative: str, uid: int | None) -> None:
    """Make the folder below a sandbox's own one at which something is mounted.

    bwrap would, before the host's files are out of its sight, and would follow a link: those are
    removed. A file where a folder is needed is kept under another name.
    """
    unlock(root)
    path = root
    for part in Path(relative).parts:
        path /= part
        if not path.is_symlink() and path.is_dir():
            unlock(path)
            continue
        move_away(path)
        path.mkdir(mode=0o755)
        if uid is not None:
            os.chown(path, uid, uid)


def move_away(path: Path) -> None:
    """Leave nothing at that path: no link, and no mark that something below is deleted."""
    if path.is_symlink() or path.is_char_device():
        path.unlink()
    elif path.exists():
        path.rename(path.with_name(f"{path.name[:200]}.moved-{secrets.token_hex(4)}"))


def unlock(folder: Path) -> None:
    """Let the owner of a folder enter it and write there, as each start must be able to."""
    mode = folder.stat().st_mode & 0o7777
    if mode & 0o700 != 0o700:
        folder.chmod(mode | 0o700)


def copy_tree(source: Path, target: Path) -> None:
    """Copy the folder, in blocks that both share where the file system can.

    The copy ends with the server: the next one must find no process still writing there. Raises
    CalledProcessError.
    """
    command = ["cp", "-a", "--reflink=auto", "--", str(source), str(target)]
    if os.geteuid() and shutil.which("bwrap"):
        # In a namespace of its own an ordinary user reads all that is theirs, whatever its mode.
        command = [*_AS_OWN_ROOT, *command]
    subprocess.run([*_WHILE_WE_LIVE, *command], capture_output=True, check=True)  # noqa: S603


def remove_tree(folder: Path) -> None:
    """Remove a tree with rm, which no depth of folders stops; parts may be unreadable."""
    command = ["rm", "-rf", "--", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
        unlock = ["chmod", "-R", "u+rwX", "--", str(folder)]
        subprocess.run(unlock, capture_output=True, check=False)  # noqa: S603
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603


def placed_in(folder: Path, mounts: tuple[Mount, ...], uid: int | None) -> list[Mount]:
    """Return the mounts, with a folder that ends with the sandbox for those without one."""
    scratch = Folders(folder / "scratch", uid)
    placed = []
    for number, mount in enumerate(mounts):
        name = str(number)
        own = scratch.path(name) if scratch.path(name).exists() else None
        placed.append(replace(mount, source=mount.source or own or scratch.make(name)))
    return placed
