"""Run as a program between the server and bwrap: join cgroups, show sources, drop root, exec.

It reads a marshalled Plan from standard input, and imports as little as it can: every sandbox's
start waits for it. As root it makes a private mount namespace, in which
what bwrap is to bind becomes readable for the ordinary uid that bwrap runs as: the interpreter or
the state directory may lie under a folder that only root may enter. The host sees none of it.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import sys

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
# Hidden by a tmpfs in the private namespace only; it exists everywhere.
STAGE = "/tmp"  # noqa: S108

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    plan = marshal.load(sys.stdin.buffer)  # noqa: S302 - from the server itself
    os.umask(0o022)
    for procs in plan["cgroups"]:
        with open(procs, "w") as file:
            file.write("0")
    bwrap, options = plan["bwrap"], plan["options"]
    if plan["uid"] is not None:
        staged = stage([os.path.dirname(bwrap), *plan["sources"]])
        bwrap = where_now(bwrap, staged)
        # Not bwrap's own folder: that may be /bin, which is a place inside, too.
        sources = {source: staged[source] for source in plan["sources"]}
        options = [where_now(option, sources) for option in options]
        become(plan["uid"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir("/")
    command = ["bwrap", "--args", str(options_file(options)), "--", *plan["command"]]
    os.execve(bwrap, command, {})  # noqa: S606


def stage(sources: list[str]) -> dict[str, str]:
    """Bind each folder to a place that everyone may enter; where each one is now."""
    check("unshare", libc.unshare(CLONE_NEWNS))
    mount("none", "/", MS_REC | MS_PRIVATE)
    # Opened before the stage hides what lies there.
    opened = {source: os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources}
    options = b"mode=755,size=1m"
    check("mount tmpfs", libc.mount(b"tmpfs", os.fsencode(STAGE), b"tmpfs", 0, options))
    staged = {}
    for number, (source, fd) in enumerate(opened.items()):
        target = f"{STAGE}/{number}"
        os.mkdir(target)
        mount(f"/proc/self/fd/{fd}", target, MS_BIND | MS_REC)
        staged[source] = target
    return staged


def where_now(option: str, staged: dict[str, str]) -> str:
    """The option, with the folder it may lie in replaced by where that is staged."""
    for source, target in staged.items():
        if option == source or option.startswith(f"{source}/"):
            return target + option.removeprefix(source)
    return option


def become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def options_file(options: list[str]) -> int:
    """bwrap's options as it reads them with --args: they must not show in /proc/1/cmdline."""
    fd = os.memfd_create("options", 0)
    os.write(fd, b"".join(os.fsencode(option) + b"\0" for option in options))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def mount(source: str, target: str, flags: int) -> None:
    check("mount", libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None))


def check(call: str, result: int) -> None:
    if result != 0:
        raise SystemExit(f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
