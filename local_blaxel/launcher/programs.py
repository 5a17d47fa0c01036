"""Programs of this machine for work in a sandbox that is not its user's: it can replace none.

A program names the loader that starts it by its path, which in a sandbox is a file like others. So
these are copies that name another one, below the runtime, which is read-only inside. That loader
is given the folder of this machine's libraries, read-only as well.
"""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

RUNTIME = "/opt/local_blaxel"
# Where a sandbox finds this machine's libraries and interpreter, for this purpose alone.
HOST_USR = f"{RUNTIME}/usr"
LOADER = f"{RUNTIME}/ld"
SEARCHED = "/usr/bin:/bin:/usr/sbin:/sbin"
# Shells' own commands are among them where `env` or `timeout` may start them.
NAMES = (
    *("[", "b2sum", "base32", "base64", "basename", "cat", "chmod", "cksum", "cmp", "comm", "cp"),
    *(
        "csplit",
        "cut",
        "date",
        "dd",
        "df",
        "diff",
        "dirname",
        "du",
        "echo",
        "env",
        "expand",
        "expr",
    ),
    *("false", "find", "flock", "fold", "getconf", "git", "grep", "gzip", "head", "id", "install"),
    *("join", "kill", "link", "ln", "ls", "md5sum", "mkdir", "mkfifo", "mktemp", "mv", "nice"),
    *("nl", "nohup", "nproc", "od", "paste", "pathchk", "pgrep", "pkill", "printenv", "printf"),
    *("ps", "pwd", "readlink", "realpath", "rm", "rmdir", "sed", "seq", "setsid", "sh", "sha1sum"),
    *("sha256sum", "sha512sum", "shuf", "sleep", "sort", "split", "stat", "stty", "sync", "tac"),
    *("tail", "tar", "tee", "test", "timeout", "touch", "tr", "true", "truncate", "tsort", "tty"),
    *("uname", "uniq", "unlink", "wc", "whoami", "xargs", "xz", "zstd"),
)

ELF64 = b"\x7fELF\x02\x01"
HEADERS_AT, HEADER_COUNT_AT = 0x20, 0x36
INTERPRETER = 3


def libraries() -> Path | None:
    """The folder of this machine's C library, the one that this very process runs with."""
    if sys.platform != "linux":
        return None
    maps = Path("/proc/self/maps").read_text().splitlines()
    found = next((Path(line.split()[-1]).parent for line in maps if "/libc.so" in line), None)
    return found.resolve() if found is not None else None


def loader() -> Path | None:
    """The loader beside that library; None where a sandbox could not be shown it."""
    folder = libraries()
    if folder is None:
        return None
    # Followed to its end: inside, a link from there may lead to what can be written.
    found = (path.resolve() for path in folder.iterdir() if path.name.startswith("ld-"))
    return next((path for path in found if path.is_relative_to("/usr")), None)


def in_host(path: Path) -> str:
    """Return the path at which a sandbox finds a file of this machine's /usr."""
    return f"{HOST_USR}/{path.relative_to('/usr')}"


def sources() -> list[Path]:
    found = (shutil.which(name, path=SEARCHED) for name in NAMES)
    return [Path(path) for path in found if path is not None]


def build(runtime: Path) -> None:
    """Copy the programs, and name the loader."""
    own = loader()
    if own is not None:
        (runtime / "ld").symlink_to(Path("usr", own.relative_to("/usr")))
    folder = runtime / "bin"
    folder.mkdir()
    for source in sources():
        content = source.read_bytes()
        # A script names a shell, which would be the sandbox's.
        if content.startswith(ELF64):
            target = folder / source.name
            target.write_bytes(content if own is None else _with_own_loader(content))
            target.chmod(0o755)


def _with_own_loader(program: bytes) -> bytes:
    """The program, started by that loader; one that needs none stays as it is."""
    (at,) = struct.unpack_from("=Q", program, HEADERS_AT)
    size, count = struct.unpack_from("=HH", program, HEADER_COUNT_AT)
    for header in range(at, at + size * count, size):
        kind, _, offset = struct.unpack_from("=IIQ", program, header)
        if kind == INTERPRETER:
            (length,) = struct.unpack_from("=Q", program, header + 32)
            name = LOADER.encode().ljust(length, b"\0")
            if name[-1:] != b"\0" or len(name) != length:
                raise ValueError("the program's loader has too short a name")
            return program[:offset] + name + program[offset + length :]
    return program
