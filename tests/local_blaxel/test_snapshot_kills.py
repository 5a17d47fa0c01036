"""A server that is killed in the middle of a restore, fork, archive or unarchive."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import httpx
import pytest

from tests.support.waiting import wait_until

FILES = 1000
# For a machine that has other work.
TIMEOUT = 60.0
# When the server is killed, in seconds after it was asked.
MOMENTS = [0.05, pytest.param(0.3, marks=pytest.mark.exhaustive)]


@pytest.fixture
def name(own_server):
    """A sandbox with many files, each of which says before."""
    made = own_server.create()
    write(own_server, made, "before")
    return made


def write(server, name, text):
    files = f"/blaxel/many/{{1..{FILES}}}"
    command = f"mkdir -p /blaxel/many; echo {text} | tee {files} > /dev/null"
    assert server.run(name, f"bash -c '{command}'")["exitCode"] == 0


def read(server, name):
    """The contents of all files, and their number."""
    told = server.run(name, "cat /blaxel/many/* | sort | uniq -c")["stdout"]
    return " ".join(told.split())


def broken_off(server, seconds, path, **body):
    """Kill the server so long after it was asked for something, and start it again."""

    def ask():
        with suppress(httpx.TransportError):
            server.http.post(path, json=body)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        time.sleep(seconds)
        server.kill()
        wait([asked])
    server.start()


def settled(server, name):
    """Its status, once that is one that lasts."""
    lasting = {"DEPLOYED", "ARCHIVED", None}
    return wait_until(lambda: {server.get(name).get("status")} & lasting, TIMEOUT).pop()


def taken_out(server, name):
    """Bring it back, should it have been archived."""
    if settled(server, name) == "ARCHIVED":
        server.http.post(f"/v0/sandboxes/{name}/unarchive")
    wait_until(lambda: server.get(name)["status"] == "DEPLOYED", TIMEOUT)


def nothing_is_left_over(server, snapshots=()):
    """No half-made copy of files, and no sandbox that nobody knows."""
    kept = server.state_dir / "sandboxes" / "kept"
    wait_until(lambda: sorted(path.name for path in kept.glob("*")) == sorted(snapshots))
    homes = "sandboxes/*/disk/files/home"
    wait_until(lambda: len(list(server.state_dir.glob(homes))) >= len(server.names()))
    return list(server.state_dir.glob("sandboxes/*/disk/files.*")) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seconds", MOMENTS)
def test_a_restore_leaves_the_old_files_or_the_new(own_server, name, seconds):
    path = f"/v0/sandboxes/{name}/snapshots"
    snapshot = own_server.http.post(path, json={"name": "kept"}).json()["id"]
    write(own_server, name, "after")

    broken_off(own_server, seconds, f"{path}/{snapshot}/restore")

    assert settled(own_server, name) == "DEPLOYED"
    assert read(own_server, name) in (f"{FILES} before", f"{FILES} after")
    assert nothing_is_left_over(own_server, [snapshot])
    own_server.http.delete(f"/v0/snapshots/{snapshot}")


@pytest.mark.parametrize("seconds", MOMENTS)
@pytest.mark.exhaustive
def test_a_fork_is_whole_or_not_there(own_server, name, seconds):
    # No other test's: one that was deleted is TERMINATED, not unknown.
    fork = f"{name}-fork"
    broken_off(own_server, seconds, f"/v0/sandboxes/{name}/fork", targetName=fork)

    settled(own_server, fork)
    assert {read(own_server, each) for each in own_server.names()} == {f"{FILES} before"}
    assert nothing_is_left_over(own_server)


@pytest.mark.parametrize("seconds", MOMENTS)
@pytest.mark.exhaustive
def test_an_archive_is_finished_or_never_began(own_server, name, seconds):
    broken_off(own_server, seconds, f"/v0/sandboxes/{name}/archive")

    taken_out(own_server, name)
    assert read(own_server, name) == f"{FILES} before"
    assert nothing_is_left_over(own_server)


@pytest.mark.parametrize("seconds", MOMENTS)
@pytest.mark.exhaustive
def test_an_unarchive_is_finished_or_never_began(own_server, name, seconds):
    own_server.http.post(f"/v0/sandboxes/{name}/archive")
    wait_until(lambda: own_server.get(name)["status"] == "ARCHIVED")

    broken_off(own_server, seconds, f"/v0/sandboxes/{name}/unarchive")

    taken_out(own_server, name)
    assert read(own_server, name) == f"{FILES} before"
    assert nothing_is_left_over(own_server)
