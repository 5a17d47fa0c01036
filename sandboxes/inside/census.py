"""What census.sh says of a sandbox: its processes and listeners, read from /proc inside it."""

import ipaddress
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Names that begin so are Manta's own, and shown to nobody.
OWN_PREFIX = "manta-"
NAME = f"{OWN_PREFIX}census"
# Whichever shell the sandbox's processes are started with, this one reads it.
COMMAND = f"exec sh -c {shlex.quote(Path(__file__).with_name('census.sh').read_text())}"
ONCE_NAME = f"{OWN_PREFIX}ports"
ONCE_COMMAND = f"{COMMAND} census once"
TICKS_PER_SECOND = 100  # Linux has shown no other number to programs for decades
# Lines of one census; more are not kept.
_MOST_LINES = 20_000


@dataclass(frozen=True)
class Seen:
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
        return ipaddress.ip_address(self.address).is_loopback


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
class Census:
    """uptime is in seconds; server is the process that the census was started by."""

    uptime: float
    own: int
    server: int
    page_size: int
    processes: dict[int, Seen] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    # Who holds a socket: the first of several.
    holders: dict[int, int] = field(default_factory=dict)
    commands: dict[int, str] = field(default_factory=dict)

    def listening(self) -> list[Listening]:
        """By port, but for the sandbox's own; of several addresses the one that most can reach."""
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
    """Puts lines together, of which any may be cut, or be missing; hands over whole ones."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def line(self, text: str) -> Census | None:
        """The census that this line completes. A server may say anywhere whose output it is."""
        text = text.replace("stdout:", "")
        if text.startswith("@ "):
            self._lines = [text]
        elif text == "." and self._lines:
            lines, self._lines = self._lines, []
            return parse(lines)
        elif self._lines and len(self._lines) < _MOST_LINES:
            self._lines.append(text)
        return None


def latest(output: str) -> tuple[Census | None, Census | None]:
    """The last two of some output, older first."""
    reader = Reader()
    found = [each for each in map(reader.line, output.splitlines()) if each]
    return (found[-2] if len(found) > 1 else None), (found[-1] if found else None)


def parse(lines: list[str]) -> Census | None:
    try:
        _, uptime, own, server, page = lines[0].split()
        census = Census(float(uptime), int(own), int(server), int(page))
    except ValueError:
        return None
    holder = told = 0
    for kind, rest in _kinds(lines[1:]):
        try:
            if kind == "p":
                seen = _seen(rest, census.page_size)
                census.processes[seen.pid] = seen
            elif kind == "l":
                census.listeners.append(_listener(rest))
            elif kind == "f":
                holder = int(rest)
            elif kind == "s":
                census.holders.setdefault(int(rest), holder)
            elif kind == "d":
                told = int(rest)
            elif kind == "c" and told:
                before = census.commands.get(told, "")
                census.commands[told] = f"{before} {rest}".strip()
        except ValueError:
            continue
    return census


def _kinds(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        kind, _, rest = line.partition(" ")
        yield kind, rest


def _seen(text: str, page_size: int) -> Seen:
    *numbers, name = text.split(" ", 8)
    pid, parent, group, session, terminal, ticks, started, pages = map(int, numbers)
    return Seen(pid, parent, group, session, terminal, ticks, started, pages * page_size, name)


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
    return Listener(str(mapped or found), int(port, 16), int(inode))
