"""Probes of what bwrap and the kernel can do here, run before the first sandbox needs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import layers, programs
from .bubblewrap import ENTER, OVER_ROOT, OVER_USR, Plan
from .folders import remove_tree
from .model import LaunchError
from .tools import hand_over, ordinary_uid

INSTALL = "Install bubblewrap (apt install bubblewrap, dnf install bubblewrap, ...)"
NONE_HINT = "or set LOCAL_BLAXEL_ISOLATION=none to run sandboxes as plain, unconfined processes"
# How the folders begin in which it is tried.
PROBE = "probe-"
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


@dataclass(frozen=True)
class Found:
    """The bwrap program; what of its image a sandbox can be let write to, and why not all of it.

    What root has in the folder `owned`, if in any, a sandbox can change, and what is `hidden` in it
    it must not see: to its user all of that seems to be the user's own.
    """

    bwrap: str
    writable: frozenset[str] = frozenset()
    reason: str = ""
    owned: str = ""
    hidden: list[str] = field(default_factory=list)


def find(state_dir: Path | None = None) -> Found:
    """Try how sandboxes can be confined, with files in that folder.

    Raises LaunchError, saying the fix, when bwrap is missing or can't work.
    """
    if sys.platform != "linux":
        raise LaunchError(f"Sandboxes are confined with Linux namespaces: use Linux, {NONE_HINT}.")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise LaunchError(f"bwrap is missing. {INSTALL}, {NONE_HINT}.")
    found = _with_overlays(bwrap, state_dir) if state_dir is not None else Found(bwrap)
    if not found.writable:
        options = ["--size", "4096", "--tmpfs", "/tmp"]  # noqa: S108
        if (problem := _problem(_plan(bwrap, options, ["true"]))) is not None:
            raise LaunchError(_why(problem))
    return found


def _with_overlays(bwrap: str, state_dir: Path) -> Found:
    if programs.loader() is None:
        return Found(bwrap, reason="this machine's C library is not in /usr")
    both, reason = ("/", "/usr"), ""
    # Only root can, on some file systems; not on the overlay that a container's files are.
    if ordinary_uid() is not None and _refused(bwrap, state_dir, both, "/usr") is None:
        hidden = layers.closed("/usr")
        if hidden is not None:
            return Found(bwrap, frozenset(both), owned="/usr", hidden=hidden)
    # /usr alone may be refused: when something else is mounted below it.
    for places in (both, ("/",)):
        problem = _refused(bwrap, state_dir, places)
        if problem is None:
            return Found(bwrap, frozenset(places), reason)
        reason = reason or problem
    return Found(bwrap, reason=reason)


def _refused(bwrap: str, state_dir: Path, places: tuple[str, ...], owned: str = "") -> str | None:
    """Return why these places can't be made writable, or None if they can."""
    folder = Path(tempfile.mkdtemp(prefix=PROBE, dir=state_dir))
    problem = _problem(_overlay_plan(bwrap, folder, places, owned))
    remove_tree(folder)
    return problem


def _plan(bwrap: str, options: list[str], command: list[str]) -> Plan:
    before = ["--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/"]
    after = ["--proc", "/proc", "--dev", "/dev"]
    return Plan(bwrap, ordinary_uid(), [*before, *options, *after], command, ["/usr"])


def _overlay_plan(bwrap: str, folder: Path, places: tuple[str, ...], owned: str) -> Plan:
    """Put a folder in place of a deleted one: not every file system can store what that takes."""
    below = folder / "below"
    (below / "old").mkdir(parents=True)
    names = {
        place: [folder / "disk" / f"{number}-{kind}" for kind in ("own", "work")]
        for number, place in enumerate(places)
    }
    for each in (path for paths in names.values() for path in paths):
        each.mkdir(parents=True)
    hand_over(folder)
    overlays = [[OVER_ROOT, *map(str, (*names["/"], below))]]
    if "/usr" in places:
        overlays += [[OVER_USR, *map(str, (*names["/usr"], below, "/usr"))]]
    script, options = "rm -r /tmp/old && mkdir /tmp/old", ["--bind", OVER_ROOT, "/tmp"]  # noqa: S108
    if owned:
        script += f" && touch {owned}"
        options += ["--bind", OVER_USR, owned]
    plan = _plan(bwrap, options, ["sh", "-c", script])
    return replace(plan, sources=[], stored=[str(folder)], overlays=overlays, owned=owned)


def _problem(plan: Plan) -> str | None:
    """Return why a plan does not work, or None if it does."""
    try:
        _enter(plan)
    except subprocess.CalledProcessError as exc:
        message = exc.stderr.decode(errors="replace").strip().splitlines()
        return message[-1] if message else str(exc)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return str(exc)
    return None


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
