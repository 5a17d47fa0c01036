import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.support.launcher_host import kill_agents
from tests.support.local_blaxel import Server, new_name
from tests.support.sleepers import sleepers, unique_seconds
from tests.support.waiting import wait_until


def moments(first, *more):
    """When a server is killed, in seconds after it was asked for something."""
    return [first, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in more)]


# Renamed, so that it is never found empty.
COUNTER = """
n=0
while true; do n=$((n+1)); echo $n > /blaxel/new; mv /blaxel/new /blaxel/count; sleep 0.05; done
"""


def count(server, name):
    return int(server.run(name, "cat /blaxel/count")["stdout"] or 0)


def counted_outside(server, name):
    """The same without waking it, of a sandbox that has a file of its own name."""
    (mark,) = server.state_dir.glob(f"sandboxes/*/disk/files/home/{name}")
    return int(mark.with_name("count").read_text() or 0)


def standing_still(server, name):
    """Return the last number, if it counts no further meanwhile."""
    counted = counted_outside(server, name)
    time.sleep(0.3)
    return counted if counted == counted_outside(server, name) else None


@pytest.fixture
def other(server):
    """A sandbox that nobody uses: it sleeps once the time for that has passed for all."""
    made = server.create()
    yield made
    server.http.delete(f"/v0/sandboxes/{made}")


def claimed(server):
    """Return what the launcher keeps for a sandbox."""
    return list(server.state_dir.glob("sandboxes/*/claimed"))


def test_an_idle_sandbox_sleeps_and_any_use_wakes_it(server, name):
    server.run(name, f"touch {name}")
    server.run(name, COUNTER, waitForCompletion=False)
    wait_until(lambda: server.sleeps(name))

    asleep = wait_until(lambda: standing_still(server, name))

    assert server.sleeps(name)
    assert server.get(name)["status"] == "DEPLOYED"
    wait_until(lambda: count(server, name) > asleep)


def test_looking_never_wakes(server, name):
    wait_until(lambda: server.sleeps(name))
    used_at = server.get(name)["lastUsedAt"]

    server.get(name)
    server.names()
    server.http.get(f"/v0/sandboxes/{name}/previews")
    server.http.put(f"/v0/sandboxes/{name}", json=server.get(name))

    assert server.sleeps(name)
    assert server.get(name)["lastUsedAt"] == used_at


def test_a_keep_alive_process_keeps_it_awake(server, name, other):
    until_told = "while [ ! -e /tmp/go ]; do sleep 0.05; done"
    server.run(name, until_told, waitForCompletion=False, keepAlive=True)

    wait_until(lambda: server.sleeps(other))

    assert not server.sleeps(name)
    server.run(name, "touch /tmp/go")
    wait_until(lambda: server.sleeps(name))


def test_an_open_stream_keeps_it_awake(server, name, other):
    server.run(name, "sleep 30", waitForCompletion=False, name="quiet")

    with server.http.stream("GET", server.inside(name, "/process/quiet/logs/stream")):
        server.run(other, "true")
        wait_until(lambda: server.sleeps(other))
        assert not server.sleeps(name)

    wait_until(lambda: server.sleeps(name))


@pytest.fixture
def eager_server():
    """Sandboxes of this one fall asleep between almost any two requests."""
    running = Server(LOCAL_BLAXEL_STANDBY_AFTER="0.01")
    yield running
    running.clear_away()


@pytest.mark.exhaustive
def test_a_request_is_answered_however_the_sandbox_is_falling_asleep(eager_server):
    name = eager_server.create()
    url = eager_server.inside(name, "/process")
    body = {"command": "true", "waitForCompletion": True}

    answers = [
        # Not a wait: moments before, while and after it falls asleep.
        (time.sleep(n % 20 / 500), eager_server.http.post(url, json=body))[1]
        for n in range(40)
    ]

    assert {answer.json()["exitCode"] for answer in answers} == {0}


def test_a_sandbox_ends_by_its_ttl_and_its_name_is_free(sdk, server):
    sandbox = sdk.create({"name": new_name(), "ttl": "2s"})
    name = sandbox.metadata.name
    assert sandbox.expires_in <= 2

    wait_until(lambda: sdk.get(name).status == "TERMINATED")

    assert "expiresIn" not in server.get(name)
    assert server.http.get(server.inside(name, "/health")).status_code == 404
    assert sdk.create_if_not_exists({"name": name}).status == "DEPLOYED"


@pytest.mark.exhaustive
def test_steady_use_never_ends_a_sandbox_by_its_idle_ttl(server):
    policy = {"type": "ttl-idle", "value": "3s", "action": "delete"}
    name = server.create(lifecycle={"expirationPolicies": [policy]})
    ends, used = time.monotonic() + 4, set()

    while time.monotonic() < ends:
        used.add(server.http.get(server.inside(name, "/health")).status_code)
        time.sleep(0.2)

    assert used == {200}
    wait_until(lambda: server.get(name)["status"] == "TERMINATED")


def test_a_tombstone_goes_when_its_retention_is_over(server):
    name = server.create(lifecycle={"terminatedRetention": "1s"})

    server.http.delete(f"/v0/sandboxes/{name}")

    wait_until(lambda: server.http.get(f"/v0/sandboxes/{name}").status_code == 404)


def test_a_killed_server_finds_its_sandboxes_again_with_what_runs_in_them(own_server):
    name = own_server.create()
    own_server.run(name, COUNTER, waitForCompletion=False, keepAlive=True, name="counter")
    wait_until(lambda: own_server.run(name, "cat /blaxel/count")["stdout"])

    own_server.kill()
    own_server.start()

    process = own_server.http.get(own_server.inside(name, "/process/counter")).json()
    before = count(own_server, name)
    assert process["status"] == "running"
    wait_until(lambda: count(own_server, name) > before)


@pytest.mark.exhaustive
def test_a_log_has_no_gap_over_a_kill_of_the_server(own_server):
    name = own_server.create()
    command = "for n in $(seq 60); do echo $n; sleep 0.05; done"
    own_server.run(name, command, waitForCompletion=False, keepAlive=True, name="lines")

    own_server.kill()
    own_server.start()

    process = own_server.inside(name, "/process/lines")
    wait_until(lambda: own_server.http.get(process).json()["status"] == "completed")
    logs = own_server.http.get(f"{process}/logs").json()["logs"]
    assert logs.split() == [str(n) for n in range(1, 61)]


@pytest.mark.exhaustive
def test_a_sleeping_sandbox_sleeps_on_over_a_restart(own_server):
    name = own_server.create()
    wait_until(lambda: own_server.sleeps(name))

    own_server.kill()
    own_server.start()

    assert own_server.sleeps(name)
    assert own_server.run(name, "echo awake")["stdout"] == "awake\n"


@pytest.mark.exhaustive
def test_a_creation_that_a_kill_broke_off_is_finished(own_server):
    name = own_server.create()
    own_server.kill()
    with sqlite3.connect(own_server.state_dir / "local_blaxel.sqlite3") as store:
        half_made = "UPDATE sandboxes SET phase = 'DEPLOYING', instance = NULL WHERE name = ?"
        store.execute(half_made, (name,))
    store.close()

    own_server.start()

    wait_until(lambda: own_server.get(name)["status"] == "DEPLOYED")
    assert own_server.run(name, "echo here")["stdout"] == "here\n"
    wait_until(lambda: len(claimed(own_server)) == 1)


@pytest.mark.parametrize("seconds", moments(0.03, 0.0, 0.01, 0.1))
def test_a_kill_at_any_moment_of_a_creation_leaves_one_sandbox_or_none(own_server, seconds):
    def create():
        own_server.http.post("/v0/sandboxes", json={"metadata": {"name": "broken-off"}})

    with ThreadPoolExecutor(1) as pool:
        creation = pool.submit(create)
        time.sleep(seconds)
        own_server.kill()
        wait([creation])
    own_server.start()

    wait_until(lambda: own_server.statuses() in ([], ["DEPLOYED"]))
    wait_until(lambda: len(claimed(own_server)) == len(own_server.names()))


@pytest.mark.exhaustive
@pytest.mark.parametrize("seconds", moments(0.05, 0.0, 0.01, 0.2))
def test_a_deletion_that_a_kill_broke_off_is_finished(own_server, seconds):
    name = own_server.create()
    sleeps = unique_seconds()
    own_server.run(name, f"sleep {sleeps} & mkdir -p many && touch many/$(seq -s ' many/' 2000)")
    assert sleepers(sleeps)
    own_server.http.delete(f"/v0/sandboxes/{name}")
    time.sleep(seconds)
    own_server.kill()

    own_server.start()

    wait_until(lambda: own_server.get(name)["status"] == "TERMINATED")
    wait_until(lambda: claimed(own_server) == [])
    assert list(own_server.state_dir.glob("sandboxes/trash-*")) == []
    assert sleepers(sleeps) == []


@pytest.mark.exhaustive
def test_a_sandbox_nobody_remembers_is_stopped_at_the_start(own_server):
    own_server.create()
    own_server.kill()
    (own_server.state_dir / "local_blaxel.sqlite3").unlink()

    own_server.start()

    wait_until(lambda: claimed(own_server) == [])


def test_a_sandbox_whose_agent_was_killed_starts_again_with_its_files(server, name):
    server.run(name, "echo kept > /blaxel/kept")
    kill_agents(server.state_dir / "sandboxes")

    def is_started_again():
        server.http.get(server.inside(name, "/health"))
        return "agent" in server.get(name)["events"][-1]["message"]

    wait_until(is_started_again)
    assert server.run(name, "cat /blaxel/kept")["stdout"] == "kept\n"


@pytest.mark.exhaustive
def test_sigterm_ends_the_server_at_once_with_streams_open_and_without_a_traceback(own_server):
    name = own_server.create()
    own_server.run(name, "sleep 600", waitForCompletion=False, name="quiet")
    stream = own_server.http.stream("GET", own_server.inside(name, "/process/quiet/logs/stream"))

    with stream:
        # It waits for the end, which the stream would hold up for longer.
        said = own_server.end_by(signal.SIGTERM)

    assert own_server.process.returncode == 0
    assert "Traceback" not in said
    own_server.start()
    assert own_server.run(name, "echo still here")["stdout"] == "still here\n"
