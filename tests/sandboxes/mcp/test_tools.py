"""An agent with a personal token, at a real sandbox."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from mcp.shared.exceptions import MCPError

from accounts.models import PersonalToken
from sandboxes import data_plane
from sandboxes.mcp.endpoint import PATH
from sandboxes.mcp.tools import TOOLS
from sandboxes.models import Sandbox, SandboxEvent
from sandboxes.reconciler.reconcile import reconcile
from tests.settings import CANARY_KEY
from tests.support.factories import SandboxFactory, pending
from tests.support.waiting import wait_until
from tests.support.web_process import Web

SANDBOXES_OWN = {"processExecute", "fsReadFile", "fsWriteFile", "codegenGrepSearch"}


def output(result):
    assert not result.is_error, result.content
    return result.structured_content or json.loads(result.content[0].text)


def test_an_agent_is_offered_the_sandboxes_tools_and_mantas(made, as_agent):
    async def tools(client):
        return (await client.list_tools()).tools

    offered = {tool.name: tool for tool in as_agent(made.owner, tools)}

    assert offered.keys() >= SANDBOXES_OWN | TOOLS.keys()
    assert "command" in offered["processExecute"].input_schema["properties"]
    arguments = {name for tool in offered.values() for name in tool.input_schema["properties"]}
    assert not any("sandbox" in name.lower() for name in arguments)


def test_it_writes_and_runs_and_reads(made, as_agent, provider):
    async def work(client):
        await client.call_tool("fsWriteFile", {"path": "/blaxel/hello", "content": "Hello!"})
        run = {"command": "cat /blaxel/hello", "waitForCompletion": True}
        return await client.call_tool("processExecute", run)

    assert output(as_agent(made.owner, work))["logs"].strip() == "Hello!"
    read = provider.server.inside(made.name, "/filesystem//blaxel/hello")
    assert provider.server.http.get(read).json()["content"] == "Hello!"


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["web/front end", ".", "..", "1234", "logs", "a" * 65])
def test_a_process_is_not_given_a_name_that_no_address_can_have(made, as_agent, name):
    async def run(client):
        return await client.call_tool("processExecute", {"command": "sleep 60", "name": name})

    result = as_agent(made.owner, run)

    assert result.is_error
    assert "process_refused" in result.content[0].text
    assert name not in [each["name"] for each in data_plane.processes.list_processes(made.reach)]


def test_a_mistake_comes_back_as_the_sandbox_says_it(made, as_agent):
    async def read(client):
        return await client.call_tool("fsReadFile", {"path": "/blaxel/not-there"})

    result = as_agent(made.owner, read)

    assert result.is_error
    assert "not-there" in result.content[0].text


def test_a_tool_that_is_none_is_refused_as_the_sandbox_refuses_it(made, as_agent):
    async def call(client):
        with pytest.raises(MCPError, match="danceTheTango"):
            await client.call_tool("danceTheTango", {})

    as_agent(made.owner, call)


def test_a_long_answer_is_cut_and_says_so(made, as_agent):
    async def call(client):
        run = {"command": "yes | head -c 300000", "waitForCompletion": True}
        return await client.call_tool("processExecute", run)

    result = as_agent(made.owner, call)

    assert "[truncated:" in result.content[0].text
    assert len(result.content[0].text) < 110_000


def test_a_megabyte_goes_in(made, as_agent, provider):
    text = "x" * 2**20

    async def call(client):
        return await client.call_tool("fsWriteFile", {"path": "/blaxel/big", "content": text})

    output(as_agent(made.owner, call))

    read = provider.server.inside(made.name, "/filesystem//blaxel/big")
    assert provider.server.http.get(read).json()["content"] == text


def test_a_hundred_calls_at_once(made, as_agent):
    async def calls(client):
        listing = [client.call_tool("fsGetWorkingDirectory", {}) for _ in range(100)]
        return await asyncio.gather(*listing)

    assert all(output(result)["path"] for result in as_agent(made.owner, calls))


def test_mantas_own_tools(made, as_agent):
    async def calls(client):
        status = await client.call_tool("sandboxStatus", {})
        preview = await client.call_tool("sandboxPreviewUrl", {"port": 3000})
        wrong = await client.call_tool("sandboxPreviewUrl", {"port": 9})
        kept = await client.call_tool("sandboxExtend", {})
        await client.call_tool("sandboxRestart", {})
        return status, preview, wrong, kept

    status, preview, wrong, kept = as_agent(made.owner, calls)

    assert output(status)["sandboxId"] == made.name
    assert "token" not in output(preview)["url"]
    assert wrong.is_error and "3000" in wrong.content[0].text
    assert output(kept)["keptUntil"]
    restart = SandboxEvent.objects.get(action="restart requested")
    assert (restart.actor_kind, restart.owner) == ("token", made.owner)


def test_each_agent_reaches_its_own_sandbox_and_no_other(made, bob, as_agent):
    bobs = SandboxFactory(owner=bob, **pending())
    reconcile(bobs.pk)
    data_plane.files.write_file(made.reach, "/blaxel/of-alice", "secret")

    async def read(client):
        own = await client.call_tool("fsReadFile", {"path": "/blaxel/app/README.md"})
        return own, await client.call_tool("fsReadFile", {"path": "/blaxel/of-alice"})

    own, of_alice = as_agent(bob, read)

    assert not own.is_error
    assert of_alice.is_error


@pytest.mark.exhaustive  # It takes as long as a call waits for a sandbox: 20 seconds.
def test_an_agent_whose_sandbox_is_not_created_in_time_is_told_so(bob, as_agent):
    async def read(client):
        return await client.call_tool("fsReadFile", {"path": "/blaxel/app/README.md"})

    result = as_agent(bob, read)

    # The call has requested one, and no worker creates it in this test.
    assert result.is_error
    assert "sandbox_busy" in result.content[0].text
    assert Sandbox.objects.get(owner=bob).name == f"user-{bob.pk}"


@pytest.mark.parametrize("authorization", ["", "Basic eDp5", "Bearer x", f"Bearer {CANARY_KEY}"])
def test_a_stranger_is_unauthorized(web, authorization):
    headers = {"Authorization": authorization} if authorization else {}

    answer = httpx.post(web.url + PATH, headers=headers, json={}, trust_env=False)

    assert answer.status_code == 401
    assert answer.json() == {"error": "Unauthorized"}
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.exhaustive
def test_a_token_without_the_scope_is_told_which(web, alice, token):
    headers = {"Authorization": f"Bearer {token(alice, 'sandbox:read')}"}

    answer = httpx.post(web.url + PATH, headers=headers, json={}, trust_env=False)

    assert answer.status_code == 403
    assert answer.json()["code"] == "insufficient_scope"


@pytest.fixture
def sleeping_call(made, token):
    """Calls a tool that takes a minute; returns the answer to come, once the tool runs."""
    sleep = {"command": "sleep 50", "waitForCompletion": True, "timeout": 55}
    call = {"name": "processExecute", "arguments": sleep}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    accepts = {"Accept": "application/json, text/event-stream"}

    with ThreadPoolExecutor(1) as agent:

        def sleeping_call(web):
            headers = accepts | {"Authorization": f"Bearer {token(made.owner)}"}
            options = {"headers": headers, "json": message, "trust_env": False, "timeout": 45}
            calling = agent.submit(httpx.post, web.url + PATH, **options)
            wait_until(
                lambda: "sleep 50" in str(data_plane.processes.list_processes(made.reach)), 30
            )
            return calling

        yield sleeping_call


def test_a_revoked_token_ends_a_call_that_runs(web, sleeping_call):
    calling = sleeping_call(web)

    PersonalToken.objects.all().delete()

    assert '"result"' not in calling.result().text


@pytest.mark.exhaustive
def test_a_call_that_runs_does_not_keep_a_process_from_ending(
    transactional_db, blaxel, sleeping_call
):
    web = Web(BLAXEL_API_URL=blaxel.url).until_ready()
    calling = sleeping_call(web)

    web.process.terminate()

    # The tool itself would have gone on for longer than that.
    assert web.process.wait(20) is not None
    assert '"result"' not in calling.result().text
    assert "Traceback" not in web.clear_away()


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("processExecute", {"command": "echo @", "name": "manta-snapshot"}),
        ("processExecute", {"command": "echo @", "name": " Manta-ports"}),
        ("processStop", {"identifier": "manta-snapshot"}),
        ("processGetLogs", {"identifier": "manta-snapshot"}),
    ],
)
def test_a_process_of_mantas_own_is_nobodys(made, as_agent, provider, tool, arguments):
    async def call(client):
        return await client.call_tool(tool, arguments)

    result = as_agent(made.owner, call)

    assert result.is_error and "process_refused" in result.content[0].text
    listed = provider.server.http.get(provider.server.inside(made.name, "/process")).json()
    assert not [each for each in listed if each["name"].strip().lower() in ("manta-snapshot",)]
