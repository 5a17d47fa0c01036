"""Run as a program between the server and bwrap: join cgroups, show sources, drop root, exec.

It reads a marshalled Plan from standard input, and imports as little as it can: every sandbox's
start waits for it. As root it makes a private mount namespace, in which what bwrap is to bind
becomes readable for the uid that this sandbox alone runs as, and its files become that uid's: the
interpreter or the state directory may lie under a folder that only root may enter. The host sees
none of it.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = 0x1, 0x4
MOUNT_ATTR_RDONLY, MOUNT_ATTR_IDMAP = 0x1, 0x100000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
# From here on an overlay can be laid over folders whose owners a mount maps.
LEAST_KERNEL_THAT_MAPS = (5, 19)
# The kernel has 3072 for all.
MAX_TERMINALS = 128
LIMITED = {"inotify": ("instances", "watches"), "fanotify": ("groups", "marks")}
# The module signal takes milliseconds to import.
SIGKILL, SIGSTOP = 9, 19
# The last one stands for none.
ALL_IDS = 2**32 - 1
LINKS = {
    **{"fd": "/proc/self/fd", "core": "/proc/kcore", "ptmx": "pts/ptmx"},
    **{name: f"/proc/self/fd/{fd}" for fd, name in enumerate(("stdin", "stdout", "stderr"))},
}
# A folder of every machine of which nothing is shown inside: covered in the private namespace.
SCRATCH = "/sys"
BYTES_FOR_INODE = 2048
# Hidden by a tmpfs in the private namespace only; it exists everywhere.
STAGE = "/tmp"  # noqa: S108
OWNED = f"{STAGE}/owned"

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    plan = marshal.load(sys.stdin.buffer)  # noqa: S302 - from the server itself
    os.umask(0o022)
    for procs in plan["cgroups"]:
        with open(procs, "w") as file:
            file.write("0")
    bwrap, options, sources = plan["bwrap"], plan["options"], {}
    if plan["uid"] is not None:
        uid, stored = plan["uid"], plan["stored"]
        leave_hosts_mounts()
        mapped = as_own(stored, uid, plan["account"])
        staged = stage([os.path.dirname(bwrap), *plan["sources"], *stored], mapped)
        bwrap = where_now(bwrap, staged)
        # Not bwrap's own folder: that may be /bin, which is a place inside, too.
        sources = {source: staged[source] for source in [*plan["sources"], *stored]}
        options = [where_now(option, sources) for option in options]
        host_uid = plan["account"] if mapped else uid
        if plan["owned"]:
            bind_as_own(plan["owned"], OWNED, host_uid)
            sources[plan["owned"]] = OWNED
        become_limited(uid, plan["account"], host_uid)
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


def leave_hosts_mounts() -> None:
    check("unshare", libc.unshare(CLONE_NEWNS))
    mount("none", "/", MS_REC | MS_PRIVATE)


def stage(sources: list[str], mapped: dict[str, int]) -> dict[str, str]:
    """Mount each folder at a place that everyone may enter; where each one is now."""
    # Opened before the stage hides what lies there.
    opened = {
        source: os.open(source, os.O_PATH | os.O_CLOEXEC)
        for source in sources
        if source not in mapped
    }
    options = b"mode=755,size=1m"
    check("mount tmpfs", libc.mount(b"tmpfs", os.fsencode(STAGE), b"tmpfs", 0, options))
    staged = {source: f"{STAGE}/{number}" for number, source in enumerate(sources)}
    for source, target in staged.items():
        os.mkdir(target)
        if source in opened:
            mount(f"/proc/self/fd/{opened[source]}", target, MS_BIND | MS_REC)
        else:
            move_mount(mapped[source], target)
    return staged


def where_now(option: str, staged: dict[str, str]) -> str:
    """The option, with the folder it may lie in replaced by where that is staged."""
    for source, target in staged.items():
        if option == source or option.startswith(f"{source}/"):
            return target + option.removeprefix(source)
    return option


def as_own(folders: list[str], uid: int, account: int) -> dict[str, int]:
    """Return the folders as mounts in which what is that uid's on the disk is the account's.

    None of them where the kernel or a file system can't.
    """
    release = "".join(each if each.isdigit() else " " for each in os.uname().release)
    if tuple(map(int, release.split()[:2])) < LEAST_KERNEL_THAT_MAPS:
        return {}
    try:
        users = user_namespace(uid, account)
        return {folder: mapped_tree(folder, users, MOUNT_ATTR_IDMAP) for folder in folders}
    except SystemExit:
        return {}


def bind_as_own(folder: str, target: str, uid: int) -> None:
    """Bind the folder, read-only, so that what root owns in it seems to be that user's.

    An overlay above it then lets the user change a file of root's in a copy of the user's own.
    """
    attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_IDMAP
    tree = mapped_tree(folder, user_namespace(0, uid), attributes)
    os.mkdir(target)
    move_mount(tree, target)


def mapped_tree(folder: str, users: int, attributes: int) -> int:
    """A copy of what is mounted there, to be moved somewhere, with the owners of the namespace."""
    flags = OPEN_TREE_CLONE | os.O_CLOEXEC | AT_RECURSIVE
    tree = check_syscall(OPEN_TREE, AT_FDCWD, os.fsencode(folder), flags)
    fields = (ctypes.c_uint64 * 4)(attributes, 0, 0, users)
    size = ctypes.c_size_t(ctypes.sizeof(fields))
    check_syscall(MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH | AT_RECURSIVE, fields, size)
    return tree


def move_mount(tree: int, target: str) -> None:
    flags = MOVE_MOUNT_F_EMPTY_PATH
    check_syscall(MOVE_MOUNT, tree, b"", AT_FDCWD, os.fsencode(target), flags)


def user_namespace(one: int, other: int) -> int:
    """Return a descriptor of a user namespace in which these two, in order, change places.

    Everyone else stays: the kernel deletes no file whose owner or group has no place at all.
    """
    swapped = f"{one} {other} 1\n{other} {one} 1\n"
    for first, end in ((0, one), (one + 1, other), (other + 1, ALL_IDS)):
        if first < end:
            swapped += f"{first} {first} {end - first}\n"
    child = os.fork()
    if child == 0:
        if libc.unshare(CLONE_NEWUSER) == 0:
            os.kill(os.getpid(), SIGSTOP)
        os._exit(1)
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise SystemExit("unshare: no user namespace can be made")
    try:
        write_map(child, "uid", swapped)
        write_map(child, "gid", swapped)
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.kill(child, SIGKILL)
        os.waitpid(child, 0)


def become_limited(uid: int, account: int, host_uid: int) -> None:
    """Become that uid in a user namespace of the account's, a uid that nothing else is.

    What the kernel counts for each owner of a namespace (inotify instances, and more) it then
    counts for each sandbox by itself. So it does what it counts for each uid (memory of pipes, and
    more) where `host_uid`, as which the sandbox runs outside of the namespace, is the account, too.
    Only root may give a namespace's owner another uid: a child that still is.
    """
    os.setgroups([])
    asks, told = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(told)
        if os.read(asks, 1):
            own = f"{uid} {host_uid} 1"
            write_maps(os.getppid(), own, own)
        os._exit(0)
    os.close(asks)
    os.setresgid(host_uid, host_uid, host_uid)
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
    write_maps("self", f"{uid} {uid} 1", f"{gid} {gid} 1")
    return True


def write_maps(pid: int | str, uids: str, gids: str) -> None:
    with open(f"/proc/{pid}/setgroups", "w") as file:
        file.write("deny")
    write_map(pid, "uid", uids)
    write_map(pid, "gid", gids)


def write_map(pid: int | str, kind: str, text: str) -> None:
    with open(f"/proc/{pid}/{kind}_map", "w") as file:
        file.write(text)


def limit(divisor: int) -> None:
    """Limit, in a user namespace of its own, the sandbox's part of what all sandboxes share."""
    for name, kinds in LIMITED.items():
        for kind in kinds:
            try:
                with open(f"/proc/sys/fs/{name}/max_user_{kind}") as file:
                    most = int(file.read()) // divisor
                with open(f"/proc/sys/user/max_{name}_{kind}", "w") as file:
                    file.write(str(most))
            except OSError:
                pass  # /proc/sys may be read-only, in a container; and kernels before 5.13.
    mount_new("devpts", "/dev/pts", f"newinstance,ptmxmode=0666,mode=0620,max={MAX_TERMINALS}")


def with_own_devices(options: list[str]) -> list[str]:
    """bwrap's options, with terminals and scratch space that have a limit in place of its own.

    Its tmpfs have as many inodes as the machine's memory allows, and all share its terminals.
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
    """Return the options for bwrap's /dev with this machine's terminals: bwrap's have no limit."""
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


def check_syscall(number: int, *arguments: object) -> int:
    result: int = libc.syscall(number, *arguments)
    check(f"system call {number}", min(result, 0))
    return result


def check(call: str, result: int) -> None:
    if result != 0:
        raise SystemExit(f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
