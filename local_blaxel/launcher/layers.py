"""Layers under the files that a sandbox writes: read-only, shared by all, made once.

``own`` says who a sandbox is, and lies over an image, too. ``system`` is the root of a sandbox
without an image of its own. ``folders`` are folders of this machine's /usr: owned by the user that
sandboxes run as, they let files be added, replaced and deleted there, whatever their owner.
Where all that root has in /usr is shown as that user's own, they also hide what is root's alone.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from .tools import hand_over

# What programs under /usr need from the host's /etc, where it is there; nothing with secrets.
HOST_ETC = [
    *("alternatives", "bash.bashrc", "ca-certificates", "crypto-policies", "debian_version"),
    *("inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic"),
    *("mime.types", "os-release", "pki/ca-trust", "pki/tls/certs", "profile", "protocols"),
    *("services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone"),
]
# Where /usr may be reached from, as links to it or as folders beside it.
BESIDE_USR = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
EMPTY = ("home", "media", "mnt", "opt", "root", "srv")
# Each is a folder on the disk, once for all sandboxes: 4 KiB. The deepest of more are left out.
MAX_FOLDERS = 50_000
# These are enough where root's are shown as the user's own.
DEPTH, ALL_OF = 3, "/usr/local"
# What everyone may list and enter: in what others may not, nothing can be written inside either.
OPEN = 0o005
# What is not open to everyone, as `find` is told; nothing inside of such a folder counts.
CLOSED = ["(", "-type", "d", "!", "-perm", "-005", "-prune", "-o"]
CLOSED += ["!", "-type", "d", "!", "-type", "l", "!", "-perm", "-004", ")"]
SCANS, SCAN_SECONDS = 3, 15


def host_etc() -> list[str]:
    """The names of what sandboxes are shown of this machine's /etc."""
    java = (path.name for path in Path("/etc").glob("java-*"))
    return [name for name in (*HOST_ETC, *java) if os.path.lexists(f"/etc/{name}")]


def closed(folder: str) -> list[str] | None:
    """Everything below the folder that not everyone may read; None where it can't be found out."""
    command = ["find", folder, "-xdev", *CLOSED, "-print0"]
    # It fails, too, when something is deleted while it looks.
    for _ in range(SCANS):
        try:
            found = subprocess.run(command, capture_output=True, timeout=SCAN_SECONDS)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return None
        if found.returncode == 0:
            return sorted(map(os.fsdecode, filter(None, found.stdout.split(b"\0"))))
    return None


def build(runtime: Path, etc: dict[str, str], hidden: list[str], *, needs_folders: bool) -> None:
    own, system, folders = (runtime / name for name in ("own", "system", "folders"))
    (own / "etc").mkdir(parents=True)
    for name, text in etc.items():
        (own / "etc" / name).write_text(text)
    _build_system(system)
    for folder in islice(_usr_folders(needs_folders), MAX_FOLDERS):
        os.mkdir(f"{folders}{folder.removeprefix('/usr')}")
    for path in hidden:
        hide(folders / path.removeprefix("/usr/"))
    for layer in (own, system, folders):
        hand_over(layer)


def _build_system(system: Path) -> None:
    for name in ("etc", *EMPTY):
        (system / name).mkdir(parents=True)
    for name in BESIDE_USR:
        path = Path("/", name)
        if path.is_symlink():
            (system / name).symlink_to(os.readlink(path))
    for name in host_etc():
        source, target = Path("/etc", name), system / "etc" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, ignore=_secret)
        elif not _secret("/etc", [name]):
            shutil.copy2(source, target, follow_symlinks=False)


def hide(path: Path) -> None:
    """Put there what an overlay takes for a deleted file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))


def _secret(folder: str, names: list[str]) -> set[str]:
    """Return the names that are not readable by all, as these may be secrets."""
    return {name for name in names if not os.lstat(os.path.join(folder, name)).st_mode & 0o004}


def _usr_folders(needs_folders: bool) -> Iterator[str]:
    """Yield the folders of /usr that everyone may enter, those above before those below."""
    pending = deque(["/usr"])
    while pending:
        folder = pending.popleft()
        yield folder
        is_deep = folder.count("/") > DEPTH and not folder.startswith(f"{ALL_OF}/")
        if is_deep and not needs_folders:
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and entry.stat().st_mode & OPEN == OPEN:
                    pending.append(entry.path)
