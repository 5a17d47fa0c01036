"""The launcher where it may do less: as an ordinary user, and without any confinement."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from local_blaxel.launcher import Launcher, NothingListens
from tests.support.launcher_host import Agent, kill_agents, spec
from tests.support.sleepers import sleepers, unique_seconds
from tests.support.supervisor import free_port
from tests.support.waiting import wait_until

COUNT = (
    "i=0; while true; do i=$((i+1)); echo $i > /tmp/new; mv /tmp/new /tmp/count; sleep 0.02; done"
)


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A launcher whose sandboxes are plain processes."""
    launcher = Launcher(tmp_path_factory.mktemp("plain"), isolation="none", pool_size=0)
    yield launcher
    asyncio.run(launcher.close())


@pytest.fixture
async def unconfined(plain):
    """A sandbox of it, and its agent."""
    instance = await plain.start(spec("plain", {"A": "from the spec"}))
    with Agent(plain.agent_socket(instance)) as agent:
        yield instance, agent
    await plain.stop(instance)


@pytest.mark.exhaustive
def test_each_launcher_says_how_it_confines(launcher, host, plain):
    assert launcher.isolation == "bubblewrap"
    assert "bubblewrap" in launcher.describe()
    assert "bubblewrap" in host.call("describe")
    assert plain.isolation == "none"
    assert "plain processes" in plain.describe()


@pytest.mark.exhaustive
def test_a_counter_stands_still_while_frozen_whoever_runs_the_server(host):
    instance = host.call("start", "counter")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        agent.execute(COUNT)
        agent.execute("exec bash -c 'kill -STOP $$; echo went on'", name="stopped")
        wait_until(lambda: agent.get("/filesystem//tmp/count").status_code == 200)

        host.call("freeze", instance)
        frozen = agent.read("/tmp/count")
        still = wait_until(lambda: agent.get("/health").status_code) and agent.read("/tmp/count")
        host.call("thaw", instance)

        assert frozen == still
        assert wait_until(lambda: int(agent.read("/tmp/count") or 0) > int(still))
        assert agent.get("/process/stopped").json()["stdout"] == ""
    host.call("stop", instance)
    assert instance not in os.listdir(host.state_dir)


def test_a_restart_keeps_the_files_whoever_runs_the_server(host):
    instance = host.call("start", "again")
    with Agent(Path(host.call("agent_socket", instance))) as agent:
        agent.write("kept", "x")
        agent.run("mkdir -p locked/in && chmod 000 locked")
    kill_agents(host.state_dir, instance)
    dead = wait_until(lambda: not host.call("is_alive", instance))

    host.call("restart", instance)

    with Agent(Path(host.call("agent_socket", instance))) as agent:
        assert dead
        assert agent.read("kept") == "x"
    host.call("stop", instance)
    assert not [name for name in os.listdir(host.state_dir) if name.startswith("trash")]


async def test_without_confinement_commands_and_files_work(unconfined):
    _, agent = unconfined

    agent.write("/blaxel/app/hello.txt", "hi")
    ran = agent.run("cat app/hello.txt; echo $A; python3 -c 'import sys; print(sys.prefix)'")

    assert agent.get("/health").json()["isolation"] == "none"
    assert agent.read("app/hello.txt") == "hi"
    assert ran.output.startswith("hifrom the spec\n")
    assert ran.output.endswith("/.venv\n")


async def test_signals_that_the_server_ignores_are_not_ignored_inside(plain):
    ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (1, 2, 3)}
    instance = await plain.start(spec("signals"))
    [signal.signal(number, handler) for number, handler in ignored.items()]

    with Agent(plain.agent_socket(instance)) as agent:
        output = agent.run("grep SigIgn /proc/self/status").output
    await plain.stop(instance)

    assert int(output.split()[1], 16) & 0b111 == 0


async def test_without_confinement_ports_are_dialled_and_waited_for(plain, unconfined):
    instance, agent = unconfined
    # Not confined: they are ports of this machine.
    port, silent = free_port(), free_port()
    serve = f"exec python3 -m http.server {port} --bind 0.0.0.0"

    agent.execute(serve, waitForPorts=[port], timeout=60).raise_for_status()
    with await plain.dial(instance, port) as connection:
        await asyncio.get_running_loop().sock_sendall(connection, b"GET / HTTP/1.0\r\n\r\n")
        answer = await asyncio.get_running_loop().sock_recv(connection, 100)

    assert answer.startswith(b"HTTP/1.0 200")
    with pytest.raises(NothingListens):
        await plain.dial(instance, silent)


async def test_without_confinement_freezing_stops_orphans_too(plain, unconfined):
    instance, agent = unconfined
    agent.run(
        "(i=0; while true; do i=$((i+1)); echo $i > new; mv new count; sleep 0.02; done) & true"
    )
    wait_until(lambda: agent.get("/filesystem/count").status_code == 200)

    await plain.freeze(instance)
    frozen = agent.read("count")
    # Nothing to wait for: it stands still.
    await asyncio.sleep(0.3)
    still = agent.read("count")
    await plain.thaw(instance)

    assert frozen == still
    assert wait_until(lambda: int(agent.read("count") or 0) > int(still))


async def test_without_confinement_stopping_ends_every_process(plain, unconfined):
    instance, agent = unconfined
    seconds = unique_seconds()
    agent.execute(f"trap '' TERM; sleep {seconds}")
    agent.run(f"sleep {seconds} & true")
    assert wait_until(lambda: len(sleepers(seconds)) >= 2)

    await plain.stop(instance)

    assert sleepers(seconds) == []
    assert not plain.is_alive(instance)


async def test_without_confinement_a_restart_keeps_the_files(plain, unconfined):
    instance, agent = unconfined
    agent.write("kept", "x")

    await plain.restart(instance, spec("plain", {"A": "new"}))

    with Agent(plain.agent_socket(instance)) as restarted:
        assert restarted.read("kept") == "x"
        assert restarted.run("echo $A").output == "new\n"
