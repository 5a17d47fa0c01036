"""What somebody inside a sandbox can't do, with the server run as root and as an ordinary user."""

import asyncio
import json
import os
import platform
import re
import socket
import subprocess
from pathlib import Path

import pytest

from local_blaxel.launcher.channel import ask
from tests.support.launcher_host import Agent, as_user, succeeds
from tests.support.waiting import wait_until

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


def test_nobody_inside_sees_or_signals_another_sandbox(attacker, host):
    other = host.call("start", "other")
    with Agent(Path(host.call("agent_socket", other))) as agent:
        agent.write("secret", "of the other one")
        folder = agent.socket_path.parent
        pids = json.loads((folder / "processes").read_text())["awake"]

        ran = attacker.run(f"ls {folder} {folder}/disk; kill -9 {' '.join(map(str, pids))}")
        # Below /opt is the host's /usr, too: gigabytes, in which no sandbox writes.
        found = attacker.run(
            "grep -rs --exclude-dir=usr 'of the other one' /blaxel /tmp /var /run /dev/shm /opt"
        )

        assert ran.output.count(ABSENT) == 2
        assert ran.output.count("No such process") == len(pids)
        assert found.output == ""
        assert agent.read("secret") == "of the other one"
    host.call("stop", other)


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


EXHAUST = {
    # Before there are no instances left to watch with.
    "inotify watches": """python3 -c '
import ctypes, itertools, os, time
libc = ctypes.CDLL(None)
instance = libc.inotify_init()
for number in itertools.count():
    os.mkdir(f"/tmp/{number}")
    if libc.inotify_add_watch(instance, f"/tmp/{number}".encode(), 2) < 0: break
print("exhausted", number, flush=True)
time.sleep(600)'""",
    "inotify instances": """python3 -c '
import ctypes, time
libc = ctypes.CDLL(None)
while libc.inotify_init() >= 0: pass
print("exhausted", flush=True)
time.sleep(600)'""",
    "terminals": """python3 -c '
import os, time
taken = []
try:
    while True: taken.append(os.openpty())
except OSError: print("exhausted", len(taken), flush=True)
time.sleep(600)'""",
}
USE = """python3 -c '
import ctypes, os
libc = ctypes.CDLL(None)
assert libc.inotify_add_watch(libc.inotify_init(), b"/tmp", 2) >= 0
os.openpty()
print("fine")'"""


def test_what_the_kernel_has_for_all_is_taken_from_no_neighbour(attacker, host):
    others = [host.call("start", f"neighbour-{number}") for number in range(3)]
    told = []
    for command in EXHAUST.values():
        greedy = [attacker]
        greedy += [Agent(Path(host.call("agent_socket", other))) for other in others[:2]]
        for each in greedy:
            pid = each.execute(command).json()["pid"]
            wait_until(lambda each=each, pid=pid: "exhausted" in each.printed(pid), 120)
            told.append(each.printed(pid))
    with Agent(Path(host.call("agent_socket", others[2]))) as neighbour:
        used = neighbour.run(USE).output

    for process in attacker.get("/process").json():
        attacker.delete(f"/process/{process['pid']}/kill")
    attacker.run("find /tmp -mindepth 1 -maxdepth 1 -name '[0-9]*' -delete")
    for other in others:
        host.call("stop", other)
    assert used == "fine\n"
    # Where the machine has many left, a neighbour has some without any limit, too.
    assert told[-3:] == ["exhausted 128\n"] * 3


UNDER_WAY = """python3 -c '
import resource, socket, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept, is_over = [], False
while not is_over:
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    kept += [sender, receiver]
    sender.setblocking(False)
    try:
        while True: socket.send_fds(sender, [b"x"], [0] * 253)
    except BlockingIOError: continue
    except OSError: is_over = True
print("exhausted", flush=True)
time.sleep(600)'"""


def test_no_neighbour_is_kept_from_handing_connections_over(attacker, host):
    other = host.call("start", "neighbour")
    agent_socket = Path(host.call("agent_socket", other))
    pid = attacker.execute(UNDER_WAY).json()["pid"]
    wait_until(lambda: "exhausted" in attacker.printed(pid), 120)

    with Agent(agent_socket) as neighbour:
        neighbour.execute("python3 -m http.server 3999", waitForPorts=[3999], timeout=60)
        dialled = asyncio.run(ask(agent_socket.with_name("control"), {"do": "dial", "port": 3999}))

    attacker.delete(f"/process/{pid}/kill")
    host.call("stop", other)
    dialled.pop("socket").close()
    assert dialled == {}


def test_devices_are_there_once(attacker):
    told = attacker.run(
        "ls /dev; grep -c ' /dev/pts ' /proc/mounts; echo x > /dev/null; readlink /dev/ptmx; "
        "head -c 1 /dev/urandom | wc -c; echo to >/dev/stdout; touch /dev/x 2>&1"
    ).output.split()

    assert told[:15] == [
        *("core", "fd", "full", "null", "ptmx", "pts", "random", "shm"),
        *("stderr", "stdin", "stdout", "tty", "urandom", "zero", "1"),
    ]
    assert told[15:18] == ["pts/ptmx", "1", "to"]
    assert "Read-only" in told


def test_scratch_space_has_a_limit_of_names(attacker):
    inodes = attacker.run("df --output=itotal /tmp /run /dev/shm | tail -n 3").output.split()

    assert [int(each) for each in inodes] == [262144, 8192, 32768]


def test_orphans_are_collected_and_no_limit_is_passed_by_them(attacker):
    attacker.run("for i in $(seq 300); do (/bin/true & ) ; done")

    assert attacker.run("for i in $(seq 300); do (/bin/true & ) ; done; echo ok").output == "ok\n"
    wait_until(lambda: "Z" not in attacker.run("ps -A -o stat=").output)
    assert "512" in attacker.run("grep 'Max processes' /proc/self/limits").output


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


def test_shared_memory_is_bounded(attacker):
    ran = attacker.run("head -c 1G /dev/zero > /dev/shm/x; stat -c %s /dev/shm/x; rm /dev/shm/x")

    assert "No space left" in ran.output
    assert str(64 * 2**20) in ran.output


def test_a_memory_bomb_ends_itself_only(attacker):
    ran = attacker.run("python3 -c 'x = bytearray(3 * 2**30)' 2>&1")

    assert "MemoryError" in ran.output
    assert attacker.get("/health").status_code == 200


BOMB = """
import os, time
while True:
    try:
        os.fork() or os.setsid() or time.sleep(600)
    except BlockingIOError:
        time.sleep(0.01)
"""


def test_a_fork_bomb_is_bounded_and_its_sandbox_goes_on(host):
    instance = host.call("start", "bomb")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        agent.run("mkdir -p full/of/files; head -c 50M /dev/zero > large")
        agent.execute(f"exec python3 -c '{BOMB}'", name="bomb")
        is_full = wait_until(lambda: "fork" in agent.run("/bin/true; /bin/true").output)

        read = agent.get("/filesystem/large?download=true").content
        form = {"file": ("file", b"x" * 3 * 2**20)}
        answers = [
            agent.get("/health"),
            agent.get("/process"),
            agent.get("/filesystem-find//blaxel"),
            agent.put("/filesystem/uploaded", files=form),
            agent.delete("/filesystem/full?recursive=true"),
            agent.delete("/process/bomb/kill"),
        ]
        agent.run("exec pkill -9 -f os.fork")

        assert is_full
        assert len(read) == 50 * 2**20
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        assert wait_until(lambda: agent.run("/bin/true; /bin/true").code == 0)
    host.call("stop", instance)


def test_a_file_is_bounded(attacker):
    ran = attacker.run("truncate -s 5G /blaxel/huge")

    assert ran.code != 0


def test_core_dumps_are_off_and_files_are_many(attacker):
    assert attacker.run("ulimit -c; ulimit -n | awk '{print ($1 >= 1024)}'").output == "0\n1\n"
