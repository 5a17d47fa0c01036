import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import wait_until

LATER = {"type": "sleep", "value": "1h", "input": {"command": "true"}}


@pytest.fixture(scope="module")
def unchanged(server):
    """A sandbox for what is refused."""
    made = server.create()
    yield made
    server.http.delete(f"/v0/sandboxes/{made}")


@pytest.fixture
def schedules(sdk, name):
    return sdk.get(name).schedules


def post(server, name, **schedule):
    return server.http.post(f"/v0/sandboxes/{name}/schedules", json={**LATER, **schedule})


def test_the_sdk_creates_reads_replaces_and_deletes_a_schedule(schedules):
    cron = {"type": "cron", "value": "0 8 * * 1-5", "input": {"command": "python report.py"}}

    made = schedules.create(cron)
    schedules.update(made.id, {**cron, "value": "*/5 * * * *"})
    read = schedules.get(made.id)
    deleted = schedules.delete(made.id)

    assert (made.type_, made.value, made.sandbox) == ("cron", "0 8 * * 1-5", schedules.sandbox_name)
    assert (made.input_.timeout, made.input_.keep_alive, made.max_executions) == (600, True, 100)
    assert (read.value, read.created_at) == ("*/5 * * * *", made.created_at)
    assert deleted.id == made.id
    assert schedules.list().data == []


def test_a_sleep_is_answered_as_the_moment_it_ends(schedules):
    made = schedules.create(LATER)

    ends_at = datetime.fromisoformat(made.value)
    assert made.type_ == "at"
    assert abs(ends_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)


def test_a_one_off_wakes_the_sandbox_runs_and_deletes_itself(server, schedules):
    name = schedules.sandbox_name
    wait_until(lambda: server.sleeps(name))
    command = "echo $GREETING from $PWD > /blaxel/fired"
    wanted = {"command": command, "workingDir": "/tmp", "env": {"GREETING": "hi"}, "name": "once"}

    made = schedules.create({"type": "sleep", "value": "1s", "input": wanted})
    execution = wait_until(lambda: schedules.executions().data)[0]
    wait_until(lambda: schedules.executions().data[0].status == "succeeded")

    ran = schedules.executions().data[0]
    assert (ran.schedule_id, ran.sandbox, ran.id) == (made.id, name, execution.id)
    assert (ran.process_name, ran.status_code, ran.timeout) == ("once", 200, 600)
    assert server.run(name, "cat /blaxel/fired")["stdout"] == "hi from /tmp\n"
    assert schedules.list().data == []


def test_a_moment_that_has_passed_fires_at_once(server, schedules):
    schedules.create({"type": "at", "value": "2020-01-01T00:00:00Z", "input": {"command": "true"}})

    wait_until(lambda: schedules.executions().data)


def test_a_process_that_can_not_be_started_is_a_failed_execution(schedules):
    wanted = {"command": "true", "workingDir": "/nowhere"}

    schedules.create({"type": "sleep", "value": "1s", "input": wanted})

    ran = wait_until(lambda: [e for e in schedules.executions().data if e.status_code])[0]
    assert (ran.status, ran.status_code) == ("failed", 422)
    assert "/nowhere" in ran.error


def test_values_of_the_environment_are_masked_and_a_mask_sent_back_keeps_them(server, schedules):
    wanted = {"command": "true", "env": {"KEY": "s3cret"}}
    made = schedules.create({"type": "cron", "value": "* * * * *", "input": wanted})
    url = f"/v0/sandboxes/{schedules.sandbox_name}/schedules/{made.id}"

    schedules.update(made.id, schedules.get(made.id))

    assert schedules.get(made.id).input_.env["KEY"] == "****"
    assert "s3cret" not in server.http.get("/v0/schedules").text
    shown = server.http.get(url, params={"show_secrets": "true"}).json()
    assert shown["input"]["env"] == {"KEY": "s3cret"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "daily"}, "type"),
        ({"type": None}, "type"),
        ({"type": "cron", "value": "* * * *"}, "value"),
        ({"type": "cron", "value": "0 0 30 2 *"}, "value"),
        ({"type": "at", "value": "tomorrow"}, "value"),
        ({"value": "soon"}, "value"),
        ({"value": 5}, "value"),
        ({"input": None}, "input"),
        ({"input": {"command": " "}}, "input.command"),
        ({"input": {"command": "true", "timeout": -1}}, "input.timeout"),
        ({"input": {"command": "true", "env": {"A": 1}}}, "input.env.A"),
        ({"input": {"command": "true", "env": {"A": "****"}}}, "input.env.A"),
        ({"maxExecutions": 0}, "maxExecutions"),
        ({"id": "../x"}, "id"),
    ],
)
def test_a_wrong_field_of_a_schedule_is_named(server, unchanged, wrong, field):
    refused = post(server, unchanged, **wrong)

    assert refused.status_code == 400
    assert refused.json()["message"].startswith(field)


def test_a_hundred_schedules_are_the_most_and_pages_join(server, schedules):
    name = schedules.sandbox_name
    made = [post(server, name).json()["id"] for _ in range(100)]

    refused = post(server, name)
    first = schedules.list(limit=60)

    assert (refused.status_code, refused.json()["error"]) == (403, "QUOTA_EXCEEDED")
    listed = [entry.id for entry in first.auto_paging_iter()]
    assert listed == made[::-1]
    assert len(schedules.list(type_="cron").data) == 0


def test_what_is_not_there_is_a_404_and_an_id_that_is_taken_a_409(server, name):
    assert post(server, name, id="mine").status_code == 200
    assert post(server, name, id="mine").status_code == 409
    assert post(server, "nobody-has-this").status_code == 404
    assert server.http.get(f"/v0/sandboxes/{name}/schedules/none").status_code == 404


def test_the_workspace_lists_all_schedules_and_counts_their_executions(sdk, server, schedules):
    from blaxel.core.client.api.compute import (
        get_sandbox_schedule_metrics,
        list_schedule_executions,
        list_schedules,
    )
    from blaxel.core.client.client import client

    name = schedules.sandbox_name
    post(server, name, id="soon", value="1s")
    post(server, name, id="later")
    wait_until(lambda: schedules.executions().data)

    every = list_schedules.sync(client=client, q="later")
    ran = list_schedule_executions.sync(client=client, sandbox=name, schedule="soon")
    metrics = get_sandbox_schedule_metrics.sync(
        client=client, since=datetime.now(UTC) - timedelta(hours=1), until=datetime.now(UTC)
    )
    nothing_yet = get_sandbox_schedule_metrics.sync(
        client=client, until=datetime.now(UTC) - timedelta(hours=1)
    )

    assert (name, "later") in [(entry.sandbox, entry.id) for entry in every.data]
    assert [execution.schedule_id for execution in ran.data] == ["soon"]
    assert metrics.executions >= 1
    assert metrics.schedules >= metrics.sandboxes >= 1
    assert nothing_yet.executions == 0
    assert server.http.get("/v0/schedule-executions?status=odd").status_code == 400


def test_schedules_go_with_their_sandbox(server, name):
    post(server, name, id="mine")

    server.delete(name)

    assert name not in server.http.get("/v0/schedules").text
    server.create(name)
    assert server.http.get(f"/v0/sandboxes/{name}/schedules").json()["data"] == []


@pytest.mark.exhaustive
def test_a_schedule_survives_a_kill_and_fires_late_once_but_not_twice(own_server):
    name = own_server.create()
    post(own_server, name, id="once", input={"command": "echo 1 >> /blaxel/fired"})
    cron = {"command": "echo 2 >> /blaxel/fired"}
    post(own_server, name, id="again", type="cron", value="0 0 1 1 *", input=cron)
    own_server.kill()
    with sqlite3.connect(own_server.state_dir / "local_blaxel.sqlite3") as store:
        store.execute("UPDATE records SET due_at = 1 WHERE id IN ('once', 'again')")
    store.close()

    own_server.start()

    url = f"/v0/sandboxes/{name}"
    wait_until(lambda: len(own_server.http.get(f"{url}/schedule-executions").json()["data"]) == 2)
    wait_until(lambda: own_server.run(name, "sort /blaxel/fired")["stdout"] == "1\n2\n")
    left = own_server.http.get(f"{url}/schedules").json()["data"]
    assert [schedule["id"] for schedule in left] == ["again"]


async def test_the_asynchronous_sdk_schedules_too(async_box):
    made = await async_box.schedules.create(LATER)

    assert [each.id for each in (await async_box.schedules.list()).data] == [made.id]
