"""Locations of a sandbox's files on this machine, and their move from earlier versions.

In the sandbox's folder ``disk/files`` holds all of them: ``home`` is /blaxel, ``var`` is /var, and
``root`` and ``usr`` hold what was written over the image anywhere else. A snapshot is a copy of it.
``disk/work`` belongs to the kernel, which wants it beside ``root`` and ``usr``.
"""

from __future__ import annotations

import os
from pathlib import Path

from .folders import make_way, move_away, remove_tree

HOME, VAR, ROOT, USR = "home", "var", "root", "usr"
LAYERS = (ROOT, USR)
VAR_FOLDERS = ("cache", "lib", "log", "spool", "tmp")
# Snapshots and archives; where earlier versions kept those, of the home alone.
KEPT, KEPT_HOMES = "kept", "snapshots"


def files(sandbox: Path) -> Path:
    return sandbox / "disk" / "files"


def work(sandbox: Path) -> Path:
    return sandbox / "disk" / "work"


def make(sandbox: Path, uid: int | None) -> None:
    """Make what is missing of the folders that a sandbox writes to, for that user."""
    _make_parents(sandbox)
    own, var = files(sandbox), files(sandbox) / VAR
    within_var = [var / name for name in VAR_FOLDERS] if not var.exists() else []
    for folder in (*(own / name for name in (HOME, VAR, *LAYERS)), *within_var):
        _make(folder, uid)
    for name in LAYERS:
        _make(work(sandbox) / name, uid)


def _make_parents(sandbox: Path) -> None:
    for folder in (sandbox / "disk", files(sandbox), work(sandbox)):
        _make(folder, None)


def _make(folder: Path, uid: int | None) -> None:
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o755)
        if uid is not None:
            os.chown(folder, uid, uid)


def clear_way(sandbox: Path, targets: list[str], fixed: list[str], uid: int | None) -> None:
    """Make a folder for each mount, and leave nothing where a file is mounted.

    What the sandbox's user wrote could otherwise lead bwrap elsewhere.
    """
    own = files(sandbox)
    for target in targets:
        for inside, name in (("/blaxel", HOME), ("/var", VAR), ("", ROOT)):
            if target.startswith(f"{inside}/"):
                make_way(own / name, target.removeprefix(f"{inside}/"), uid)
                break
    for target in fixed:
        move_away(own / ROOT / target.lstrip("/"))


def move_from_earlier(sandbox: Path) -> None:
    """Bring the files of a sandbox that an earlier version made to where they are now."""
    for name in (HOME, VAR):
        old, new = sandbox / name, files(sandbox) / name
        # Restoring others may have been broken off between its two steps.
        for each in (old, sandbox / f"{name}.new"):
            if each.is_dir() and not new.exists():
                _make_parents(sandbox)
                each.rename(new)
    for name in ("home.new", "home.old"):
        if (sandbox / name).exists():
            remove_tree(sandbox / name)


def move_kept_from_earlier(state_dir: Path) -> None:
    """Bring snapshots and archives of a home alone to where those of all files are."""
    homes = state_dir / KEPT_HOMES
    if not homes.is_dir():
        return
    for home in homes.iterdir():
        kept = state_dir / KEPT / home.name
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        _make(kept, None)
        home.rename(kept / HOME)
    homes.rmdir()
