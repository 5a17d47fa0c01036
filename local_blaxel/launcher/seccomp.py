"""The system calls a sandbox may not make, as the classic BPF program that bwrap loads.

It only denies: what a namespace already confines stays allowed, so that compilers, package
managers and servers work. Numbers are from the kernel's syscall tables.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
X32_BIT = 0x40000000

# New namespaces: clone's flags. clone3 hides them in memory, so it must not be there at all.
NAMESPACES = 0x7E020080
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
# AF_VSOCK reaches the hypervisor past every network namespace; AF_ALG is kernel attack surface.
SOCKET_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink
# fallocate takes any space at once, which no limit of a write stops. What gives space back stays:
# PUNCH_HOLE with KEEP_SIZE, COLLAPSE_RANGE. Others are told that the file system can't: libc's
# posix_fallocate writes instead.
FREEING = (0x03, 0x08)


@dataclass(frozen=True)
class Architecture:
    audit: int
    clone: int
    clone3: int
    ioctl: int
    socket: int
    fallocate: int
    refused: tuple[int, ...]
    missing: tuple[int, ...]


# clone3 and io_uring answer ENOSYS: libc and libuv then do without.
IO_URING = (425, 426, 427)
# open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr, pidfd_getfd
NEWER = (428, 429, 430, 431, 432, 433, 442, 438)

ARCHITECTURES = {
    "x86_64": Architecture(
        audit=0xC000003E,
        clone=56,
        clone3=435,
        ioctl=16,
        socket=41,
        fallocate=285,
        # ptrace, pivot_root, acct, mount, umount2, swapon, swapoff, reboot, init_module,
        # delete_module, quotactl, add_key, request_key, keyctl, unshare, perf_event_open,
        # name_to_handle_at, open_by_handle_at, setns, process_vm_readv, process_vm_writev, kcmp,
        # finit_module, kexec_load, kexec_file_load, bpf, userfaultfd, syslog
        refused=(
            *(101, 155, 163, 165, 166, 167, 168, 169, 175, 176, 179, 248, 249, 250, 272, 298),
            *(303, 304, 308, 310, 311, 312, 313, 246, 320, 321, 323, 103, *NEWER),
        ),
        missing=IO_URING,
    ),
    "aarch64": Architecture(
        audit=0xC00000B7,
        clone=220,
        clone3=435,
        ioctl=29,
        socket=198,
        fallocate=47,
        # The same calls in the same order.
        refused=(
            *(117, 41, 89, 40, 39, 224, 225, 142, 105, 106, 60, 217, 218, 219, 97, 241),
            *(264, 265, 268, 270, 271, 272, 273, 104, 294, 280, 282, 116, *NEWER),
        ),
        missing=IO_URING,
    ),
}


def program() -> bytes | None:
    """The filter for this machine; None where its system call numbers are not known here."""
    architecture = ARCHITECTURES.get(platform.machine())
    return b"".join(_assemble(architecture)) if architecture else None


def _assemble(arch: Architecture) -> list[bytes]:
    """Every check either returns or falls through to the next one."""
    code = [_load(ARCHITECTURE), *_unless_equal(arch.audit, errno.ENOSYS), _load(NUMBER)]
    if arch.audit == ARCHITECTURES["x86_64"].audit:
        code += [_step(AT_LEAST, X32_BIT, 0, 1), _deny(errno.ENOSYS)]
    for number in arch.refused:
        code += [_step(EQUAL, number, 0, 1), _deny(errno.EPERM)]
    for number in (arch.clone3, *arch.missing):
        code += [_step(EQUAL, number, 0, 1), _deny(errno.ENOSYS)]
    code += _when(
        arch.clone, FIRST_ARGUMENT, [_step(ANY_BIT, NAMESPACES, 0, 1), _deny(errno.EPERM)]
    )
    code += _when(arch.ioctl, SECOND_ARGUMENT, _each_denied(TERMINAL_INJECTION))
    code += _when(arch.socket, FIRST_ARGUMENT, _others_denied(SOCKET_FAMILIES, errno.EAFNOSUPPORT))
    code += _when(arch.fallocate, SECOND_ARGUMENT, _others_denied(FREEING, errno.EOPNOTSUPP))
    return [*code, _step(RETURN, ALLOW)]


def _when(number: int, argument: int, checks: list[bytes]) -> list[bytes]:
    """Checks on the low half of an argument; the kernel looks at no more of it either."""
    return [_step(EQUAL, number, 0, len(checks) + 2), _load(argument), *checks, _load(NUMBER)]


def _each_denied(values: tuple[int, ...]) -> list[bytes]:
    return [step for value in values for step in (_step(EQUAL, value, 0, 1), _deny(errno.EPERM))]


def _others_denied(values: tuple[int, ...], error: int) -> list[bytes]:
    """Jump past the refusal at the end from each allowed value."""
    jumps = [_step(EQUAL, value, len(values) - at, 0) for at, value in enumerate(values)]
    return [*jumps, _deny(error)]


def _unless_equal(value: int, error: int) -> list[bytes]:
    return [_step(EQUAL, value, 1, 0), _deny(error)]


def _load(offset: int) -> bytes:
    return _step(LOAD, offset)


def _deny(error: int) -> bytes:
    return _step(RETURN, ERRNO | error)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One struct sock_filter."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
