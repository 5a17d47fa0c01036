"""Options of bwrap: what a sandbox may see and do."""

from __future__ import annotations

import marshal
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import disks, layers, programs, seccomp
from .model import LaunchError, Mount
from .processes import AGENT_MODULE
from .programs import HOST_USR, RUNTIME
from .runtime import ETC, FIXED_ETC, UID
from .tools import environment, ordinary_uid

HTTP_FD, CONTROL_FD, SECCOMP_FD = 3, 4, 5

# Far from the uids of people and of containers; they own nothing and start nothing else.
FIRST_ACCOUNT, ACCOUNTS = 0x70000000, 2**26

NAME = "bubblewrap"
HOME = "/blaxel"
PYTHON = f"{RUNTIME}/python"
# Where the agent measures what was written over the image.
FILES = f"{RUNTIME}/files"
SHM_BYTES, TMP_BYTES, RUN_BYTES = 64 * 2**20, 512 * 2**20, 16 * 2**20

MASKED = ("/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/timer_list")
# How a program of this machine finds the names of others.
RESOLVING = ("/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf")
# What of an image's root each sandbox has its own of, where that root is read-only.
OWN = ("blaxel", "dev", "proc", "run", "sys", "tmp", "var")
# Where enter.py lays a sandbox's own files over its image.
OVER_ROOT, OVER_USR = "/sys/root", "/sys/usr"
MOUNT_POINTS = [*(f"/{name}" for name in OWN if name != "sys"), "/etc", RUNTIME]

ENTER = Path(__file__).with_name("enter.py")


@dataclass(frozen=True)
class Plan:
    """Instructions for enter.py: the user to become, and bwrap's options and command.

    `sources` and `stored` are the folders among the options that only root may be able to reach: in
    those that are `stored` what sandboxes write belongs to `uid` on the disk. Each of the
    `overlays` is where it is mounted, what is written to, the kernel's own folder, and what is
    below, from top to bottom.
    """

    bwrap: str
    uid: int | None
    options: list[str]
    command: list[str]
    sources: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    cgroups: list[str] = field(default_factory=list)
    # The uid as which the sandbox runs where root starts it, as far as its files can be mapped.
    account: int = FIRST_ACCOUNT
    overlays: list[list[str]] = field(default_factory=list)
    # What is below an overlay and seems to be the user's own as far as it is root's; or nothing.
    owned: str = ""

    def encode(self) -> bytes:
        return marshal.dumps(asdict(self))


def plan(
    bwrap: str,
    instance: str,
    folder: Path,
    runtime: Path,
    cgroups: list[Path],
    mounts: list[Mount],
    writable: frozenset[str],
    owned: str = "",
) -> Plan:
    """Plan how to enter the sandbox of a folder, with the parts of its image that are `writable`.

    What root has in the folder `owned` can be changed, and not only replaced.
    """
    files, image = disks.files(folder), image_of(mounts)
    stored = [str(runtime), str(folder / "disk"), *(str(mount.source) for mount in mounts)]
    overlays = _overlays(folder, runtime, image) if "/" in writable else []
    if "/usr" not in writable:
        overlays = overlays[:1]
    options = ["--unshare-all", "--unshare-user", "--disable-userns", "--hostname", "sandbox"]
    # Its first process is the agent, which nothing inside can trace, and not a helper of bwrap's.
    options += ["--as-pid-1"]
    options += ["--uid", str(UID), "--gid", str(UID), "--chdir", HOME]
    options += _over(overlays, image) if overlays else _under(image)
    options += [*_own(files, mounts), *_runtime(runtime, files if overlays else None)]
    sources = [] if _is_system_python() else [sys.base_prefix]
    is_apart = bool(overlays) or image is not None
    options += _environment(is_apart=is_apart, has_host=image is None)
    options += ["--remount-ro", "/dev", *([] if overlays else ["--remount-ro", "/"])]
    if seccomp.program() is not None:
        options += ["--seccomp", str(SECCOMP_FD)]
    command = _command(instance, _python_apart() if is_apart else [_python()])
    account = FIRST_ACCOUNT + int(instance, 16) % ACCOUNTS
    uid, owned = ordinary_uid(), owned if len(overlays) > 1 else ""
    groups = list(map(str, cgroups))
    return Plan(bwrap, uid, options, command, sources, stored, groups, account, overlays, owned)


def image_of(mounts: list[Mount]) -> Path | None:
    """The root of the sandbox's image, where it is not this machine's /usr."""
    return next((mount.source for mount in mounts if mount.target == "/"), None)


def mount_points(mounts: list[Mount]) -> list[str]:
    """The folders over a sandbox's own files at which something is mounted."""
    targets = [*MOUNT_POINTS, *(mount.target for mount in mounts if mount.target != "/")]
    return targets if image_of(mounts) is not None else [*targets, "/usr", *_beside_usr()]


def tool_plan(bwrap: str, folder: Path, cwd: str, command: list[str]) -> Plan:
    """Plan how to run a program of this machine on one folder: with network, but confined."""
    options = ["--unshare-all", "--share-net", "--unshare-user", "--disable-userns"]
    options += ["--die-with-parent", "--uid", str(UID), "--gid", str(UID)]
    options += [*_system(), "--proc", "/proc", "--dev", "/dev"]
    options += _tmpfs("/tmp", TMP_BYTES)  # noqa: S108
    for path in RESOLVING:
        options += ["--ro-bind-try", path, path]
    options += ["--bind", str(folder), HOME, "--chdir", f"{HOME}/{cwd}"]
    for name, text in environment("/tmp", "/usr/local/bin:/usr/bin:/bin").items():  # noqa: S108
        options += ["--setenv", name, text]
    options += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return Plan(bwrap, ordinary_uid(), options, command, stored=[str(folder)])


def _parents(path: str) -> list[str]:
    folders = [str(parent) for parent in reversed(Path(path).parents[:-1])]
    return [part for folder in folders for part in ("--dir", folder)]


def _overlays(folder: Path, runtime: Path, image: Path | None) -> list[list[str]]:
    """Return the overlays: the sandbox's written files over its image or this machine's system."""
    files, work = disks.files(folder), disks.work(folder)
    below = [runtime / "own", image or runtime / "system"]
    overlays = [[OVER_ROOT, *map(str, (files / disks.ROOT, work / disks.ROOT, *below))]]
    if image is None:
        below = [runtime / "folders", Path("/usr")]
        overlays += [[OVER_USR, *map(str, (files / disks.USR, work / disks.USR, *below))]]
    return overlays


def _over(overlays: list[list[str]], image: Path | None) -> list[str]:
    """The root with what the sandbox wrote over it."""
    options = ["--bind", OVER_ROOT, "/"]
    if image is None:
        is_writable = any(place == OVER_USR for place, *_ in overlays)
        options += ["--bind", OVER_USR, "/usr"] if is_writable else ["--ro-bind", "/usr", "/usr"]
        options += [part for path in _beside_usr() for part in ("--ro-bind", path, path)]
    # What is mounted can't be renamed, which keeps what lies in it from being replaced.
    for name in ("etc", "opt"):
        options += ["--bind", f"{OVER_ROOT}/{name}", f"/{name}"]
    return options


def _beside_usr() -> list[str]:
    """Return the system folders of this machine that are beside /usr, and not links into it."""
    paths = [Path("/", name) for name in layers.BESIDE_USR]
    return [str(path) for path in paths if path.is_dir() and not path.is_symlink()]


def _under(image: Path | None) -> list[str]:
    """The root as it is, where nothing can be laid over it."""
    return _system() if image is None else _image(image)


def _system() -> list[str]:
    """The host's programs and libraries, read-only."""
    # Made by name: the parents that bwrap makes by itself are closed to everyone else.
    options = ["--dir", "/etc", "--dir", "/etc/ssl", "--dir", "/opt", "--ro-bind", "/usr", "/usr"]
    for path in (Path("/", name) for name in layers.BESIDE_USR):
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
    options += [part for path in _beside_usr() for part in ("--ro-bind", path, path)]
    for name in layers.host_etc():
        options += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return options


def _image(root: Path) -> list[str]:
    """An image's root, read-only; what every sandbox has of its own comes over it."""
    options = ["--dir", "/etc", "--dir", "/opt"]
    for path in sorted(root.iterdir()):
        target = f"/{path.name}"
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), target]
        elif path.name not in OWN:
            options += ["--ro-bind", str(path), target]
    return options


def _own(files: Path, mounts: list[Mount]) -> list[str]:
    """Return the options for a sandbox's own devices, scratch space, home, /var and volumes."""
    options = ["--proc", "/proc", "--dev", "/dev"]
    options += [*_tmpfs("/dev/shm", SHM_BYTES), *_tmpfs("/tmp", TMP_BYTES)]  # noqa: S108
    options += [*_tmpfs("/run", RUN_BYTES), "--bind", str(files / disks.HOME), HOME]
    options += ["--bind", str(files / disks.VAR), "/var"]
    for mount in mounts:
        if mount.target != "/":
            options += [*_parents(mount.target), "--ro-bind" if mount.read_only else "--bind"]
            options += [str(mount.source), mount.target]
    return options


def _runtime(runtime: Path, written: Path | None) -> list[str]:
    """Return the options for the agent's read-only runtime, and for measuring `written` files."""
    options = ["--ro-bind", str(runtime), RUNTIME, "--ro-bind", "/usr", HOST_USR]
    options += ["--ro-bind", sys.base_prefix, PYTHON]
    if written is not None:
        for name in disks.LAYERS:
            options += ["--ro-bind", str(written / name), f"{FILES}/{name}"]
    for name in FIXED_ETC if written is not None else ETC:
        options += ["--ro-bind", str(runtime / "etc" / name), f"/etc/{name}"]
    for path in filter(os.path.exists, MASKED):
        options += ["--ro-bind", "/dev/null", path]
    return options


def _tmpfs(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]


def _environment(*, is_apart: bool, has_host: bool) -> list[str]:
    """The agent's own; nothing of it is read from files that can be written inside."""
    variables = {"PYTHONPATH": f"{RUNTIME}/lib", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    variables |= {"TMPDIR": "/var/tmp", "PATH": f"{RUNTIME}/bin"}  # noqa: S108
    variables |= {"OPENSSL_CONF": "/dev/null", "LOCPATH": f"{HOST_USR}/lib/locale"}
    if is_apart:
        variables["PYTHONHOME"] = PYTHON
    if (loader := programs.loader()) is not None:
        variables["LOCAL_BLAXEL_LIBRARIES"] = programs.in_host(loader.parent)
    if has_host:
        # With which the sandbox's own commands can run Python, where there is no other.
        variables["LOCAL_BLAXEL_PYTHON"] = _python()
        if not _is_system_python():
            variables["LD_LIBRARY_PATH"] = f"{PYTHON}/lib"
    return [part for item in variables.items() for part in ("--setenv", *item)]


def _command(instance: str, python: list[str]) -> list[str]:
    """Return the command that bwrap runs: all of it may be seen inside."""
    agent = [*python, "-s", "-S", "-P", "-m", AGENT_MODULE, instance]
    return [*agent, str(HTTP_FD), str(CONTROL_FD), HOME, NAME]


def _python() -> str:
    return f"{sys.base_prefix if _is_system_python() else PYTHON}/bin/{_python_name()}"


def _python_name() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _python_apart() -> list[str]:
    """The agent's interpreter with libraries that nothing in the sandbox can replace."""
    loader = programs.loader()
    if loader is None:
        raise LaunchError("custom images need a machine whose C library is in /usr")
    search = f"{PYTHON}/lib:{programs.in_host(loader.parent)}"
    command = [programs.in_host(loader), "--inhibit-cache", "--library-path", search]
    return [*command, f"{PYTHON}/bin/{_python_name()}"]


def _is_system_python() -> bool:
    return Path(sys.base_prefix).is_relative_to("/usr")
