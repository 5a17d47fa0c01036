"""How bwrap is told what a sandbox may see and do."""

from __future__ import annotations

import marshal
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import seccomp
from .model import LaunchError, Mount
from .processes import AGENT_MODULE
from .runtime import UID
from .tools import environment, ordinary_uid

HTTP_FD, CONTROL_FD, SECCOMP_FD = 3, 4, 5

NAME = "bubblewrap"
HOME = "/blaxel"
RUNTIME = "/opt/local_blaxel"
PYTHON = f"{RUNTIME}/python"
# Where an image's sandbox finds this machine's libraries, for its agent alone.
HOST_USR = f"{RUNTIME}/usr"
SHM_BYTES, TMP_BYTES, RUN_BYTES = 64 * 2**20, 512 * 2**20, 16 * 2**20

# What programs under /usr need from the host's /etc, where it is there; nothing with secrets.
HOST_ETC = [
    *("alternatives", "bash.bashrc", "ca-certificates", "crypto-policies", "debian_version"),
    *("inputrc", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic"),
    *("mime.types", "os-release", "pki/ca-trust", "pki/tls/certs", "profile", "protocols"),
    *("services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone"),
]
MASKED = ("/proc/kcore", "/proc/keys", "/proc/kallsyms", "/proc/timer_list")
# How a program of this machine finds the names of others.
RESOLVING = ("/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf")
# What of an image's root each sandbox has its own of.
OWN = ("blaxel", "dev", "proc", "run", "sys", "tmp", "var")
VAR_FOLDERS = ("cache", "lib", "log", "spool", "tmp")

ENTER = Path(__file__).with_name("enter.py")

INSTALL = "Install bubblewrap (apt install bubblewrap, dnf install bubblewrap, ...)"
NONE_HINT = "or set LOCAL_BLAXEL_ISOLATION=none to run sandboxes as plain, unconfined processes"
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True)
class Plan:
    """What enter.py is told: whom to become and what bwrap is to run with what options.

    `sources` are the folders among the options that only root may be able to reach.
    """

    bwrap: str
    uid: int | None
    options: list[str]
    command: list[str]
    sources: list[str] = field(default_factory=list)
    cgroups: list[str] = field(default_factory=list)

    def encode(self) -> bytes:
        return marshal.dumps(asdict(self))


def find() -> str:
    """The bwrap program. Raises LaunchError, saying the fix, when it is missing or can't work."""
    if sys.platform != "linux":
        raise LaunchError(f"Sandboxes are confined with Linux namespaces: use Linux, {NONE_HINT}.")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise LaunchError(f"bwrap is missing. {INSTALL}, {NONE_HINT}.")
    options = ["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/"]
    options += ["--size", "4096", "--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]  # noqa: S108
    plan = Plan(bwrap, ordinary_uid(), options, ["true"], sources=["/usr"])
    try:
        _enter(plan)
    except subprocess.CalledProcessError as exc:
        message = exc.stderr.decode(errors="replace").strip().splitlines()
        raise LaunchError(_why(message[-1] if message else str(exc))) from exc
    except subprocess.TimeoutExpired as exc:
        raise LaunchError(_why(str(exc))) from exc
    return bwrap


def _enter(plan: Plan) -> None:
    command = [sys.executable, "-I", "-S", str(ENTER)]
    subprocess.run(  # noqa: S603
        command, input=plan.encode(), env={}, capture_output=True, check=True, timeout=20
    )


def _why(message: str) -> str:
    """The failed probe's message with the one thing to do about it."""
    if APPARMOR.exists() and APPARMOR.read_text().strip() == "1":
        fix = "Run: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    elif "Unknown option" in message:
        fix = "Install bubblewrap 0.8 or newer"
    elif message.startswith(("unshare", "mount")):
        fix = "Start this container with --cap-add SYS_ADMIN, or run as an ordinary user"
    elif "proc" in message:
        fix = "This container masks /proc: start it with --security-opt systempaths=unconfined"
    else:
        fix = (
            "Allow unprivileged user namespaces: sysctl -w user.max_user_namespaces=15000, "
            "in a container --security-opt seccomp=unconfined"
        )
    return f"bwrap can't make a sandbox here: {message}. {fix}, {NONE_HINT}."


def plan(
    bwrap: str,
    instance: str,
    folder: Path,
    runtime: Path,
    cgroups: list[Path],
    mounts: list[Mount],
) -> Plan:
    """How the sandbox in this folder is entered."""
    home, var = str(folder / "home"), str(folder / "var")
    root = next((mount.source for mount in mounts if mount.target == "/"), None)
    sources = [str(runtime), home, var]
    options = ["--unshare-all", "--unshare-user", "--disable-userns", "--hostname", "sandbox"]
    options += ["--uid", str(UID), "--gid", str(UID), "--chdir", HOME]
    options += [*(_system() if root is None else _image(root)), "--proc", "/proc", "--dev", "/dev"]
    options += [*_tmpfs("/dev/shm", SHM_BYTES), *_tmpfs("/tmp", TMP_BYTES)]  # noqa: S108
    options += [*_tmpfs("/run", RUN_BYTES), "--bind", home, HOME, "--bind", var, "/var"]
    for mount in mounts:
        if mount.target == "/":
            sources.append(str(mount.source))
            continue
        options += [*_parents(mount.target), "--ro-bind" if mount.read_only else "--bind"]
        options += [str(mount.source), mount.target]
        sources.append(str(mount.source))
    options += ["--ro-bind", str(runtime), RUNTIME]
    if root is not None:
        options += ["--ro-bind", "/usr", HOST_USR]
    if root is not None or not _is_system_python():
        options += ["--ro-bind", sys.base_prefix, PYTHON]
        sources.append(sys.base_prefix)
    for name in sorted(os.listdir(runtime / "etc")):
        options += ["--ro-bind", str(runtime / "etc" / name), f"/etc/{name}"]
    for path in filter(os.path.exists, MASKED):
        options += ["--ro-bind", "/dev/null", path]
    options += _environment() if root is None else _environment_of_image()
    options += ["--remount-ro", "/dev", "--remount-ro", "/"]
    if seccomp.program() is not None:
        options += ["--seccomp", str(SECCOMP_FD)]
    command = _command(instance, [_python()] if root is None else _foreign_python())
    return Plan(bwrap, ordinary_uid(), options, command, sources, list(map(str, cgroups)))


def tool_plan(bwrap: str, folder: Path, cwd: str, command: list[str]) -> Plan:
    """How a program of this machine works on one folder: with the network, else as in a sandbox."""
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
    return Plan(bwrap, ordinary_uid(), options, command, [str(folder)])


def _parents(path: str) -> list[str]:
    folders = [str(parent) for parent in reversed(Path(path).parents[:-1])]
    return [part for folder in folders for part in ("--dir", folder)]


def _system() -> list[str]:
    """The host's programs and libraries, read-only."""
    # Made by name: the parents that bwrap makes by itself are closed to everyone else.
    options = ["--dir", "/etc", "--dir", "/etc/ssl", "--dir", "/opt", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    java = (path.name for path in Path("/etc").glob("java-*"))
    for name in (*HOST_ETC, *java):
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


def _tmpfs(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]


def _environment() -> list[str]:
    variables = {"PYTHONPATH": f"{RUNTIME}/lib", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    variables |= {"TMPDIR": "/var/tmp", "PATH": "/usr/bin:/bin"}  # noqa: S108
    if not _is_system_python():
        variables["LD_LIBRARY_PATH"] = f"{PYTHON}/lib"
    return [part for item in variables.items() for part in ("--setenv", *item)]


def _command(instance: str, python: list[str]) -> list[str]:
    """What bwrap runs: all of it may be seen inside."""
    agent = [*python, "-s", "-S", "-P", "-m", AGENT_MODULE, instance]
    return [*agent, str(HTTP_FD), str(CONTROL_FD), HOME, NAME]


def _python() -> str:
    return f"{sys.base_prefix if _is_system_python() else PYTHON}/bin/{_python_name()}"


def _python_name() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _foreign_python() -> list[str]:
    """The agent's interpreter among libraries that it was not made for: with its own ones."""
    libraries = _libraries()
    loader = next(path for path in libraries.iterdir() if path.name.startswith("ld-"))
    search = f"{PYTHON}/lib:{_in_host(libraries)}"
    return [_in_host(loader), "--library-path", search, f"{PYTHON}/bin/{_python_name()}"]


def _libraries() -> Path:
    """The folder of this machine's C library, the one that this very process runs with."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return next(Path(line.split()[-1]).parent for line in maps if "/libc.so" in line).resolve()


def _in_host(path: Path) -> str:
    return f"{HOST_USR}/{path.relative_to('/usr')}"


def _environment_of_image() -> list[str]:
    variables = {"PYTHONPATH": f"{RUNTIME}/lib", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    variables |= {"TMPDIR": "/var/tmp", "PYTHONHOME": PYTHON}  # noqa: S108
    return [part for item in variables.items() for part in ("--setenv", *item)]


def _is_system_python() -> bool:
    return Path(sys.base_prefix).is_relative_to("/usr")
