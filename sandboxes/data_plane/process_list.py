"""The processes of a sandbox as a person reads them: what the API knows, and what the kernel does.

A process of the API is shown with all that it started: their processor time, memory and ports are
its own. What was not started through the API is shown by process group, as in a shell.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sandboxes.data_plane import names
from sandboxes.data_plane.process_snapshot import (
    MAX_PROCESSES,
    TICKS_PER_SECOND,
    KernelProcess,
    ProcessSnapshot,
    is_own,
)

_SHELLS = {"sh", "bash", "dash", "ash", "zsh", "fish", "ksh", "busybox"}
_MIB = 2**20
# Running processes, as many as a snapshot has, and the latest of those that have ended.
_MAX_RUNNING, _MAX_ENDED = MAX_PROCESSES, 100
# As many of those that the server started again are looked for at once.
_MAX_RESTARTED = 16
# Seconds between two snapshots that tell how busy a process is.
_SHORTEST_SPAN = 0.1
# A list shows no more of a command.
_MAX_LENGTH = 400
_MAX_MOMENT_LENGTH = 64

Fields = dict[str, Any]


@dataclass
class ProcessGroup:
    """A row: of the API, or one that a terminal or something else in the sandbox started."""

    fields: Fields
    members: list[KernelProcess] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Table:
    processes: list[Fields]
    ports: list[Fields]

    @property
    def version(self) -> str:
        """Return a version that changes with what is shown, except how busy the processes are."""
        shown = [
            {key: value for key, value in each.items() if key not in ("cpu", "memory")}
            for each in self.processes
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]

    def find(self, name: str) -> Fields | None:
        """Find a process by its name, or by its number."""
        by_name = (each for each in self.processes if each["name"] == name)
        by_number = (each for each in self.processes if str(each["pid"]) == name)
        return next(by_name, None) or next(by_number, None)


def build(
    known: list[Fields], now: ProcessSnapshot | None, before: ProcessSnapshot | None = None
) -> Table:
    """known is what GET /process lists, oldest first; before is an older snapshot, for the load."""
    groups = {each["name"]: ProcessGroup(each) for each in _latest(known)}
    if now is None:
        return Table([group.fields for group in groups.values()], [])
    owners = _owners(groups, now, known)
    for pid, process in now.processes.items():
        if (name := owners.get(pid)) is not None:
            groups.setdefault(name, ProcessGroup({})).members.append(process)
    ports = _ports(now, owners, groups)
    for group in groups.values():
        group.fields = group.fields or _unmanaged(group.members, now)
        _measure(group, now, before)
    shown = [group.fields for group in groups.values()]
    return Table(shown, ports)


def without_output(listed: Fields) -> Fields:
    """Return the fields of a ProcessResponse without its output."""
    return {
        "name": names.text(listed.get("name")),
        "pid": _number(listed.get("pid")),
        "command": names.text(listed.get("command")),
        "status": names.text(listed.get("status")),
        "exitCode": None if listed.get("status") == "running" else listed.get("exitCode"),
        "startedAt": _moment(listed.get("startedAt")),
        "endedAt": _moment(listed.get("completedAt")),
        "workingDir": names.told(str(listed.get("workingDir") or "")),
        "keepAlive": bool(listed.get("keepAlive")),
        "restartOnFailure": bool(listed.get("restartOnFailure")),
        "restarts": _number(listed.get("restartCount")),
        "managed": True,
        "cpu": None,
        "memory": None,
        "ports": [],
    }


def _latest(known: list[Fields]) -> list[Fields]:
    """One of each name, running ones first, and no endless past."""
    by_name = {each["name"]: dict(each) for each in known if not _is_own(each)}
    running = [each for each in by_name.values() if each["status"] == "running"]
    ended = [each for each in by_name.values() if each["status"] != "running"]
    return running[-_MAX_RUNNING:] + ended[::-1][:_MAX_ENDED]


def _is_own(listed: Fields) -> bool:
    return is_own(listed["name"])


def _owners(
    groups: dict[str, ProcessGroup], now: ProcessSnapshot, known: list[Fields]
) -> dict[int, str | None]:
    """Map each process to the name that it is shown under; None for those that are not shown."""
    roots: dict[int, str | None] = dict.fromkeys((0, 1, now.server, now.own))
    for each in known:
        if each["status"] == "running":
            roots[each["pid"]] = None if _is_own(each) else each["name"]
    roots |= _restarted(groups, now, roots)
    nearest = _nearest_roots(now, {pid for pid in roots if _is_root(pid, now)})
    found: dict[int, str | None] = {}
    for pid, process in now.processes.items():
        root = nearest[pid]
        if root is None and process.group in roots and _is_root(process.group, now):
            root = process.group
        if root is not None:
            found[pid] = roots[root]
        elif pid == now.server or _is_hidden(process):
            found[pid] = None
        else:
            found[pid] = str(process.group)
    return found


def _is_root(pid: int, now: ProcessSnapshot) -> bool:
    """Everything descends from the server: only being it, or the script itself, counts."""
    return pid not in (0, 1, now.server)


def _nearest_roots(now: ProcessSnapshot, roots: set[int]) -> dict[int, int | None]:
    """Map each process to itself or to its nearest ancestor that is a root; visit each once.

    The parents that are told may form a circle: it leads to no root.
    """
    nearest: dict[int, int | None] = {}
    for first in now.processes:
        line: list[int] = []
        pid = first
        while pid in now.processes and pid not in nearest and pid not in roots:
            nearest[pid] = None
            line.append(pid)
            pid = now.processes[pid].parent
        root = pid if pid in roots and pid in now.processes else nearest.get(pid)
        nearest |= dict.fromkeys(line, root)
        if first in roots:
            nearest[first] = first
    return nearest


def _is_hidden(process: KernelProcess) -> bool:
    """The sandbox's own machinery, and the shells that terminals show."""
    is_machinery = process.pid == 1 or not process.group or process.memory == 0
    is_terminal = process.terminal and process.session == process.pid and process.name in _SHELLS
    return bool(is_machinery or is_terminal)


def _restarted(
    groups: dict[str, ProcessGroup], now: ProcessSnapshot, roots: dict[int, str | None]
) -> dict[int, str | None]:
    """The server names a process by its first pid, also after it started it again."""
    lost = [
        group.fields
        for group in groups.values()
        if group.fields["status"] == "running" and group.fields["pid"] not in now.processes
    ][:_MAX_RESTARTED]
    heads = [
        process
        for process in now.processes.values()
        if process.parent == now.server and not process.terminal and process.pid not in roots
    ]
    found: dict[int, str | None] = {}
    for each in lost:
        command = each["command"][:_MAX_LENGTH]
        named = [head for head in heads if command in now.commands.get(head.pid, "")]
        chosen = next(iter(named or (heads if len(lost) == 1 else [])), None)
        if chosen:
            heads.remove(chosen)
            found[chosen.pid] = each["name"]
    return found


def _unmanaged(members: list[KernelProcess], now: ProcessSnapshot) -> Fields:
    """Return the fields of a group that the API knows nothing of, by the process that leads it."""
    leader = next((each for each in members if each.pid == each.group), members[0])
    return without_output(
        {
            "name": str(leader.group),
            "pid": leader.pid,
            "command": now.commands.get(leader.pid, "")[:_MAX_LENGTH] or leader.name,
            "status": "running",
            "startedAt": _started(leader, now),
        }
    ) | {"managed": False, "workingDir": None}


def _started(process: KernelProcess, now: ProcessSnapshot) -> str:
    """Return the start time, rounded to 10 s so that it is the same in each snapshot."""
    booted = datetime.now(UTC).timestamp() - now.uptime
    moment = booted + process.started / TICKS_PER_SECOND
    return datetime.fromtimestamp(moment // 10 * 10, UTC).isoformat()


def _measure(group: ProcessGroup, now: ProcessSnapshot, before: ProcessSnapshot | None) -> None:
    if not group.members:
        return
    group.fields["memory"] = sum(each.memory for each in group.members) // _MIB * _MIB
    group.fields["ports"] = sorted(group.ports)
    if before and now.uptime - before.uptime >= _SHORTEST_SPAN:
        spent = sum(_spent(each, before) for each in group.members)
        share = spent / TICKS_PER_SECOND / (now.uptime - before.uptime)
        group.fields["cpu"] = round(100 * share)


def _spent(process: KernelProcess, before: ProcessSnapshot) -> int:
    earlier = before.processes.get(process.pid)
    same = earlier is not None and earlier.started == process.started
    return max(0, process.ticks - earlier.ticks) if same and earlier else 0


def _ports(
    now: ProcessSnapshot, owners: dict[int, str | None], groups: dict[str, ProcessGroup]
) -> list[Fields]:
    """Return the listening ports, and add each to the group that it belongs to."""
    listed = []
    for found in now.listening():
        name = owners.get(found.pid) if found.pid else None
        if name in groups:
            groups[name].ports.add(found.port)
        process = now.processes.get(found.pid) if found.pid else None
        shown = name if name in groups and groups[name].fields else process.name if process else ""
        listed.append(
            {
                "port": found.port,
                "address": found.address,
                "loopbackOnly": found.loopback_only,
                "process": shown,
                "pid": found.pid,
            }
        )
    return listed


def _number(value: Any) -> int:
    text = str(value)[:20]
    return int(text) if text.isascii() and text.isdigit() else 0


def _moment(value: Any) -> str | None:
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(str(value)[:_MAX_MOMENT_LENGTH])
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return names.text(value)[:_MAX_MOMENT_LENGTH]
