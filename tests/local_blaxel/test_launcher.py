"""Start, find again, freeze, thaw and stop, with nothing left over."""

import asyncio
import os
import shutil
import socket
import stat
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from local_blaxel.launcher import Launcher, LaunchError, NothingListens
from local_blaxel.launcher.folders import make_way
from tests.support.launcher_host import Agent, Host, kill_agents, spec
from tests.support.waiting import wait_until

COUNT = (
    "i=0; while true; do i=$((i+1)); echo $i > /tmp/new; mv /tmp/new /tmp/count; sleep 0.02; done"
)
SERVE = "python3 -m http.server {port} --bind {address}"


def traces(state_dir: Path, instance: str) -> list[str]:
    """Everything on this machine that names the sandbox."""
    lines = [f"process {name}" for name in os.listdir("/proc") if names(f"/proc/{name}", instance)]
    lines += Path("/proc/self/mountinfo").read_text().splitlines()
    lines += Path("/proc/net/unix").read_text().splitlines()
    # Other tests' sandboxes come and go while these folders are walked, which os.walk allows for.
    for root in ("/sys/fs/cgroup", state_dir):
        for folder, _, files in os.walk(root):
            lines += [folder, *(os.path.join(folder, file) for file in files)]
    return [line for line in lines if instance in line]


def names(folder: str, instance: str) -> bool:
    try:
        return instance.encode() in Path(folder, "cmdline").read_bytes()
    except OSError:
        return False


def agent_of(launcher: Launcher, instance: str) -> Agent:
    return Agent(launcher.agent_socket(instance))


async def test_the_spec_reaches_the_commands(launcher):
    instance = await launcher.start(spec("named", {"A": "1", "B": "zwei"}))

    with agent_of(launcher, instance) as agent:
        output = agent.run("echo $A $B").output
    await launcher.stop(instance)

    assert output == "1 zwei\n"


async def test_instances_never_repeat_and_know_nothing_of_each_other(launcher, instance):
    other = await launcher.start(spec("own"))

    with agent_of(launcher, instance) as agent, agent_of(launcher, other) as neighbour:
        agent.write("/blaxel/mine", "x")
        missing = neighbour.get("/filesystem//blaxel/mine").status_code
    await launcher.stop(other)

    assert instance != other
    assert missing == 404


async def test_state_and_sockets_are_for_their_owner_only(launcher, instance):
    state_dir = launcher.agent_socket(instance).parents[1]

    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700


async def test_stopping_leaves_nothing(launcher, instance):
    state_dir = launcher.agent_socket(instance).parents[1]
    with agent_of(launcher, instance) as agent:
        agent.run("mkdir -p /blaxel/locked/in && chmod 000 /blaxel/locked")
        agent.execute("sleep 1000")
        agent.execute("setsid sleep 1000 & disown; exit")
        agent.execute("trap '' TERM INT; sleep 1000")
    before = traces(state_dir, instance)

    await launcher.stop(instance)
    await launcher.stop(instance)

    assert before
    assert traces(state_dir, instance) == []
    assert not launcher.is_alive(instance)
    assert not await launcher.adopt(instance)


async def test_stopping_a_frozen_sandbox_leaves_nothing_either(launcher, instance):
    state_dir = launcher.agent_socket(instance).parents[1]
    with agent_of(launcher, instance) as agent:
        agent.execute("sleep 1000")
    await launcher.freeze(instance)

    await launcher.stop(instance)

    assert traces(state_dir, instance) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
async def test_a_port_inside_is_dialled_from_outside(launcher, instance, address):
    with agent_of(launcher, instance) as agent:
        agent.execute(SERVE.format(port=3000, address=address))
        wait_until(lambda: agent.run("curl -s localhost:3000").code == 0)
        agent.write("/blaxel/hello.txt", "from inside")

    with await launcher.dial(instance, 3000) as connection:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, b"GET /hello.txt HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := await loop.sock_recv(connection, 65536):
            answer += chunk

    assert answer.endswith(b"from inside")


async def test_dialling_a_port_where_nothing_listens_says_so(launcher, instance):
    with pytest.raises(NothingListens):
        await launcher.dial(instance, 3999)


async def test_a_port_of_the_host_is_not_reached_by_dialling(launcher, instance):
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(NothingListens):
        await launcher.dial(instance, server.getsockname()[1])


async def test_activity_counts_what_runs_and_what_keeps_awake(launcher, instance):
    with agent_of(launcher, instance) as agent:
        agent.execute("sleep 1000")
        agent.execute("sleep 1000", keepAlive=True, name="kept")
        busy = await launcher.activity(instance)
        agent.delete("/process/kept/kill")
        idle = await launcher.activity(instance)

    assert (busy.processes, busy.keep_alive) == (2, 1)
    assert (idle.processes, idle.keep_alive) == (1, 0)


async def test_a_counter_stands_still_while_frozen_and_then_goes_on(launcher, instance):
    with agent_of(launcher, instance) as agent:
        agent.execute(COUNT)
        wait_until(lambda: agent.get("/filesystem//tmp/count").status_code == 200)

        await launcher.freeze(instance)
        await launcher.freeze(instance)
        frozen = agent.read("/tmp/count")
        # Nothing to wait for: it stands still.
        await asyncio.sleep(0.3)
        still = agent.read("/tmp/count")
        await launcher.thaw(instance)

        assert frozen == still
        assert wait_until(lambda: int(agent.read("/tmp/count") or 0) > int(still))


async def test_the_agent_answers_while_frozen_and_new_commands_run_after_it(launcher, instance):
    with agent_of(launcher, instance) as agent:
        agent.execute("sleep 1000")
        await launcher.freeze(instance)
        health = agent.get("/health").status_code
        processes = agent.get("/process").json()
        await launcher.thaw(instance)

        assert health == 200
        assert processes[0]["status"] == "running"
        assert agent.run("echo back").output == "back\n"


async def test_a_dial_while_frozen_is_answered_after_the_thaw(launcher, instance):
    with agent_of(launcher, instance) as agent:
        agent.execute(SERVE.format(port=3000, address="0.0.0.0"), waitForPorts=[3000])
    await launcher.freeze(instance)

    with await launcher.dial(instance, 3000) as connection:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, b"GET / HTTP/1.0\r\n\r\n")
        await launcher.thaw(instance)
        answer = await loop.sock_recv(connection, 65536)

    assert answer.startswith(b"HTTP/1.0 200")


async def test_an_agent_that_was_killed_is_restarted_with_its_files(launcher, instance):
    with agent_of(launcher, instance) as agent:
        agent.write("/blaxel/kept", "files")
        agent.write("/tmp/gone", "memory")
    kill_agents(launcher.agent_socket(instance).parents[1], instance)
    dead = wait_until(lambda: not launcher.is_alive(instance))

    await launcher.restart(instance, spec("own", {"NEW": "value"}))

    with agent_of(launcher, instance) as agent:
        assert dead
        assert launcher.is_alive(instance)
        assert agent.read("/blaxel/kept") == "files"
        assert agent.get("/filesystem//tmp/gone").status_code == 404
        assert agent.run("echo $NEW").output == "value\n"


async def test_no_content_of_a_home_stops_a_start(launcher, instance):
    home = launcher.files(instance) / "home"
    with agent_of(launcher, instance) as agent:
        agent.run("rm -rf .venv app; ln -s /nowhere .venv; ln -s loop loop; chmod 000 /blaxel /var")

    await launcher.restart(instance, spec("own"))
    with agent_of(launcher, instance) as agent:
        dangling = agent.run("readlink .venv; touch fine && echo fine").output
        agent.run("rm .venv; ln -s .venv .venv; rmdir /var/tmp; echo x > /var/tmp")
    await launcher.restart(instance, spec("own"))

    assert dangling == "/nowhere\nfine\n"
    with agent_of(launcher, instance) as agent:
        assert agent.run("echo runs").output == "runs\n"
    assert home.is_dir()


async def test_a_failed_start_is_explained_by_the_end_of_the_log(launcher, instance, monkeypatch):
    async def fail(*arguments):
        raise ConnectionError

    monkeypatch.setattr("local_blaxel.launcher.launcher.ask", fail)
    with open(launcher.agent_socket(instance).with_name("log"), "ab") as log:
        log.truncate(2**26)
        log.write(b"\nthe reason\n")

    tracemalloc.start()
    with pytest.raises(LaunchError, match="did not start: the reason"):
        await launcher.restart(instance, spec("own"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2**24


def test_a_file_or_a_link_makes_way_for_a_mount(tmp_path):
    (tmp_path / "a").mkdir(mode=0o000)
    make_way(tmp_path, "a/data/deep", None)
    shutil.rmtree(tmp_path / "a" / "data")
    (tmp_path / "a" / "data").write_text("kept")
    (tmp_path / "link").symlink_to("link")

    make_way(tmp_path, "a/data/deep", None)
    make_way(tmp_path, "link/x", None)

    (kept,) = (tmp_path / "a").glob("data.moved-*")
    assert kept.read_text() == "kept"
    assert (tmp_path / "a" / "data" / "deep").is_dir()
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link" / "x").is_dir()


async def test_restarting_a_running_sandbox_takes_its_new_variables(launcher, instance):
    with agent_of(launcher, instance) as agent:
        agent.execute("sleep 1000")

    await launcher.restart(instance, spec("own", {"NEW": "value"}))

    with agent_of(launcher, instance) as agent:
        assert agent.run("echo $NEW; pgrep sleep").output == "value\n"


@pytest.mark.exhaustive
def test_sandboxes_outlive_a_killed_launcher_and_its_pool_does_not(launcher, state_dir):
    with Host(state_dir) as first:
        instance = first.call("start", "survivor")
        with Agent(Path(first.call("agent_socket", instance))) as agent:
            agent.execute("while true; do echo tick; sleep 0.1; done", name="ticker")
            agent.write("/blaxel/kept", "x")
        waiting = wait_until(lambda: len(os.listdir(state_dir)) > 3)
        first.kill()

    with Host(state_dir) as second, Agent(state_dir / instance / "http") as agent:
        assert waiting
        assert second.call("adopt", instance)
        assert second.call("instances") == [instance]
        assert agent.get("/process/ticker").json()["status"] == "running"
        assert agent.read("/blaxel/kept") == "x"
        second.call("freeze", instance)
        second.call("thaw", instance)
        second.call("stop", instance)
    assert sorted(name for name in os.listdir(state_dir) if not name.startswith("runtime-")) == [
        "lock"
    ]


@pytest.mark.exhaustive
def test_a_launcher_that_is_killed_while_stopping_finishes_it_next_time(launcher, state_dir):
    trash = state_dir / "trash-0123456789abcdef"
    (trash / "home" / "x").mkdir(parents=True)

    asyncio.run(Launcher(state_dir, pool_size=0).close())

    assert not trash.exists()


def test_two_launchers_do_not_share_a_state_directory(launcher):
    state_dir = launcher.agent_socket("x").parents[1]

    with pytest.raises(LaunchError, match="another local_blaxel is using"):
        Launcher(state_dir)


def test_a_state_directory_too_long_for_sockets_is_refused(tmp_path):
    with pytest.raises(LaunchError, match="too long a path"):
        Launcher(tmp_path / ("x" * 100))


def test_a_machine_without_bubblewrap_is_told_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LaunchError, match=r"Install bubblewrap.*LOCAL_BLAXEL_ISOLATION=none"):
        Launcher(tmp_path / "lb")


@pytest.fixture
def bin_dir():
    """A directory for programs that any user may run."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_machine_that_refuses_namespaces_is_told_why(bin_dir, tmp_path, monkeypatch):
    bwrap = bin_dir / "bwrap"
    bwrap.write_text("#!/bin/sh\necho 'setting up uid map: Permission denied' >&2; exit 1\n")
    bwrap.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_dir}:{os.environ['PATH']}")

    with pytest.raises(LaunchError, match=r"uid map: Permission denied.*user namespaces"):
        Launcher(tmp_path / "lb")


async def test_many_starts_at_once_all_succeed(launcher):
    instances = await asyncio.gather(*(launcher.start(spec(f"n{at}")) for at in range(6)))

    alive = [launcher.is_alive(instance) for instance in instances]
    await asyncio.gather(*(launcher.stop(instance) for instance in instances))

    assert len(set(instances)) == 6
    assert all(alive)
