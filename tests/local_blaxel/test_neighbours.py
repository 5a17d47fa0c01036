"""Limits that protect a sandbox from its neighbours, with the server run as root and as a user."""

import asyncio
import json
import os
from pathlib import Path

import httpx
import pytest

from local_blaxel.launcher.cgroups import Cgroups
from local_blaxel.launcher.channel import ask
from local_blaxel.launcher.tools import ORDINARY_UID
from tests.support.launcher_host import Agent, maps_owners
from tests.support.waiting import wait_until

ABSENT = "No such file or directory"


def test_nobody_inside_sees_or_signals_another_sandbox(attacker, host):
    other = host.call("start", "other")
    with Agent(Path(host.call("agent_socket", other))) as agent:
        agent.write("secret", "of the other one")
        folder = agent.socket_path.parent
        pids = json.loads((folder / "processes").read_text())["awake"]

        ran = attacker.run(f"ls {folder} {folder}/disk; kill -9 {' '.join(map(str, pids))}")
        # Below /opt are the host's /usr and Python, too: gigabytes, in which no sandbox writes.
        large = "--exclude-dir=usr --exclude-dir=python"
        places = "/blaxel /tmp /var /run /dev/shm /opt"
        found = attacker.run(f"grep -rs {large} 'of the other one' {places}")

        assert ran.output.count(ABSENT) == 2
        assert ran.output.count("No such process") == len(pids)
        assert found.output == ""
        assert agent.read("secret") == "of the other one"
    host.call("stop", other)


EXHAUST = {
    "pending signals": """python3 -c '
import ctypes, os, signal, time
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
while libc.sigqueue(os.getpid(), 40, None) == 0: pass
print("exhausted", flush=True)
time.sleep(600)'""",
    "queues of messages": """python3 -c '
import ctypes, itertools, os, time
libc = ctypes.CDLL(None)
for number in itertools.count():
    if libc.mq_open(b"/%d" % number, os.O_CREAT | os.O_RDWR, 0o600, None) < 0: break
print("exhausted", flush=True)
time.sleep(600)'""",
    "fanotify groups": """python3 -c '
import ctypes, time
libc = ctypes.CDLL(None)
while libc.fanotify_init(0x200, 0) >= 0: pass
print("exhausted", flush=True)
time.sleep(600)'""",
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
import ctypes, os, signal
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
assert libc.sigqueue(os.getpid(), 40, None) == 0, "signals"
assert libc.mq_open(b"/x", os.O_CREAT | os.O_RDWR, 0o600, None) >= 0, "queues"
assert libc.fanotify_init(0x200, 0) >= 0, "fanotify"
assert libc.inotify_add_watch(libc.inotify_init(), b"/tmp", 2) >= 0
os.openpty()
print("fine")'"""


@pytest.mark.exhaustive
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


WATCH_ALL = """python3 -c '
import os, resource, select, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
watched, polls = [os.pipe()[0] for _ in range(2000)], []
try:
    while True:
        polls.append(select.epoll())
        for each in watched: polls[-1].register(each, select.EPOLLIN)
except OSError: print("exhausted", flush=True)
time.sleep(600)'"""
WATCH_ONE = "python3 -c 'import os, select; select.epoll().register(os.pipe()[0]); print(1)'"


def is_over(agent, pid):
    """Return true once the process, or its whole sandbox, has ended."""
    try:
        return agent.get(f"/process/{pid}").json()["status"] == "failed"
    except httpx.TransportError:
        return True


@pytest.mark.exhaustive
def test_who_watches_all_with_epoll_is_killed_and_no_neighbour(host):
    greedy, other = (host.call("start", name) for name in ("greedy", "neighbour"))
    with (
        Agent(Path(host.call("agent_socket", greedy))) as agent,
        Agent(Path(host.call("agent_socket", other))) as neighbour,
    ):
        kept = neighbour.execute("sleep 600").json()["pid"]
        pid = agent.execute(WATCH_ALL).json()["pid"]
        wait_until(lambda: is_over(agent, pid), 120)
        # The kernel frees them after the end.
        wait_until(lambda: neighbour.execute(WATCH_ONE).is_success, 60)

        watched = neighbour.run(WATCH_ONE).output
        still = neighbour.get(f"/process/{kept}").json()["status"]
    host.call("stop", greedy)
    host.call("stop", other)

    assert watched == "1\n"
    assert still == "running"


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


def has_own_uids(host):
    is_root = os.geteuid() == 0 and host.uid is None
    return is_root and maps_owners(host.state_dir)


def test_no_two_sandboxes_are_one_user_to_the_kernel(host):
    """Files on the disk all have one owner; a process has that of its sandbox alone."""
    if not has_own_uids(host):
        pytest.skip("only root gives uids away, and only where mounts can map owners")
    instances = [host.call("start", f"one-of-{number}") for number in range(2)]
    uids = []
    for instance in instances:
        known = json.loads((host.state_dir / instance / "processes").read_text())
        uids.append(Path(f"/proc/{known['init']}").stat().st_uid)
        with Agent(Path(host.call("agent_socket", instance))) as agent:
            agent.write("written", "x")
            ran = agent.run("id -u; stat -c %u written /; echo x > /usr/x && stat -c %u /usr/x")
        assert ran.output.split() == ["1000"] * 4
    written = [host.state_dir / each / "disk/files/home/written" for each in instances]
    owners = {path.stat().st_uid for path in written}

    for instance in instances:
        host.call("stop", instance)
    assert len({0, ORDINARY_UID, *uids}) == 4
    assert owners == {ORDINARY_UID}


MANY_PIPES = """python3 -c '
import fcntl, os, resource, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
F_GETPIPE_SZ = 1032
while fcntl.fcntl(os.pipe()[0], F_GETPIPE_SZ) >= 65536: pass
print("exhausted", flush=True)
time.sleep(600)'"""
NEW_PIPE = "python3 -c 'import fcntl, os; print(fcntl.fcntl(os.pipe()[0], 1032))'"


def test_no_neighbour_is_left_with_small_pipes(attacker, host):
    if not has_own_uids(host):
        pytest.skip("the kernel counts the pipes of all sandboxes together")
    other = host.call("start", "neighbour")
    pid = attacker.execute(MANY_PIPES).json()["pid"]
    wait_until(lambda: "exhausted" in attacker.printed(pid), 120)

    own = attacker.run(NEW_PIPE).output
    with Agent(Path(host.call("agent_socket", other))) as neighbour:
        others = neighbour.run(NEW_PIPE).output

    attacker.delete(f"/process/{pid}/kill")
    host.call("stop", other)
    assert int(own) < 65536
    assert int(others) == 65536


FILES_OF_MEMORY = """exec python3 -c '
import os, time
kept = [os.memfd_create("x") for _ in range(10)]
for each in kept:
    for _ in range(100): os.write(each, bytes(2**20))
print("filled", flush=True)
time.sleep(600)'"""
SEGMENTS = """python3 -c '
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]
for _ in range(10):
    at = libc.shmat(libc.shmget(0, 100 * 2**20, 0o1600), None, 0)
    ctypes.memset(at, 1, 100 * 2**20)
    libc.shmdt(at)'"""
COUNT_SEGMENTS = "tail -n +2 /proc/sysvipc/shm | wc -l"


@pytest.fixture
def small(host):
    instance = host.call("start", "small", {}, 512)
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        yield agent
    host.call("stop", instance)


@pytest.mark.exhaustive
def test_files_of_memory_count_that_no_process_has_mapped(small):
    pid = small.execute(FILES_OF_MEMORY).json()["pid"]

    wait_until(lambda: small.get(f"/process/{pid}").json()["status"] == "failed", 120)
    assert small.run("echo fine").output == "fine\n"


HIDE = """exec python3 -c '
import ctypes, time
PR_SET_DUMPABLE = 4
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
print("hidden", flush=True)
time.sleep(600)'"""


@pytest.mark.exhaustive
def test_files_of_memory_count_beside_a_process_that_hides(small):
    hidden = small.execute(HIDE).json()["pid"]
    wait_until(lambda: "hidden" in small.printed(hidden))
    pid = small.execute(FILES_OF_MEMORY).json()["pid"]

    wait_until(lambda: small.get(f"/process/{pid}").json()["status"] == "failed", 120)
    assert small.get(f"/process/{hidden}").json()["status"] == "running"


@pytest.mark.exhaustive
def test_segments_of_memory_do_not_stay_that_no_process_has(small, host):
    if host.uid is None and Cgroups.detect().limits:
        pytest.skip("a cgroup counts them, and ends the sandbox")
    small.run(SEGMENTS)

    # As much as the sandbox may have may stay.
    wait_until(lambda: int(small.run(COUNT_SEGMENTS).output) <= 5, 120)


FILL_MEMORY = """exec python3 -c '
import time
taken = b"x" * (150 * 2**20)
time.sleep(600)'"""


@pytest.mark.exhaustive
def test_who_takes_too_much_memory_is_killed_and_no_neighbour(host):
    greedy, other = (host.call("start", name, {}, 512) for name in ("greedy", "neighbour"))
    with (
        Agent(Path(host.call("agent_socket", greedy))) as agent,
        Agent(Path(host.call("agent_socket", other))) as neighbour,
    ):
        kept = neighbour.execute(FILL_MEMORY).json()["pid"]
        pids = [agent.execute(FILL_MEMORY).json()["pid"] for _ in range(6)]

        def killed():
            found = {each["pid"]: each for each in agent.get("/process").json()}
            return [pid for pid in pids if found[pid]["status"] == "failed"]

        wait_until(lambda: len(killed()) >= 3, 120)
        answers = [neighbour.run("echo fine").output, agent.run("echo fine").output]
        still = neighbour.get(f"/process/{kept}").json()["status"]
        alive = [host.call("is_alive", instance) for instance in (greedy, other)]

    host.call("stop", greedy)
    host.call("stop", other)
    assert answers == ["fine\n", "fine\n"]
    assert still == "running"
    # The agent of the greedy one, too: its first process is the one it was.
    assert alive == [True, True]
