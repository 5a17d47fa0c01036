"""What listens in a sandbox, and which process it is: read from /proc inside it."""

import ipaddress
import re
import secrets
import sys
from dataclasses import dataclass

from sandboxes import errors
from sandboxes.dataplane.client import expect_success, request

# Seconds that the look may take inside.
_TIMEOUT = 10
# Names that begin so are Manta's own.
_OWN = "manta-ports-"
# For any POSIX shell, also one without GNU's tools: sockets, who holds them, and their commands.
_SCRIPT = """cat /proc/net/tcp /proc/net/tcp6 2>/dev/null
ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e '^/proc' -e 'socket:'
for each in /proc/[0-9]*; do
  echo "command $each $(tr '\\0\\n' '  ' 2>/dev/null < $each/cmdline | cut -c 1-300)"
done
"""
_SOCKET = re.compile(
    r"\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ 0A (?:\S+\s+){5}(\d+)\b"
)
_FOLDER = re.compile(r"/proc/(\d+)/fd:")
_HELD = re.compile(r".* -> '?socket:\[(\d+)\]")
_COMMAND = re.compile(r"command /proc/(\d+) (.*)")


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


def list_listening(url: str) -> list[Listening]:
    """What listens, by port: of several addresses the one that most can reach.

    Raises ProviderUnavailable or ProviderRejected.
    """
    process = {
        "name": f"{_OWN}{secrets.token_hex(4)}",
        "command": _SCRIPT,
        "waitForCompletion": True,
        "timeout": _TIMEOUT,
    }
    response = request("POST", f"{url}/process", json=process)
    if response.status_code == 422:
        raise errors.ProviderUnavailable("Your sandbox took too long to say what listens in it.")
    expect_success(response, "say what listens in it")
    return parse(str(response.json().get("stdout") or ""))


def parse(output: str) -> list[Listening]:
    sockets: list[tuple[str, int, str]] = []
    holders: dict[str, int] = {}
    commands: dict[int, str] = {}
    pid = 0
    for line in output.splitlines():
        if found := _SOCKET.match(line):
            sockets.append((_address(found[1]), int(found[2], 16), found[3]))
        elif found := _FOLDER.fullmatch(line):
            pid = int(found[1])
        elif found := _HELD.fullmatch(line):
            holders.setdefault(found[1], pid)
        elif found := _COMMAND.fullmatch(line):
            commands[int(found[1])] = found[2].strip()
    best: dict[int, Listening] = {}
    for address, port, inode in sockets:
        holder = holders.get(inode)
        command = commands.get(holder, "") if holder else ""
        listening = Listening(port, address, _is_loopback(address), holder, command)
        if port not in best or best[port].loopback_only:
            best[port] = listening
    return [best[port] for port in sorted(best)]


def _address(written: str) -> str:
    """The kernel prints words in the machine's own order."""
    raw = bytes.fromhex(written)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    turned = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return str(ipaddress.ip_address(turned))


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback
