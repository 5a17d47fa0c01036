"""Folders of sandboxes' files that lie outside of any sandbox: volumes, snapshots."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from .model import LaunchError

_WHILE_WE_LIVE = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


class Folders:
    """Folders by id in one directory, owned by whoever sandboxes run as."""

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


def remove_links(root: Path, relative: str) -> None:
    """Remove what is a symbolic link on the way from a sandbox's folder to a place below it.

    bwrap makes that place before the host's files are out of its sight, and would follow the link.
    """
    path = root
    for part in Path(relative).parts:
        path /= part
        if path.is_symlink():
            path.unlink()


def copy_tree(source: Path, target: Path) -> None:
    """A copy of the folder that shares its blocks with it where the file system can.

    It ends with the server: the next one must find nobody still writing there.
    """
    command = ["cp", "-a", "--reflink=auto", "--", str(source), str(target)]
    subprocess.run([*_WHILE_WE_LIVE, *command], capture_output=True, check=True)  # noqa: S603


def remove_tree(folder: Path) -> None:
    """With rm, which no depth of folders stops; some may have been made unreadable."""
    command = ["rm", "-rf", "--", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603
        unlock = ["chmod", "-R", "u+rwX", "--", str(folder)]
        subprocess.run(unlock, capture_output=True, check=False)  # noqa: S603
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603
