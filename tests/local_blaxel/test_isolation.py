"""What somebody inside a sandbox can't do, with the server run as root and as an ordinary user."""

import os
import platform
import re
import socket
import subprocess

import pytest

from tests.support.launcher_host import as_user, succeeds

NUMBERS = {
    "x86_64": {
        "ptrace": 101,
        "mount": 165,
        "unshare": 272,
        "setns": 308,
        "clone": 56,
        "clone3": 435,
        "bpf": 321,
        "add_key": 248,
        "keyctl": 250,
        "perf_event_open": 298,
        "userfaultfd": 323,
        "io_uring_setup": 425,
        "open_by_handle_at": 304,
        "process_vm_readv": 310,
        "pidfd_getfd": 438,
        "fsopen": 430,
        "open_tree": 428,
        "mount_setattr": 442,
        "kexec_load": 246,
        "init_module": 175,
        "reboot": 169,
        "syslog": 103,
        "quotactl": 179,
    },
    "aarch64": {
        "ptrace": 117,
        "mount": 40,
        "unshare": 97,
        "setns": 268,
        "clone": 220,
        "clone3": 435,
        "bpf": 280,
        "add_key": 217,
        "keyctl": 219,
        "perf_event_open": 241,
        "userfaultfd": 282,
        "io_uring_setup": 425,
        "open_by_handle_at": 265,
        "process_vm_readv": 270,
        "pidfd_getfd": 438,
        "fsopen": 430,
        "open_tree": 428,
        "mount_setattr": 442,
        "kexec_load": 104,
        "init_module": 105,
        "reboot": 142,
        "syslog": 116,
        "quotactl": 60,
    },
}.get(platform.machine(), {})

CALL = """python3 -c '
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall({number}, {arguments})
print("OK" if result >= 0 else errno.errorcode[ctypes.get_errno()])'"""
AGENT = "$(pgrep -f local_blaxel.agen[t] | tail -1)"
SOCKET = "python3 -c 'import socket; socket.socket({family}, {kind})'"
CONNECT = "python3 -c 'import socket; socket.create_connection((\"{host}\", {port}), 2)'"

# As mv would not: it copies what can't be renamed.
RENAME = 'python3 -c \'import os; os.rename("{0}", "{1}")\''

ABSENT = "No such file or directory"
DENIED = "Permission denied|Operation not permitted"

ATTACKS = {
    "read the host's passwords": ("cat /etc/shadow", ABSENT),
    "look into root's home": ("ls -A /root", "^$"),
    "look into other homes": ("ls -A /home", "^$"),
    "look into other mounts of the host": ("find /mnt /srv /media -mindepth 1", "^$"),
    "look into what starts the host": ("ls -A /boot /sys", ABSENT),
    "read init's memory": ("head -c1 /proc/1/mem", f"{DENIED}|Input/output error"),
    "see the host through init": ("ls /proc/1/root", DENIED),
    "read the agent's environment": (f"cat /proc/{AGENT}/environ", DENIED),
    "read the agent's memory": (f"cat /proc/{AGENT}/maps /proc/{AGENT}/mem", DENIED),
    "list the agent's files": (f"ls /proc/{AGENT}/fd/", DENIED),
    "mount a filesystem": ("mount -t tmpfs tmpfs /tmp", f"{DENIED}|must be superuser"),
    "mount proc": ("mount -t proc proc /tmp", f"{DENIED}|must be superuser"),
    "bind over a program": ("mount --bind /tmp /usr", f"{DENIED}|must be superuser"),
    "make programs writable": ("mount -o remount,rw /usr", f"{DENIED}|must be superuser"),
    "uncover /proc/sys": ("umount /proc/sys", f"{DENIED}|must be superuser|not mounted"),
    "mount a cgroup": ("mount -t cgroup -o memory none /tmp", f"{DENIED}|must be superuser"),
    "change the agent": ("echo x > /opt/local_blaxel/lib/x", "Read-only file system"),
    "change the agent's programs": ("rm -f /opt/local_blaxel/bin/rm", "Read-only file system"),
    "change the agent's libraries": ("touch /opt/local_blaxel/usr/lib/x", "Read-only file system"),
    "put another agent there": (RENAME.format("/opt/local_blaxel", "/opt/mine"), "busy"),
    "put another folder there": (RENAME.format("/opt", "/mine"), "busy"),
    "make each program load a library": ("rm /etc/ld.so.preload", "busy"),
    "write what each program loads": ("echo x > /etc/ld.so.preload", "Read-only file system"),
    "choose what finds names": ("echo x > /etc/nsswitch.conf", "Read-only file system"),
    "put another /etc there": (RENAME.format("/etc", "/mine"), "busy"),
    "write past what is laid over": ("touch /opt/local_blaxel/files/usr/x", "Read-only file"),
    "fill /dev": ("echo x > /dev/zz", "Read-only file system"),
    "make a device": ("mknod /tmp/sda b 8 0", DENIED),
    "open a disk": ("head -c1 /dev/vda /dev/sda /dev/mem /dev/kvm", ABSENT),
    "read the kernel's log": ("dmesg", DENIED),
    "set the core handler": ("echo x > /proc/sys/kernel/core_pattern", f"{DENIED}|Read-only"),
    "trigger sysrq": ("echo b > /proc/sysrq-trigger", f"{DENIED}|Read-only|nonexistent"),
    "make a user namespace": ("unshare -Ur id", DENIED),
    "make a mount namespace": ("unshare -m id", DENIED),
    "enter init's namespaces": ("nsenter -t 1 -m -u -n id", f"{DENIED}|{ABSENT}"),
    "become root": ("su -c id < /dev/null", "Critical error|Authentication failure|failed|denied"),
    "map other users": ("newuidmap $$ 0 0 1", f"{DENIED}|not found|not allowed|write to uid_map"),
    "leave by a double chroot": ("python3 -c 'import os; os.chroot(\"/tmp\")'", DENIED),
    "chroot": ("chroot / id", DENIED),
    "find a cgroup's release agent": ("find / -xdev -name release_agent 2>/dev/null", "^$"),
    "find what init has open": ("cat /proc/1/fd/*", f"{DENIED}|{ABSENT}|^$"),
    "reach the cloud's metadata": (CONNECT.format(host="169.254.169.254", port=80), "unreachable"),
    "reach the internet": (CONNECT.format(host="1.1.1.1", port=80), "unreachable"),
    "reach the hypervisor": (SOCKET.format(family=40, kind=1), "not supported"),
    "send raw packets": (SOCKET.format(family=17, kind=3), "not supported|not permitted"),
    "use kernel crypto": (SOCKET.format(family=38, kind=5), "not supported"),
    "find docker": ("ls /var/run/docker.sock /run/docker.sock /run/dbus", ABSENT),
    "find the agent's socket": ("find /blaxel /tmp /run /var /opt/local_blaxel/lib -type s", "^$"),
}

CALLS = {
    "ptrace": ("16, 1, 0, 0", "EPERM"),
    "mount": ("0, 0, 0, 0, 0", "EPERM"),
    "unshare": ("0x10000000", "EPERM"),
    "setns": ("0, 0", "EPERM"),
    "clone": ("0x10000011, 0, 0, 0, 0", "EPERM"),
    "clone3": ("0, 0", "ENOSYS"),
    "bpf": ("0, 0, 0", "EPERM"),
    "add_key": ("0, 0, 0, 0, 0", "EPERM"),
    "keyctl": ("0, 0, 0, 0, 0", "EPERM"),
    "perf_event_open": ("0, 0, -1, -1, 0", "EPERM"),
    "userfaultfd": ("0", "EPERM"),
    "io_uring_setup": ("1, 0", "ENOSYS"),
    "open_by_handle_at": ("0, 0, 0", "EPERM"),
    "process_vm_readv": ("1, 0, 0, 0, 0, 0", "EPERM"),
    "pidfd_getfd": ("0, 0, 0", "EPERM"),
    "fsopen": ("0, 0", "EPERM"),
    "open_tree": ("0, 0, 0", "EPERM"),
    "mount_setattr": ("0, 0, 0, 0, 0", "EPERM"),
    "kexec_load": ("0, 0, 0, 0", "EPERM"),
    "init_module": ("0, 0, 0", "EPERM"),
    "reboot": ("0, 0, 0, 0", "EPERM"),
    "syslog": ("3, 0, 0", "EPERM"),
    "quotactl": ("0, 0, 0, 0", "EPERM"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_inside_can(attacker, attack):
    command, refusal = ATTACKS[attack]

    ran = attacker.run(f"({command}) 2>&1", timeout=60)

    assert re.search(refusal, ran.output), ran
    assert ran.code != 0 or not ran.output


@pytest.mark.skipif(not NUMBERS, reason="system call numbers of this machine are not known here")
@pytest.mark.parametrize("name", CALLS)
def test_nobody_inside_makes_the_system_call(attacker, name):
    arguments, error = CALLS[name]

    ran = attacker.run(CALL.format(number=NUMBERS.get(name), arguments=arguments))

    assert ran.output == f"{error}\n"


@pytest.mark.parametrize("request_code", ["0x5412", "0x541C", "0x1_0000_5412"])
def test_nobody_inside_types_into_a_terminal(attacker, request_code):
    script = f'import fcntl, os; fcntl.ioctl(os.openpty()[1], {request_code}, b"x")'

    ran = attacker.run(f"python3 -c '{script}' 2>&1")

    assert "Operation not permitted" in ran.output or "OverflowError" in ran.output


def test_nobody_inside_sees_the_servers_variables_or_paths(attacker, host):
    everything = "env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null"

    ran = attacker.run(everything)

    assert "CANARY_OUTSIDE" not in ran.output
    assert str(host.state_dir) not in ran.output


def test_nobody_inside_sees_or_signals_a_process_of_the_host(attacker, host):
    server, here = host.process.pid, os.getpid()

    ran = attacker.run(f"kill -9 {server} {here}; cat /proc/{server}/environ; echo /proc/[0-9]*")

    assert ran.output.count("No such process") == 2
    assert "No such file" in ran.output
    assert len(ran.output.splitlines()[-1].split()) < 10


def test_nobody_inside_ends_the_sandbox_by_killing_its_init(attacker):
    # While children start, in threads and out of them: that is when one got through.
    every = "import os; [os.kill(1, number) for number in range(1, 65)]"
    starting = attacker.execute("for i in $(seq 500); do /bin/true; done").json()
    for _ in range(30):
        attacker.run(f"python3 -c '{every}'")
        attacker.get("/filesystem//blaxel")
    attacker.get(f"/process/{starting['pid']}")

    assert attacker.get("/health").status_code == 200


def test_nothing_inside_takes_over_process_1_or_writes_to_its_log(attacker, host):
    opened = attacker.run(
        "for f in /proc/1/mem /proc/1/fd/1 /proc/1/fd/2; do (echo x > $f) 2>&1; done; "
        "cat /proc/1/maps /proc/1/environ 2>&1; cat /proc/1/comm; ls /proc/1/fd"
    )
    others = attacker.run("ps -A -o pid=,args= | grep -c '[b]wrap'")

    assert len(re.findall(DENIED, opened.output)) >= 5
    assert others.output.strip() == "0"
    assert [log for log in host.state_dir.glob("*/log") if log.stat().st_size] == []


def test_nobody_inside_reaches_a_service_or_an_abstract_socket_of_the_host(attacker):
    name = f"manta-{os.getpid()}"
    abstract = f'socket.socket(socket.AF_UNIX).connect(chr(0) + "{name}")'
    with (
        socket.create_server(("127.0.0.1", 0)) as service,
        socket.socket(socket.AF_UNIX) as hidden,
    ):
        hidden.bind(f"\0{name}")
        hidden.listen()
        ran = attacker.run(CONNECT.format(host="127.0.0.1", port=service.getsockname()[1]))
        other = attacker.run(f"python3 -c 'import socket; {abstract}'")

    assert "Connection refused" in ran.output
    assert "Connection refused" in other.output


def test_nobody_inside_gains_anything_from_a_setuid_program(attacker):
    attacker.run("cp /usr/bin/id /blaxel/setuid-id && chmod 6755 /blaxel/setuid-id")

    ran = attacker.run("/blaxel/setuid-id -u; grep -E 'NoNewPrivs|CapEff' /proc/self/status")

    assert ran.output.split() == ["1000", "CapEff:", "0000000000000000", "NoNewPrivs:", "1"]


def test_nobody_inside_looks_into_what_only_some_may(attacker):
    """A folder of /usr that is laid over is read by the sandbox's own user, not by root."""
    closed = ["find", "/usr", "-type", "d", "!", "-perm", "-005", "-print", "-quit"]
    folder = subprocess.run(closed, capture_output=True, text=True).stdout.strip()
    if not folder:
        pytest.skip("everyone may look into all of this machine's /usr")

    ran = attacker.run(f"ls -A {folder}; touch {folder}/x; chmod 755 {folder}; cat {folder}/*")

    assert len(re.findall(f"{DENIED}|{ABSENT}", ran.output)) >= 3, ran


def test_nobody_else_on_the_host_runs_a_setuid_file_of_a_sandbox(attacker):
    attacker.run("cp /usr/bin/true /blaxel/setuid && chmod 6755 /blaxel/setuid")
    program = attacker.socket_path.with_name("disk") / "files" / "home" / "setuid"

    assert program.stat().st_mode & 0o6000
    assert not succeeds([*as_user(54399), str(program)])


def test_nobody_inside_leaves_through_a_link(attacker):
    attacker.run("ln -sf ../../../../etc/shadow /tmp/up; ln -sfn /proc/1/root /tmp/link")

    paths = ("/tmp/up", "/tmp/link/etc/shadow", "/tmp/../../../etc/shadow", "%2e%2e%2fetc%2fshadow")
    answers = [attacker.get(f"/filesystem/{path}") for path in paths]

    assert all(answer.status_code in (404, 500) for answer in answers)


def test_a_pipe_holds_nobody_up(attacker):
    attacker.run("rm -f /tmp/pipe; mkfifo /tmp/pipe")

    read = attacker.get("/filesystem//tmp/pipe", timeout=10)
    written = attacker.put("/filesystem//tmp/pipe", json={"content": "x"}, timeout=10)

    assert (read.status_code, written.status_code) == (422, 422)
