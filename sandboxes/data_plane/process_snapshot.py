"""A sandbox's processes and listeners, as process_snapshot.sh reads them from /proc inside it."""

import ipaddress
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandboxes.data_plane import trusted

# Names with this prefix are Manta's own, and never shown.
OWN_PREFIX = "manta-"
NAME = f"{OWN_PREFIX}snapshot"
# Whichever shell the sandbox's processes are started with, this one reads it.
COMMAND = f"exec sh -c {shlex.quote(trusted.read_script('process_snapshot.sh'))}"
ONCE_NAME = f"{OWN_PREFIX}ports"
ONCE_COMMAND = f"{COMMAND} snapshot once"
TICKS_PER_SECOND = 100  # Linux has shown no other number to programs for decades
# What is kept of one snapshot. Any program in a sandbox can write one: it is not trusted.
_MAX_LINES, _MAX_CHARACTERS = 20_000, 2**21
MAX_PROCESSES = 1_024
_MAX_COMMAND_LENGTH = 1_000
# Larger numbers than the kernel's own make no sense.
_LARGEST = 2**48


@dataclass(frozen=True)
class KernelProcess:
    """A process as the kernel has it; started is in ticks since the machine booted."""

    pid: int
    parent: int
    group: int
    session: int
    terminal: int
    ticks: int
    started: int
    memory: int
    name: str


@dataclass(frozen=True)
class Listener:
    address: str
    port: int
    inode: int

    @property
    def is_loopback(self) -> bool:
        address = ipaddress.ip_address(self.address)
        # A server of IPv4 and IPv6 at once shows 127.0.0.1 as ::ffff:127.0.0.1.
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback


@dataclass(frozen=True)
class Listening:
    """A port that something listens on; loopback_only when only the sandbox itself reaches it."""

    port: int
    address: str
    loopback_only: bool
    pid: int | None = None
    command: str = ""

    @property
    def process(self) -> str:
        """The command's own name: "node" of "/usr/bin/node serve.mjs"."""
        return self.command.split(" ", 1)[0].rpartition("/")[2]


@dataclass
class ProcessSnapshot:
    """uptime is in seconds; server is the process that started the script."""

    uptime: float
    own: int
    server: int
    page_size: int
    processes: dict[int, KernelProcess] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    # Who holds a socket: the first of several.
    holders: dict[int, int] = field(default_factory=dict)
    commands: dict[int, str] = field(default_factory=dict)

    def listening(self) -> list[Listening]:
        """List listeners by port, without the sandbox's server, each with its most open address."""
        best: dict[int, Listening] = {}
        for each in self.listeners:
            pid = self.holders.get(each.inode)
            if self._is_own(pid, each):
                continue
            if each.port not in best or best[each.port].loopback_only:
                command = self.commands.get(pid, "") if pid else ""
                found = Listening(each.port, each.address, each.is_loopback, pid, command)
                best[each.port] = found
        return [best[port] for port in sorted(best)]

    def _is_own(self, pid: int | None, listener: Listener) -> bool:
        """The server's. What else serves the sandbox itself shows no process inside."""
        return pid in (1, self.server) if pid else listener.is_loopback


class Reader:
    """Joins lines, any of which may be cut or missing, and returns a snapshot once it is whole."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._characters = 0

    def line(self, text: str) -> list[str] | None:
        """Return the snapshot that this line completes; a server may mark any line as output."""
        text = text.replace("stdout:", "")
        if text.startswith("@ "):
            self._lines, self._characters = [text], len(text)
        elif text == "." and self._lines:
            lines, self._lines = self._lines, []
            return lines
        elif self._lines and len(self._lines) < _MAX_LINES:
            self._characters += len(text)
            if self._characters <= _MAX_CHARACTERS:
                self._lines.append(text)
        return None


def is_own(name: Any) -> bool:
    """Return whether only Manta itself may give a process this name."""
    return isinstance(name, str) and name.strip().lower().startswith(OWN_PREFIX)


def latest(output: str) -> tuple[ProcessSnapshot | None, ProcessSnapshot | None]:
    """The last two of some output, older first."""
    reader = Reader()
    whole = [lines for lines in map(reader.line, output.split("\n")) if lines]
    found = [snapshot for snapshot in map(parse, whole[-2:]) if snapshot]
    return (found[-2] if len(found) > 1 else None), (found[-1] if found else None)


def moment_of(lines: list[str]) -> float:
    """Return the uptime of a snapshot that is not parsed yet; 0 where it has none."""
    try:
        return _seconds(lines[0].split()[1])
    except (ValueError, IndexError):
        return 0.0


def parse(lines: list[str]) -> ProcessSnapshot | None:
    """Parse lines of any content, in time linear in their number."""
    try:
        _, uptime, *others = lines[0].split()
        own, server, page = map(_number, others)
        snapshot = ProcessSnapshot(_seconds(uptime), own, server, page)
    except ValueError:
        return None
    holder = told = 0
    commands: dict[int, list[str]] = {}
    for kind, rest in _kinds(lines[1:]):
        try:
            if kind == "p" and len(snapshot.processes) < MAX_PROCESSES:
                process = _kernel_process(rest, snapshot.page_size)
                snapshot.processes[process.pid] = process
            elif kind == "l" and len(snapshot.listeners) < MAX_PROCESSES:
                snapshot.listeners.append(_listener(rest))
            elif kind == "f":
                holder = _number(rest)
            elif kind == "s":
                snapshot.holders.setdefault(_number(rest), holder)
            elif kind == "d":
                told = _number(rest)
            elif kind == "c" and told:
                commands.setdefault(told, []).append(rest)
        except ValueError:
            continue
    snapshot.commands = {pid: _command(said) for pid, said in commands.items()}
    return snapshot


def _command(said: list[str]) -> str:
    """One line of several."""
    return " ".join(said).strip()[:_MAX_COMMAND_LENGTH]


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < _LARGEST:  # "nan" is not either
        raise ValueError(text[:20])
    return seconds


def _number(text: str) -> int:
    number = int(text) if len(text) < 20 else _LARGEST
    if not -_LARGEST < number < _LARGEST:
        raise ValueError(text[:20])
    return number


def _kinds(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        kind, _, rest = line.partition(" ")
        yield kind, rest


def _kernel_process(text: str, page_size: int) -> KernelProcess:
    *numbers, name = text.split(" ", 8)
    pid, parent, group, session, terminal, ticks, started, pages = map(_number, numbers)
    return KernelProcess(
        pid, parent, group, session, terminal, ticks, started, pages * page_size, name
    )


def _listener(text: str) -> Listener:
    where, inode = text.split()
    address, port = where.split(":")
    raw = bytes.fromhex(address)
    if len(raw) not in (4, 16):
        raise ValueError(address)
    # The kernel prints words in the machine's own order.
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    ordered = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    found = ipaddress.ip_address(ordered)
    mapped = getattr(found, "ipv4_mapped", None)
    return Listener(str(mapped or found), int(port[:4], 16), _number(inode))
