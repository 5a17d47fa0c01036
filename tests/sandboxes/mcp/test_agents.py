"""An agent that its person let in, at a real sandbox and real web processes."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings
from django.utils import timezone

from accounts import agent_permissions
from accounts.models import ConnectedAgent
from accounts.oauth import agents
from sandboxes import data_plane
from sandboxes.mcp.endpoint import PATH
from sandboxes.models import Sandbox, SandboxEvent, ToolCall
from sandboxes.reconciler.reconcile import reconcile
from tests.support.oauth_client import REDIRECT, VERIFIER, Agent
from tests.support.redis_server import Redis
from tests.support.waiting import wait_until
from tests.support.web_process import Web

PARTS = [
    "/live/sandbox",
    "/api/sandbox",
    "/api/sandbox/init",
    "/api/sandbox/events",
    "/account/tokens/",
    "/account/agents/",
    "/admin/",
]


def ask(web, raw, method, **params):
    """What /mcp answers, as (status, message)."""
    headers = {
        "Authorization": f"Bearer {raw}",
        "Accept": "application/json, text/event-stream",
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(web.url + PATH, headers=headers, json=message, trust_env=False, timeout=60)
    data = [line[5:] for line in answer.text.splitlines() if line.startswith("data:")]
    text = data[-1] if data else answer.text
    return answer.status_code, json.loads(text) if text.startswith(("{", " {")) else text


def call(web, raw, tool, **arguments):
    return ask(web, raw, "tools/call", name=tool, arguments=arguments)


@pytest.fixture
def raw(made):
    return Agent(name="Cursor").sign_in(made.owner)["access_token"]


def test_a_stranger_reads_how_to_get_in(web):
    answer = httpx.post(web.url + PATH, json={}, trust_env=False)

    address = "http://localhost:8000/.well-known/oauth-protected-resource/mcp"
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer resource_metadata="{address}", scope="mcp"'
    )
    assert settings.MCP_URL == "http://localhost:8000/mcp"


def test_a_wrong_token_is_called_wrong(web, raw):
    headers = {"Authorization": f"Bearer {raw[:-1]}x"}

    answer = httpx.post(web.url + PATH, headers=headers, json={}, trust_env=False)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')


def test_what_it_does_is_recorded_in_its_name(web, made, raw):
    _, message = call(web, raw, "sandboxExtend")

    assert not message["result"].get("isError")
    event = SandboxEvent.objects.get(action="extended")
    assert (event.actor_kind, event.actor_name) == ("agent", "Cursor")
    assert event.owner == made.owner


def test_an_agent_of_bobs_reaches_nothing_of_alices(web, made, bob):
    bobs = Agent().sign_in(bob)["access_token"]

    calls = [
        lambda: call(web, bobs, "sandboxStatus"),
        lambda: ask(web, bobs, "tools/list"),
        lambda: call(web, bobs, "fsReadFile", path="/blaxel/app/README.md"),
        lambda: call(web, bobs, "sandboxStatus", sandbox=made.name, owner=made.owner.pk),
    ]
    # At once: each waits for the sandbox that is being made for him.
    with ThreadPoolExecutor(len(calls)) as pool:
        running = [pool.submit(send) for send in calls]
        his = wait_until(lambda: Sandbox.objects.filter(owner=bob).first())
        wait_until(lambda: reconcile(his.pk) or Sandbox.objects.get(pk=his.pk).url)
        answers = [one.result() for one in running]

    assert made.name not in str(answers)
    assert his.name == f"user-{bob.pk}"
    assert his.name in str(answers)
    assert not SandboxEvent.objects.filter(owner=made.owner, actor=bob).exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", PARTS)
def test_elsewhere_it_is_nobody(web, raw, path):
    headers = {"Authorization": f"Bearer {raw}"}

    answer = httpx.get(web.url + path, headers=headers, trust_env=False)

    assert answer.status_code in (302, 401)
    assert answer.headers.get("Location", "/accounts/login/").split("?")[0].endswith("/login/")


def test_permissions_that_expire_end_a_running_call(web, made, raw):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            call, web, raw, "processExecute", command="sleep 50", waitForCompletion=True, timeout=55
        )
        wait_until(lambda: "sleep 50" in str(data_plane.processes.list_processes(made.reach)), 30)

        key = ConnectedAgent.objects.get().key
        agent_permissions.issue(
            user=made.owner, key=key, capabilities=["run"], expires_at=timezone.now()
        )

        _, message = running.result()
    assert "result" not in message
    _, refused = call(web, raw, "sandboxStatus")
    assert "have expired" in refused["result"]["content"][0]["text"]
    broken_off = wait_until(lambda: ToolCall.objects.filter(code="broken_off").first())
    assert broken_off.tool == "processExecute"


def test_revoking_it_ends_a_call_that_runs(web, made, raw):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            call, web, raw, "processExecute", command="sleep 50", waitForCompletion=True, timeout=55
        )
        wait_until(lambda: "sleep 50" in str(data_plane.processes.list_processes(made.reach)), 30)

        agents.revoke(ConnectedAgent.objects.get())

        _, message = running.result()
    assert "result" not in message
    assert ask(web, raw, "ping")[0] == 401


def test_a_megabyte_a_deep_one_and_what_there_is_not(web, made, raw):
    deep = "[" * 20_000 + "]" * 20_000
    headers = {"Authorization": f"Bearer {raw}", "Accept": "application/json, text/event-stream"}
    body = (
        '{"jsonrpc":"2.0","id":1,"method":"tools/call",'
        f'"params":{{"name":"fsReadFile","arguments":{{"path":{deep}}}}}}}'
    )

    _, big = call(web, raw, "fsWriteFile", path="/blaxel/big", content="x" * 2**20)
    nested = httpx.post(
        web.url + PATH,
        content=body,
        headers=headers | {"Content-Type": "application/json"},
        trust_env=False,
        timeout=60,
    )
    _, unknown = call(web, raw, "danceTheTango")
    _, method = ask(web, raw, "tools/dance")

    assert "error" not in big
    assert nested.status_code < 500
    assert "error" in str(unknown).lower()
    assert "error" in method
    assert ask(web, raw, "ping")[0] == 200


@pytest.mark.exhaustive
def test_a_hundred_calls_at_once(web, raw):
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: call(web, raw, "fsGetWorkingDirectory"), range(100)))

    assert {status for status, _ in answers} == {200}
    assert all("result" in message for _, message in answers)


@pytest.fixture(params=["database", "Redis"])
def redis_url(request, settings):
    """Where this process and others have their cache: "" is the database."""
    if request.param == "database":
        settings.CACHES = settings.CACHES | {"default": settings.CACHES["shared"]}
        yield ""
        return
    with Redis() as redis:
        cache = {"BACKEND": "manta.core.cache.FallbackRedisCache", "LOCATION": redis.url}
        settings.CACHES = settings.CACHES | {"default": cache}
        yield redis.url


def test_two_web_processes_know_each_others_codes_and_tokens(web, blaxel, made, redis_url):
    other = Web(BLAXEL_API_URL=blaxel.url, REDIS_URL=redis_url).until_ready()
    agent = Agent()
    code = agent.code(made.owner)

    exchanged = httpx.post(
        f"{other.url}/oauth/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "client_id": agent.client_id,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            "resource": settings.MCP_URL,
        },
        trust_env=False,
    )
    given = exchanged.json()
    in_both = [ask(process, given["access_token"], "ping")[0] for process in (web, other)]
    refreshed = httpx.post(
        f"{web.url}/oauth/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": given["refresh_token"],
            "client_id": agent.client_id,
            "resource": settings.MCP_URL,
        },
        trust_env=False,
    )

    assert in_both == [200, 200]
    assert refreshed.status_code == 200
    assert "Traceback" not in other.clear_away()
