"""Control groups, where this user may make them: hard limits, and a freezer no shell notices.

Each sandbox has a group. Two groups below it, in the hierarchy that can freeze, keep apart the
processes that never sleep (bwrap and the agent) and those that the sandbox's user started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

GROUP = "local_blaxel"
MAX_PROCESSES = 1024
# With less the agent itself could not go on.
LEAST_MEMORY_MB = 128
FREEZE_SECONDS = 2.0
REMOVE_SECONDS = 2.0


@dataclass(frozen=True)
class Hierarchy:
    """One mounted cgroup hierarchy and our place in it."""

    base: Path
    version: int

    def can_limit(self, what: str) -> bool:
        """Return whether groups here can limit a resource; in v1 a hierarchy is one controller."""
        if self.version == 1:
            return self.base.parent.name == what
        return what in (self.base / "cgroup.subtree_control").read_text().split()


class Freezer:
    """Keeps a sandbox's own processes and its user's apart, and stops the latter."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy

    def awake(self, instance: str) -> Path:
        """The group in which a sandbox starts, and where bwrap and the agent stay."""
        return self.hierarchy.base / instance / "awake"

    def asleep(self, instance: str) -> Path:
        return self.hierarchy.base / instance / "asleep"

    def freeze(self, instance: str, keep: set[int]) -> None:
        """Freeze all but `keep`, also what they start while we look."""
        asleep, deadline = self.asleep(instance), time.monotonic() + FREEZE_SECONDS
        while (new := _members(self.awake(instance)) - keep) and time.monotonic() < deadline:
            for pid in new:
                with contextlib.suppress(ProcessLookupError):
                    (asleep / "cgroup.procs").write_text(str(pid))
        self._set_frozen(asleep, True)
        while not self._is_frozen(asleep) and time.monotonic() < deadline:
            time.sleep(0.001)

    def thaw(self, instance: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._set_frozen(self.asleep(instance), False)

    def _set_frozen(self, group: Path, frozen: bool) -> None:
        if self.hierarchy.version == 2:
            (group / "cgroup.freeze").write_text(str(int(frozen)))
        else:
            (group / "freezer.state").write_text("FROZEN" if frozen else "THAWED")

    def _is_frozen(self, group: Path) -> bool:
        if self.hierarchy.version == 2:
            return "frozen 1" in (group / "cgroup.events").read_text()
        return (group / "freezer.state").read_text().strip() == "FROZEN"


class Cgroups:
    def __init__(self, freezer: Freezer | None, limits: list[Hierarchy]) -> None:
        self.freezer = freezer
        self.limits = limits

    @classmethod
    def detect(cls) -> Cgroups:
        unified = _usable(_mounts("cgroup2"), 2)
        legacy = _usable(_mounts("cgroup"), 1)
        freezers = [*unified, *(found for found in legacy if found.can_limit("freezer"))]
        limits = [
            found
            for found in [*unified, *legacy]
            if found.can_limit("memory") or found.can_limit("pids")
        ]
        return cls(Freezer(freezers[0]) if freezers else None, limits)

    def create(self, instance: str) -> list[Path]:
        """Make the sandbox's groups; the files to which its first process writes itself."""
        first = {hierarchy: hierarchy.base / instance for hierarchy in self.limits}
        if self.freezer is not None:
            first[self.freezer.hierarchy] = self.freezer.awake(instance)
            self.freezer.asleep(instance).mkdir(parents=True, exist_ok=True)
        for group in first.values():
            group.mkdir(parents=True, exist_ok=True)
        return [group / "cgroup.procs" for group in first.values()]

    def limit(self, instance: str, memory_mb: int) -> None:
        for hierarchy in self.limits:
            group = hierarchy.base / instance
            memory = "memory.max" if hierarchy.version == 2 else "memory.limit_in_bytes"
            if hierarchy.can_limit("memory"):
                (group / memory).write_text(str(max(memory_mb, LEAST_MEMORY_MB) * 2**20))
            if hierarchy.can_limit("pids"):
                (group / "pids.max").write_text(str(MAX_PROCESSES))

    def remove(self, instance: str) -> None:
        """Kill whatever is left in the sandbox's groups, and remove them."""
        freezing = [self.freezer.hierarchy] if self.freezer else []
        for hierarchy in {*self.limits, *freezing}:
            group = hierarchy.base / instance
            for folder in (group / "asleep", group / "awake", group):
                _remove(folder)


def _mounts(kind: str) -> list[Path]:
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return []
    return [Path(fields[1]) for fields in map(str.split, lines) if fields[2] == kind]


def _usable(mounts: list[Path], version: int) -> list[Hierarchy]:
    """Return where groups can be made: at the top, or beside our own (a delegated v2 subtree)."""
    found = []
    for mount in mounts:
        for parent in (mount, *(_beside_own(mount) if version == 2 else ())):
            base = parent / GROUP
            try:
                base.mkdir(exist_ok=True)
            except OSError:
                continue
            if os.access(base, os.W_OK) and os.access(parent / "cgroup.procs", os.W_OK):
                if version == 2:
                    _delegate(parent, base)
                found.append(Hierarchy(base, version))
                break
    return found


def _beside_own(mount: Path) -> list[Path]:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return [(mount / line[4:]).parent]
    return []


def _delegate(parent: Path, base: Path) -> None:
    """Pass memory and pids on to the groups in ours, where our parent has them."""
    offered = (parent / "cgroup.subtree_control").read_text().split()
    for controller in {"memory", "pids"}.intersection(offered):
        with contextlib.suppress(OSError):
            (base / "cgroup.subtree_control").write_text(f"+{controller}")


def _members(group: Path) -> set[int]:
    try:
        return set(map(int, (group / "cgroup.procs").read_text().split()))
    except OSError:
        return set()


def _remove(group: Path) -> None:
    """A group can be removed once its last process is gone, which takes the kernel a moment."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while group.exists() and time.monotonic() < deadline:
        try:
            group.rmdir()
        except OSError:
            for pid in _members(group):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
