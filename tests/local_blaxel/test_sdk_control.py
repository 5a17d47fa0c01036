"""The control plane through both of the SDK's classes."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.local_blaxel import new_name
from tests.support.sdk_classes import now, one_class

LATER = {"type": "sleep", "value": "1h", "input": {"command": "true"}}


@pytest.fixture
def made(server):
    """A name for a sandbox, which is deleted after the test."""
    name = new_name()
    yield name
    server.http.delete(f"/v0/sandboxes/{name}")


async def test_a_sandbox_is_created_found_listed_and_deleted(sandboxes, made):
    wanted = {
        "name": made,
        "memory": 1024,
        "labels": {"team": "red"},
        "envs": [{"name": "A", "value": "b"}],
        "ports": [{"target": 3000}],
        "ttl": "1h",
        "lifecycle": {"expirationPolicies": [{"type": "ttl-idle", "value": "30m"}]},
        "network": {"allowedDomains": ["example.com"]},
    }

    await now(sandboxes.create(wanted))

    found = await now(sandboxes.get(made))
    page = await now(sandboxes.list(limit=1))
    more = await now(sandboxes.list(limit=200))
    deleted = await now(sandboxes.delete(made))
    assert (found.spec.runtime.memory, found.spec.runtime.ttl) == (1024, "1h")
    assert found.metadata.labels["team"] == "red"
    assert found.sandbox.state == "RUNNING"
    assert 0 < found.expires_in <= 1800
    assert len(page.data) == 1
    assert made in [each.metadata.name for each in more.data]
    assert deleted.status == "DELETING"


async def test_pages_of_a_list_follow_one_another(sandboxes, made, name):
    await now(sandboxes.create({"name": made}))

    first = await now(sandboxes.list(limit=1))
    second = await now(first.next_page())

    assert first.has_more
    assert first.data[0].metadata.name != second.data[0].metadata.name


async def test_create_if_not_exists_finds_what_is_there(sandboxes, name):
    first = await now(sandboxes.create_if_not_exists({"name": name}))
    again = await now(sandboxes.create_if_not_exists({"name": name}))

    assert first.metadata.created_at == again.metadata.created_at


async def test_errors_say_what_they_are(sandboxes, name):
    from blaxel.core.errors import BlaxelError

    with pytest.raises(BlaxelError) as taken:
        await now(sandboxes.create({"name": name}))
    with pytest.raises(BlaxelError) as wrong:
        await now(sandboxes.create({"name": "Upper_Case"}))
    with pytest.raises(BlaxelError) as missing:
        await now(sandboxes.get("not-there"))

    told = [(each.value.status, each.value.code) for each in (taken, wrong, missing)]
    assert told == [
        (409, "SANDBOX_ALREADY_EXISTS"),
        (400, "VALIDATION_ERROR"),
        (404, "NOT_FOUND"),
    ]
    assert not any(each.value.retryable for each in (taken, wrong, missing))


async def test_what_may_change_is_updated_without_a_restart(sandboxes, either, server, name):
    from blaxel.core.client.models import SandboxLifecycle
    from blaxel.core.sandbox.types import SandboxUpdateMetadata, SandboxUpdateNetwork

    server.run(name, "touch /tmp/kept")

    await now(sandboxes.update_metadata(name, SandboxUpdateMetadata(labels={"team": "blue"})))
    await now(sandboxes.update_ttl(name, "2h"))
    policies = [{"type": "ttl-idle", "value": "1h", "action": "delete"}]
    lifecycle = SandboxLifecycle.from_dict({"expirationPolicies": policies})
    await now(sandboxes.update_lifecycle(name, lifecycle))
    wanted = SandboxUpdateNetwork(network={"allowedDomains": ["example.com"]})
    await now(sandboxes.update_network(name, wanted))

    record = server.get(name)
    assert record["metadata"]["labels"] == {"team": "blue"}
    assert record["spec"]["runtime"]["ttl"] == "2h"
    assert record["spec"]["lifecycle"]["expirationPolicies"][0]["value"] == "1h"
    assert record["spec"]["network"]["allowedDomains"] == ["example.com"]
    assert server.run(name, "ls /tmp")["stdout"] == "kept\n"


async def test_previews_and_their_tokens_are_made_found_and_deleted(either):
    previews = either.previews

    made = await now(previews.create_if_not_exists({"port": 3000, "name": "one"}))
    again = await now(previews.create_if_not_exists({"port": 3000, "name": "one"}))
    token = await now(made.tokens.create(datetime.now(UTC) + timedelta(hours=3)))
    reused = await now(made.tokens.create_if_expired())
    tokens = await now(made.tokens.list())
    await now(made.tokens.delete(token.name))
    listed = await now(previews.list())
    found = await now(previews.get("one"))
    await now(previews.delete("one"))

    assert made.url == again.url == found.url
    assert (reused.value, [each.value for each in tokens]) == (token.value, [token.value])
    assert [each.name for each in listed] == ["one"]
    assert httpx.get(made.url, trust_env=False).status_code == 404


async def test_a_session_opens_the_sandbox_until_it_is_deleted(sandboxes, either):
    expires_at = {"expires_at": datetime.now(UTC) + timedelta(hours=3)}

    made = await now(either.sessions.create(expires_at))
    reused = await now(either.sessions.create_if_expired(expires_at))
    guest = await now(sandboxes.from_session(made))
    await now(guest.fs.write("/blaxel/from-guest", "hello"))
    token = await now(either.sessions.get_token(made.name))
    listed = await now(either.sessions.list())
    found = await now(either.sessions.get(made.name))
    await now(either.sessions.delete(made.name))

    assert reused.token == made.token == found.token == token.spec.token
    assert [each.name for each in listed] == [made.name]
    assert await now(either.fs.read("/blaxel/from-guest")) == "hello"
    assert await now(either.sessions.list()) == []


@one_class
async def test_schedules_are_made_changed_fired_and_deleted(either):
    schedules = either.schedules

    later = await now(schedules.create(LATER))
    await now(schedules.update(later.id, {**LATER, "value": "2h"}))
    soon = await now(schedules.create({**LATER, "value": "1s"}))
    found = await now(schedules.get(later.id))
    listed = await now(schedules.list())
    await now(schedules.delete(later.id))

    assert {each.id for each in listed.data} == {later.id, soon.id}
    assert found.value > later.value
    ran = await first_success(schedules)
    assert ran.schedule_id == soon.id


async def first_success(schedules):
    async with asyncio.timeout(60):
        while True:
            for execution in (await now(schedules.executions())).data:
                if execution.status == "succeeded":
                    return execution
            await asyncio.sleep(0.1)


async def test_snapshots_are_taken_restored_forked_and_deleted(either, server, name, made):
    server.run(name, "echo first > /blaxel/file")
    snapshot = await now(either.snapshots.create("before"))
    older = await now(either.snapshot("older"))
    server.run(name, "echo second > /blaxel/file")

    forked = await now(either.fork(made))
    restored = await now(either.snapshots.restore("before"))

    assert (forked.name, restored.name) == (made, name)
    assert server.run(made, "cat /blaxel/file")["stdout"] == "second\n"
    assert server.run(name, "cat /blaxel/file")["stdout"] == "first\n"
    assert {each.name for each in await now(either.snapshots.list())} == {"before", "older"}
    assert (await now(either.snapshots.get("before"))).name == "before"
    await now(either.snapshots.delete("before"))
    await now(either.restore(older.id))
    await now(either.delete_snapshot(older.id))
    assert await now(either.list_snapshots()) == []
    assert snapshot.name == "before"


async def test_an_archive_is_waited_for_and_brought_back(either):
    await now(either.fs.write("/blaxel/file", "kept"))

    archived = await now(either.archive(interval=100))
    status = archived.status
    back = await now(either.unarchive(interval=100))

    assert (status, back.status) == ("ARCHIVED", "DEPLOYED")
    assert await now(either.fs.read("/blaxel/file")) == "kept"


@one_class
async def test_volumes_are_made_grown_attached_and_deleted(sandboxes, server, made):
    from blaxel import core

    volumes = getattr(core, sandboxes.__name__.replace("Sandbox", "Volume"))
    wanted = {"name": new_name(), "size": 100, "region": "us-pdx-1"}

    volume = await now(volumes.create(wanted))
    again = await now(volumes.create_if_not_exists(wanted))
    grown = await now(volumes.update(volume.name, {"size": 200}))
    attached = [{"name": volume.name, "mount_path": "/data", "read_only": False}]
    await now(sandboxes.create({"name": made, "volumes": attached}))
    found = await now(volumes.get(volume.name))
    listed = await now(volumes.list())
    wrote = server.run(made, "touch /data/x")
    server.delete(made)
    await now(volumes.delete(volume.name))

    assert (again.name, grown.size) == (volume.name, 200)
    assert found.volume.state.attached_to == f"sandbox:{made}"
    assert volume.name in [each.name for each in listed.data]
    assert wrote["exitCode"] == 0
    assert server.http.get(f"/v0/volumes/{volume.name}").status_code == 404


@one_class
async def test_a_drive_is_refused_with_the_reason(sandboxes):
    from blaxel import core
    from blaxel.core.errors import BlaxelError

    drives = getattr(core, sandboxes.__name__.replace("Sandbox", "Drive"))

    with pytest.raises(BlaxelError) as refused:
        await now(drives.create({"name": "drive", "region": "us-pdx-1"}))

    assert refused.value.status == 501
    assert refused.value.body["error"] == "NOT_SUPPORTED"


async def test_code_runs_in_contexts_of_a_code_interpreter(sandboxes, made):
    from blaxel.core import sandbox as parts

    interpreters = getattr(parts, sandboxes.__name__.replace("SandboxInstance", "CodeInterpreter"))

    interpreter = await now(interpreters.create({"name": made}, safe=False))
    context = await now(interpreter.create_code_context())
    await now(interpreter.run_code("x = 20", context=context))
    ran = await now(interpreter.run_code("x + 1", context=context))

    assert [result.text for result in ran.results] == ["21"]


@pytest.fixture
def stuck_server(sdk, registryless_server):
    """The SDK, pointed at a server whose first use of an image takes long."""
    from blaxel.core.client.client import client

    client.with_base_url(f"{registryless_server.url}/v0")
    return registryless_server


@one_class
@pytest.mark.exhaustive
async def test_a_creation_past_its_timeout_is_an_error_of_its_own(sandboxes, stuck_server, made):
    from blaxel.core.sandbox.default.sandbox import SandboxCreationTimeoutError

    hub = stuck_server.http.get("/v0/sandbox/hub").json()
    # An image that no other test asks this server for: nothing of it is under way.
    if "nextjs" not in [entry["name"] for entry in hub]:
        pytest.skip("there is no npm on this machine")

    with pytest.raises(SandboxCreationTimeoutError) as late:
        await now(sandboxes.create({"name": made, "image": "blaxel/nextjs:latest"}, timeout=1))

    assert (late.value.status, late.value.code) == (408, "CREATION_TIMEOUT")
    assert made not in stuck_server.names()
