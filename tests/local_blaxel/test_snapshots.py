import pytest

from tests.support.local_blaxel import new_name
from tests.support.waiting import wait_until


@pytest.fixture
def box(sdk, name):
    return sdk.get(name)


@pytest.fixture
def forked(server):
    """The name for a fork, which is deleted after the test."""
    name = new_name()
    yield name
    server.http.delete(f"/v0/sandboxes/{name}")


def test_a_snapshot_brings_the_files_back_and_what_came_later_is_gone(server, box):
    name = box.metadata.name
    server.run(name, "echo first > /blaxel/file")
    snapshot = box.snapshots.create("before")
    server.run(name, "echo second > /blaxel/file; touch /blaxel/later; sleep 60 & disown")

    restored = box.snapshots.restore("before")

    assert (restored.name, restored.snapshot_id) == (name, snapshot.id)
    assert server.run(name, "cat /blaxel/file; ls /blaxel")["stdout"] == "first\nfile\n"
    assert server.get(name)["events"][-1]["message"] == "Restored before"


def test_taking_a_snapshot_leaves_processes_running(server, box):
    name = box.metadata.name
    server.run(name, "sleep 60", name="sleeper", waitForCompletion=False)

    box.snapshots.create()

    process = server.http.get(server.inside(name, "/process/sleeper")).json()
    assert process["status"] == "running"


def test_the_sdk_lists_finds_and_deletes_snapshots(sdk, box):
    from blaxel.core import SyncSnapshot

    made = box.snapshots.create("one")
    nested, found = box.snapshots.list(), SyncSnapshot.get(made.id)
    everywhere = [snapshot.id for snapshot in SyncSnapshot.list()]
    box.snapshots.delete("one")

    assert [(each.id, each.name, each.status) for each in nested] == [(made.id, "one", "READY")]
    assert found.snapshot.source.name == box.metadata.name
    assert found.snapshot.spec.image == "blaxel/base-image:latest"
    assert made.id in everywhere
    assert box.snapshots.list() == []


def test_a_snapshot_outlives_its_sandbox_and_is_forked(server, box, forked):
    name = box.metadata.name
    server.run(name, "echo kept > /blaxel/file")
    snapshot = box.snapshots.create("kept")
    server.delete(name)

    answer = server.http.post(f"/v0/snapshots/{snapshot.id}/fork", json={"targetName": forked})

    assert answer.json() == {"name": forked, "snapshotId": snapshot.id, "type": "sandbox"}
    assert server.run(forked, "cat /blaxel/file")["stdout"] == "kept\n"
    assert server.http.get(f"/v0/snapshots/{snapshot.id}").json()["source"]["deleted"]


def test_a_fork_has_the_files_and_settings_of_now_and_its_own_life(sdk, server, forked):
    envs = [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}]
    source = sdk.create({"name": new_name(), "envs": envs, "memory": 1024, "ttl": "1h"})
    server.run(source.metadata.name, "echo here > /blaxel/file")

    fork = source.fork(forked, envs=[{"name": "B", "value": "2"}])
    server.run(forked, "echo changed > /blaxel/file")

    record = server.get(forked)
    assert (fork.name, fork.type_) == (forked, "sandbox")
    assert record["spec"]["runtime"]["memory"] == 1024
    assert record["expiresIn"] <= 3600
    assert server.run(forked, "echo $A $B")["stdout"] == "1 2\n"
    assert server.run(source.metadata.name, "cat /blaxel/file")["stdout"] == "here\n"
    wait_until(lambda: not list(server.state_dir.glob("sandboxes/kept/fork-*")))


def test_a_fork_has_exactly_the_files_whatever_was_made_of_the_home(server, name, forked):
    server.run(name, "rm -rf /blaxel/.venv && ln -s /tmp /blaxel/.venv && mkdir /blaxel/empty")

    answer = server.http.post(f"/v0/sandboxes/{name}/fork", json={"targetName": forked})

    assert answer.status_code == 200
    assert server.run(forked, "readlink .venv; ls")["stdout"] == "/tmp\nempty\n"


def test_a_fork_is_refused_by_field(server, name):
    def fork(**body):
        return server.http.post(f"/v0/sandboxes/{name}/fork", json=body)

    answers = [
        fork(targetName="Not A Name"),
        fork(targetName=new_name(), targetType="application"),
        fork(targetName=new_name(), snapshotId="nobody-has-this"),
        fork(targetName=name),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 404, 409]
    assert [answer.json()["code"] for answer in answers] == [400, 400, 404, 409]
    assert "targetName" in answers[0].json()["message"]


def test_a_name_is_used_once_and_what_is_not_there_is_a_404(server, name):
    url = f"/v0/sandboxes/{name}/snapshots"
    source = {"source": {"kind": "sandbox", "name": name}}

    assert server.http.post(url, json={"name": "one"}).status_code == 200
    assert server.http.post(url, json={"name": "one"}).status_code == 409
    assert server.http.post("/v0/snapshots", json={**source, "name": "two"}).status_code == 200
    assert server.http.post("/v0/snapshots", json={"name": "three"}).status_code == 400
    assert server.http.post(f"{url}/nobody/restore").status_code == 404
    assert server.http.delete("/v0/snapshots/nobody").status_code == 404
    assert server.http.delete(f"{url}/two").status_code == 204
    listed = server.http.get("/v0/snapshots", params={"q": "one", "limit": 1}).json()
    assert len(listed["data"]) == 1


def test_an_archive_keeps_the_files_without_a_process_and_comes_back(server, box):
    name = box.metadata.name
    server.run(name, "echo kept > /blaxel/file")

    archived = box.archive(interval=100).status
    asked = server.http.get(server.inside(name, "/health"))
    second = server.http.post(f"/v0/sandboxes/{name}/archive")
    deployed = box.unarchive(interval=100)

    assert (archived, deployed.status) == ("ARCHIVED", "DEPLOYED")
    assert (asked.status_code, second.status_code) == (404, 409)
    assert asked.json()["error"]["code"] == "WORKLOAD_UNAVAILABLE"
    assert server.run(name, "cat /blaxel/file")["stdout"] == "kept\n"
    assert "archive" not in server.get(name)


def test_an_archived_sandbox_is_deleted_with_its_files(server, name):
    server.http.post(f"/v0/sandboxes/{name}/archive").raise_for_status()
    wait_until(lambda: server.get(name)["status"] == "ARCHIVED")
    key = server.get(name)["archive"]["key"]

    server.delete(name)

    assert not (server.state_dir / "sandboxes" / "kept" / key).exists()


@pytest.mark.exhaustive
def test_an_archive_survives_a_kill_and_one_that_was_broken_off_is_finished(own_server):
    name = own_server.create()
    own_server.run(name, "echo kept > /blaxel/file")
    own_server.http.post(f"/v0/sandboxes/{name}/archive")
    own_server.kill()

    own_server.start()
    wait_until(lambda: own_server.get(name)["status"] == "ARCHIVED")
    own_server.http.post(f"/v0/sandboxes/{name}/unarchive")
    own_server.kill()
    own_server.start()

    wait_until(lambda: own_server.get(name)["status"] == "DEPLOYED")
    assert own_server.run(name, "cat /blaxel/file")["stdout"] == "kept\n"
