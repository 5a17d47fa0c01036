"""Every call of an agent is put down."""

import json
import threading

import pytest
from django.db import OperationalError

from accounts import tokens
from manta.core.metrics import LOST_TOOL_CALLS
from sandboxes.mcp import call_log
from sandboxes.mcp.call_log import Outcome, ToolCallLog
from sandboxes.models import Action, SandboxEvent, ToolCall
from tests.support.factories import make_token
from tests.support.waiting import wait_until


def test_each_call_is_put_down_with_what_became_of_it(made, as_agent):
    async def work(client):
        await client.call_tool("fsWriteFile", {"path": "/blaxel/new", "content": "x" * 5000})
        await client.call_tool("fsReadFile", {"path": "/blaxel/not-there"})
        run = {"command": "true", "env": {"KEY": "hunter2hunter2"}, "waitForCompletion": True}
        await client.call_tool("processExecute", run)
        await client.call_tool("sandboxStatus", {})

    as_agent(made.owner, work)

    assert wait_until(lambda: ToolCall.objects.count() == 4)
    wrote, read, ran, status = ToolCall.objects.order_by("pk")
    assert (wrote.tool, wrote.outcome, wrote.changed) == ("fsWriteFile", "ok", "/blaxel/new")
    assert "5,000 characters" in wrote.arguments
    assert (read.outcome, read.changed) == ("error", "")
    assert (ran.outcome, ran.changed) == ("ok", "")
    assert "hunter2" not in ran.arguments
    assert (status.agent_name, status.agent_kind) == ("laptop", "token")
    assert {call.owner for call in (wrote, read, ran, status)} == {made.owner}
    assert {call.sandbox_name for call in (wrote, status)} == {made.name}
    assert len({call.request_id for call in (wrote, read, ran, status)}) == 4


def test_what_an_agent_does_is_recorded_with_its_request_and_its_address(made, as_agent):
    as_agent(made.owner, lambda client: client.call_tool("sandboxExtend", {}))

    call = wait_until(lambda: ToolCall.objects.first())
    event = SandboxEvent.objects.get(action=Action.EXTENDED)
    assert (event.request_id, event.ip) == (call.request_id, "127.0.0.1")


@pytest.fixture
def grant(transactional_db, alice):
    return tokens.verify(make_token(alice, "mcp"))


@pytest.fixture
def running():
    running = ToolCallLog()
    running.start()
    yield running
    running.stop()


def record(running, grant, tool="sandboxStatus"):
    with running.recording(grant, tool, {}) as call:
        call.ended(Outcome.OK)


def test_what_was_broken_off_is_put_down_too(running, grant):
    with pytest.raises(KeyboardInterrupt), running.recording(grant, "processExecute", {}):
        raise KeyboardInterrupt

    running.stop()

    assert ToolCall.objects.get().code == "broken_off"


def test_the_end_writes_what_still_waits(running, grant):
    threads = [threading.Thread(target=record, args=(running, grant)) for _ in range(50)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    running.stop()

    assert ToolCall.objects.count() == 50


def test_secrets_are_looked_for_outside_the_thread_that_calls(running, grant, monkeypatch):
    looked_in = []

    def written(arguments):
        looked_in.append(threading.current_thread().name)
        return "{}"

    monkeypatch.setattr(call_log, "written", written)
    record(running, grant)
    running.stop()

    assert looked_in == ["tool-calls"]


def test_a_database_that_is_away_loses_none(running, grant, monkeypatch):
    def away(calls):
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(ToolCall.objects, "bulk_create", away)
        record(running, grant)
        assert wait_until(running._waiting.empty)

    assert wait_until(ToolCall.objects.exists)


def test_an_account_that_is_gone_keeps_nobody_elses_call_back(running, grant, bob):
    record(running, tokens.verify(make_token(bob, "mcp")))
    record(running, grant)
    bob.delete()

    running.stop()

    assert ToolCall.objects.get().owner == grant.user


def test_more_than_can_wait_is_counted_as_lost(grant, monkeypatch):
    monkeypatch.setattr(call_log, "_MAX_WAITING", 2)
    stopped = ToolCallLog()
    before = LOST_TOOL_CALLS._value.get()

    [record(stopped, grant) for _ in range(5)]

    assert LOST_TOOL_CALLS._value.get() == before + 3


def test_a_tools_name_that_no_database_takes(running, grant):
    record(running, grant, "x\0\ud800" * 200)

    running.stop()

    assert json.loads(ToolCall.objects.get().arguments) == {}
