"""The two ways a sandbox's agent is started: confined by bubblewrap, or as a plain process."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, Any

from . import bubblewrap, disks, probe, processes, seccomp
from .bubblewrap import CONTROL_FD, HTTP_FD, SECCOMP_FD
from .cgroups import Cgroups
from .model import LaunchSpec, Mount
from .runtime import FIXED_ETC
from .tools import Tool, environment, ordinary_uid

# Above every number that a file gets in the new process, so that none is overwritten.
FIRST_FREE_FD = 64
# Ignored signals are inherited: a server in the background must not disable Ctrl-C inside.
DEFAULT_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP)


class Confinement(ABC):
    name: str
    cgroups: Cgroups
    # What of this machine's /usr no sandbox may see.
    hidden: list[str]
    # Without folders of its own over those of /usr a sandbox could write nothing there.
    needs_folders: bool

    @abstractmethod
    def describe(self) -> str: ...

    @abstractmethod
    def furnish(self, folder: Path) -> None:
        """Make the directories that the sandbox writes to."""

    @abstractmethod
    def spawn(
        self,
        instance: str,
        folder: Path,
        runtime: Path,
        sockets: list[socket.socket],
        log: int,
        mounts: list[Mount],
    ) -> int:
        """Start the agent in the sandbox's folder and return the process started."""

    @abstractmethod
    def init_among(self, pids: set[int]) -> int | None:
        """Return the one of the sandbox's own processes whose death ends it."""

    @abstractmethod
    def disks(self, spec: LaunchSpec) -> list[dict[str, Any]]:
        """Return the folders that share a limit, and the limit; the sandbox's own come first."""

    @abstractmethod
    def tool(self, folder: Path, cwd: str, command: list[str]) -> Tool:
        """Return how to run a program of this machine on this folder, in `cwd` in it."""


class Bubblewrap(Confinement):
    name = bubblewrap.NAME

    def __init__(self, state_dir: Path | None = None) -> None:
        """Set up, with the folder in which sandboxes will lie, if any will."""
        self._found = probe.find(state_dir)
        self.hidden = self._found.hidden
        self.needs_folders = "/usr" in self._found.writable and not self._found.owned
        self.cgroups = Cgroups.detect()
        self._filter = seccomp.program()
        self._uid = ordinary_uid()

    def describe(self) -> str:
        calls = "system calls filtered" if self._filter else "system calls not filtered here"
        standby = "cgroup freezer" if self.cgroups.freezer else "signals"
        limits = "the whole sandbox" if self.cgroups.limits else "each process"
        return (
            f"bubblewrap: own files, processes, network and users; {self._writable()}; {calls}; "
            f"memory limited for {limits}; standby by {standby}"
        )

    def _writable(self) -> str:
        if not self._found.writable:
            return f"only /blaxel, /tmp and /var can be written ({self._found.reason})"
        if self._found.reason:
            return f"all files can be written but those in /usr ({self._found.reason})"
        if not self._found.owned:
            return "all files can be written, those of this machine's /usr only replaced"
        return "all files can be written"

    def furnish(self, folder: Path) -> None:
        disks.make(folder, self._uid)

    def spawn(
        self,
        instance: str,
        folder: Path,
        runtime: Path,
        sockets: list[socket.socket],
        log: int,
        mounts: list[Mount],
    ) -> int:
        disks.make(folder, self._uid)
        fixed = [f"/etc/{name}" for name in FIXED_ETC]
        disks.clear_way(folder, bubblewrap.mount_points(mounts), fixed, self._uid)
        cgroups, found = self.cgroups.create(instance), self._found
        plan = bubblewrap.plan(
            found.bwrap, instance, folder, runtime, cgroups, mounts, found.writable, found.owned
        )
        argv = [sys.executable, "-I", "-S", str(bubblewrap.ENTER), processes.AGENT_MODULE, instance]
        http, control = sockets
        with _holding(plan.encode()) as stdin, _holding(self._filter or b"") as rules:
            fds = {0: stdin.fileno(), 1: log, 2: log, SECCOMP_FD: rules.fileno()}
            fds |= {HTTP_FD: http.fileno(), CONTROL_FD: control.fileno()}
            return _spawn(argv, {}, fds)

    def init_among(self, pids: set[int]) -> int | None:
        return processes.init_among(pids)

    def disks(self, spec: LaunchSpec) -> list[dict[str, Any]]:
        paths = [bubblewrap.HOME, "/var"]
        if self._found.writable:
            paths += [f"{bubblewrap.FILES}/{name}" for name in disks.LAYERS]
        own = {"paths": paths, "limit_mb": spec.disk_mb}
        sized = [mount for mount in spec.mounts if not mount.read_only]
        return [own, *({"paths": [each.target], "limit_mb": each.size_mb} for each in sized)]

    def tool(self, folder: Path, cwd: str, command: list[str]) -> Tool:
        plan = bubblewrap.tool_plan(self._found.bwrap, folder, cwd, command)
        argv = [sys.executable, "-I", "-S", str(bubblewrap.ENTER)]
        return Tool(argv, plan.encode(), {}, folder)


class Plain(Confinement):
    """No confinement: for machines without namespaces, and for trusted code only."""

    name = "none"

    def __init__(self) -> None:
        self.cgroups, self.hidden, self.needs_folders = Cgroups(None, []), [], False

    def describe(self) -> str:
        return (
            "none: sandboxes are plain processes of this user and can read and change "
            "everything this user can"
        )

    def furnish(self, folder: Path) -> None:
        disks.make(folder, None)

    def spawn(
        self,
        instance: str,
        folder: Path,
        runtime: Path,
        sockets: list[socket.socket],
        log: int,
        mounts: list[Mount],
    ) -> int:
        numbers = [str(HTTP_FD), str(CONTROL_FD)]
        argv = [sys.executable, "-s", "-S", "-P", "-m", processes.AGENT_MODULE, instance]
        argv += [*numbers, str(disks.files(folder) / disks.HOME), self.name]
        env = {"PYTHONPATH": str(runtime / "lib"), "PATH": os.environ.get("PATH", os.defpath)}
        http, control = sockets
        with open(os.devnull, "rb") as nothing:
            fds = {0: nothing.fileno(), 1: log, 2: log}
            fds |= {HTTP_FD: http.fileno(), CONTROL_FD: control.fileno()}
            return _spawn(argv, env, fds)

    def init_among(self, pids: set[int]) -> int | None:
        return min(pids, default=None)

    def disks(self, spec: LaunchSpec) -> list[dict[str, Any]]:
        return []

    def tool(self, folder: Path, cwd: str, command: list[str]) -> Tool:
        path = os.environ.get("PATH", os.defpath)
        return Tool(command, b"", environment(str(Path.home()), path), folder / cwd)


def _holding(data: bytes) -> IO[bytes]:
    """An unnamed file from which a child reads these bytes; the caller closes it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


def _spawn(argv: list[str], env: dict[str, str], fds: dict[int, int]) -> int:
    """Start a program in a session of its own with exactly these files open.

    Not through subprocess or asyncio: their objects end or bewail a child that outlives them.
    """
    moved = {fd: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE_FD) for fd in set(fds.values())}
    actions = [(os.POSIX_SPAWN_DUP2, moved[fd], number) for number, fd in fds.items()]
    try:
        return os.posix_spawn(
            argv[0],
            argv,
            env,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=DEFAULT_SIGNALS,
        )
    finally:
        for fd in moved.values():
            os.close(fd)
