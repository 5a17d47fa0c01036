"""How much a sandbox may take, with the server run as root and as an ordinary user."""

from pathlib import Path

from tests.support.launcher_host import Agent
from tests.support.waiting import wait_until


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


def test_the_agents_log_on_the_host_is_bounded(host):
    instance = host.call("start", "logs")
    log = host.state_dir / instance / "log"
    log.write_bytes(b"x" * 2**20)
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        agent.send_raw(b"this is no request\r\n\r\n")
        wait_until(lambda: b"Invalid HTTP request" in log.read_bytes())
        size = log.stat().st_size
    host.call("stop", instance)

    assert size < 2**18


def test_a_file_is_bounded(attacker):
    ran = attacker.run("truncate -s 5G /blaxel/huge")

    assert ran.code != 0


def test_core_dumps_are_off_and_files_are_many(attacker):
    assert attacker.run("ulimit -c; ulimit -n | awk '{print ($1 >= 1024)}'").output == "0\n1\n"
