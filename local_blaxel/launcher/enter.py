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

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
# The kernel has 3072 for all.
MAX_TERMINALS = 128
LINKS = {
    **{"fd": "/proc/self/fd", "core": "/proc/kcore", "ptmx": "pts/ptmx"},
    **{name: f"/proc/self/fd/{fd}" for fd, name in enumerate(("stdin", "stdout", "stderr"))},
}
# A folder of every machine of which nothing is shown inside: covered in the private namespace.
SCRATCH = "/sys"
BYTES_FOR_INODE = 2048
# Hidden by a tmpfs in the private namespace only; it exists everywhere.
STAGE = "/tmp"  # noqa: S108

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    plan = marshal.load(sys.stdin.buffer)  # noqa: S302 - from the server itself
    os.umask(0o022)
    for procs in plan["cgroups"]:
        with open(procs, "w") as file:
            file.write("0")
    bwrap, options, sources = plan["bwrap"], plan["options"], {}
    if plan["uid"] is not None:
        staged = stage([os.path.dirname(bwrap), *plan["sources"]])
        bwrap = where_now(bwrap, staged)
        # Not bwrap's own folder: that may be /bin, which is a place inside, too.
        sources = {source: staged[source] for source in plan["sources"]}
        options = [where_now(option, sources) for option in options]
        become_limited(plan["uid"], plan["account"])
        limit(2)
        options = with_own_devices(options)
        mount_overlays(plan["overlays"], sources)
    elif may_limit():
        # All sandboxes of an ordinary user are counted as that user's together.
        limit(8)
        options = with_own_devices(options)
        mount_overlays(plan["overlays"], sources)
    elif plan["overlays"]:
        raise SystemExit("user namespaces can't be nested here")
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


def become_limited(uid: int, account: int) -> None:
    """Become that uid in a user namespace of the account's, a uid that nothing else is.

    What the kernel counts for each uid (inotify instances, and more) it then counts for each
    sandbox by itself. Only root may give a namespace's owner another uid: a child that still is.
    """
    os.setgroups([])
    asks, told = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(told)
        if os.read(asks, 1):
            write_maps(os.getppid(), uid)
        os._exit(0)
    os.close(asks)
    os.setresgid(uid, uid, uid)
    os.setresuid(account, account, account)
    check("unshare", libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))
    os.write(told, b"x")
    os.close(told)
    os.waitpid(helper, 0)
    os.setresuid(uid, uid, uid)


def may_limit() -> bool:
    """Make a user namespace of an ordinary user's own, where that is allowed."""
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        return False
    write_maps("self", uid, gid)
    return True


def write_maps(pid: int | str, uid: int, gid: int | None = None) -> None:
    gid = uid if gid is None else gid
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/{pid}/{name}", "w") as file:
            file.write(text)


def limit(divisor: int) -> None:
    """In a user namespace of our own: what part the sandbox may take of what all of them share."""
    for kind in ("instances", "watches"):
        with open(f"/proc/sys/fs/inotify/max_user_{kind}") as file:
            most = int(file.read()) // divisor
        try:
            with open(f"/proc/sys/user/max_inotify_{kind}", "w") as file:
                file.write(str(most))
        except OSError:
            pass  # /proc/sys may be read-only, in a container.
    mount_new("devpts", "/dev/pts", f"newinstance,ptmxmode=0666,mode=0620,max={MAX_TERMINALS}")


def with_own_devices(options: list[str]) -> list[str]:
    """bwrap's options, with terminals and scratch space that have a limit in place of its own.

    Its tmpfs have as many inodes as the machine's memory allows, and its terminals are everyone's.
    """
    mount_new("tmpfs", SCRATCH, "mode=755,size=1m")
    own: list[str] = []
    rest = list(options)
    while rest:
        if rest[0] == "--perms" and rest[4:5] == ["--tmpfs"]:
            place = f"{SCRATCH}/{len(rest)}"
            os.mkdir(place)
            inodes = int(rest[3]) // BYTES_FOR_INODE
            mount_new("tmpfs", place, f"mode={rest[1]},size={rest[3]},nr_inodes={inodes}")
            own += ["--bind", place, rest[5]]
            del rest[:6]
        elif rest[0] == "--dev":
            own += devices(rest[1])
            del rest[:2]
        else:
            own.append(rest.pop(0))
    return own


def mount_overlays(overlays: list[list[str]], staged: dict[str, str]) -> None:
    """Lay what a sandbox may write over what it may only read, below SCRATCH.

    By the user that the sandbox runs as: nothing that this user may not read shows through. The
    folders are named by descriptors: a path may hold what separates options, and inside, where
    mounts are listed, it would show.
    """
    for place, *paths in overlays:
        os.mkdir(place)
        fds = [os.open(where_now(path, staged), os.O_PATH | os.O_CLOEXEC) for path in paths]
        upper, work, *lower = (f"/proc/self/fd/{fd}" for fd in fds)
        # The index would tie the layers to each other; a snapshot's copy of them is not the same.
        options = f"lowerdir={':'.join(lower)},upperdir={upper},workdir={work},userxattr,index=off"
        mount_new("overlay", place, options)


def devices(place: str) -> list[str]:
    """What bwrap's --dev makes, with the terminals that are here: its own have no limit."""
    options = ["--tmpfs", place]
    for name in ("full", "null", "random", "tty", "urandom", "zero", "pts"):
        options += ["--dev-bind", f"/dev/{name}", f"{place}/{name}"]
    for name, target in LINKS.items():
        options += ["--symlink", target, f"{place}/{name}"]
    return options


def mount_new(kind: str, target: str, options: str) -> None:
    name = kind.encode()
    flags = MS_NOSUID | (MS_NOEXEC if kind == "devpts" else MS_NODEV)
    check(f"mount {kind}", libc.mount(name, os.fsencode(target), name, flags, options.encode()))


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
