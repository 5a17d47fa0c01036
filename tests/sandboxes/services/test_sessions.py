"""The session by which Manta reaches one sandbox; the workspace's key is sent into none."""

import asyncio
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings as installation
from django.utils import timezone

from operations.doctor.mcp_probe import mcp_tools
from sandboxes import control_plane, data_plane, errors, services
from sandboxes.data_plane import files, subscriptions
from sandboxes.data_plane.client import client
from sandboxes.mcp import upstream
from sandboxes.models import Sandbox, reach
from sandboxes.models.transitions import cleared_observation, no_session
from sandboxes.reconciler.provider_sync import sync_watched
from sandboxes.reconciler.reconcile import reconcile

ROOT = Path(__file__).resolve().parents[3]
# Writes to its output what each request carries.
ECHO = r"""
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def do_GET(self):
        body = str(self.headers).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("0.0.0.0", 3033), Echo).serve_forever()
"""


# Sealed by a key that Manta no longer has.
UNREADABLE = {"data_token": f"sealed:1:{'A' * 80}"}


def due(sandbox, **fields):
    Sandbox.objects.filter(pk=sandbox.pk).update(next_attempt_at=timezone.now(), **fields)
    reconcile(sandbox.pk)
    sandbox.refresh_from_db()


def opened(provider):
    return sum(method == "POST" and path.endswith("/tokens") for method, path in provider.calls)


def test_it_is_open_before_the_sandbox_is_ready_and_sealed(made):
    (token,) = made.reach.headers.values()

    assert made.has_session
    assert token not in made.data_token
    assert token not in repr(made.reach)
    assert dict(made.reach.headers).keys() == {reach.TOKEN}


def test_steady_calls_ask_the_provider_for_nothing(made, provider, django_assert_num_queries):
    provider.calls.clear()

    with django_assert_num_queries(0):
        services.sessions.require_reach(made)
        files.read(made.reach, "/blaxel", 10)

    assert provider.calls == []


def test_it_is_renewed_at_half_of_its_time_and_keeps_its_address(made, provider):
    before = made.data_token
    soon = timezone.now() + reach.LIFETIME / 2 - timedelta(seconds=1)
    Sandbox.objects.filter(pk=made.pk).update(
        data_token_until=soon,
        attempted_at=None,
        watched_until=timezone.now() + timedelta(seconds=9),
        starter_checked_at=timezone.now(),
    )

    sync_watched()
    reconcile(made.pk)

    address = made.data_url
    made.refresh_from_db()
    assert made.data_token_until > soon
    assert made.data_token != before
    assert made.data_url == address
    assert files.read(made.reach, "/blaxel", 10)


def test_it_is_not_renewed_before(made, provider):
    provider.calls.clear()

    due(made)

    assert opened(provider) == 0


def test_a_renewal_that_fails_harms_nothing_while_the_old_one_works(made, provider):
    soon = timezone.now() + timedelta(hours=1)
    provider.fails("POST", "/tokens", 503, {"error": "no"})

    due(made, data_token_until=soon)

    assert made.error_code == ""
    assert files.read(made.reach, "/blaxel", 10)


def test_a_row_of_the_release_before_gets_one_when_it_is_looked_at(made):
    due(made, **no_session())

    assert made.has_session


@pytest.mark.parametrize(
    "lost",
    [no_session(), {"data_token_until": timezone.now()}, UNREADABLE],
)
def test_or_when_it_is_used(made, provider, lost):
    Sandbox.objects.filter(pk=made.pk).update(**lost)
    made.refresh_from_db()

    assert not made.has_session
    services.files.read_path(sandbox=made, path="/blaxel")
    made.refresh_from_db()
    assert made.has_session


def test_one_that_the_provider_ended_is_replaced_a_minute_later(made, provider):
    provider.server.http.delete(f"/v0/sandboxes/{made.name}/previews/session-manta/tokens/x")
    was = made.data_token_until
    stale = was - timedelta(minutes=2)
    fields = {"data_token": made.sealed("another"), "data_token_until": stale}
    Sandbox.objects.filter(pk=made.pk).update(**fields)
    made.refresh_from_db()

    with pytest.raises(errors.ProviderUnavailable, match="session"):
        data_plane.processes.list_processes(made.reach)
    services.files.read_path(sandbox=made, path="/blaxel")

    assert made.data_token_until > stale


def without_preview(made, provider):
    """Its session, made two minutes ago, whose preview was deleted at the provider."""
    provider.server.http.delete(f"/v0/sandboxes/{made.name}/previews/session-manta")
    stale = made.data_token_until - timedelta(minutes=2)
    Sandbox.objects.filter(pk=made.pk).update(data_token_until=stale)
    made.refresh_from_db()
    return made


def test_one_whose_preview_was_deleted_is_replaced_as_well(made, provider):
    without = without_preview(made, provider)

    with pytest.raises(errors.ProviderUnavailable):
        services.files.read_path(sandbox=without, path="/blaxel")

    assert services.files.read_path(sandbox=without, path="/blaxel").entries
    assert not data_plane.files.file_exists(made.reach, "/blaxel/not-there")


def test_whoever_refuses_each_has_one_made_a_minute_at_most(made, provider, hostile):
    def refuse(handler):
        handler.send_error(401)

    hostile.answer = refuse
    Sandbox.objects.filter(pk=made.pk).update(data_url=hostile.url)
    made.refresh_from_db()
    provider.calls.clear()

    for _ in range(5):
        with pytest.raises(errors.ProviderUnavailable):
            services.files.read_path(sandbox=made, path="/blaxel")

    assert opened(provider) == 0


@pytest.mark.parametrize("path", ["/previews", "/tokens"])
def test_without_a_session_nothing_is_sent(made, provider, hostile, path):
    Sandbox.objects.filter(pk=made.pk).update(url=hostile.url, **no_session())
    made.refresh_from_db()
    provider.fails("GET", path, 404, {"error": "no"}, times=9)
    provider.fails("POST", path, 400, {"error": "no"}, times=9)

    with pytest.raises(errors.ProviderError):
        services.files.read_path(sandbox=made, path="/blaxel")
    with pytest.raises(errors.ProviderUnavailable, match="no session"):
        _ = made.reach

    assert hostile.asked == []


def test_it_goes_with_its_sandbox(made):
    assert not Sandbox(**cleared_observation()).has_session
    control_plane.sandboxes.delete(made.name)

    due(made)

    assert (made.data_url, made.data_token, made.data_token_until) == ("", "", None)


def test_one_that_was_made_anew_behind_our_back_gets_its_own(made):
    before, long_ago = made.data_token, timezone.now() - timedelta(days=1)

    due(made, provider_created_at=long_ago)

    assert made.has_session
    assert made.data_token != before


def test_a_session_of_another_sandbox_is_not_kept(made):
    other = Sandbox.objects.get(pk=made.pk)
    Sandbox.objects.filter(pk=made.pk).update(provider_created_at=timezone.now(), data_token="")

    services.sessions.open_session(other)

    assert Sandbox.objects.get(pk=made.pk).data_token == ""


def test_a_server_inside_sees_neither_the_key_nor_the_token(made):
    (token,) = made.reach.headers.values()
    process = {"command": f"python3 -c '{ECHO}'", "name": "echo", "waitForPorts": [3033]}
    data_plane.processes.start_process(made.reach, process | {"timeout": 20})

    seen = httpx.get(**made.reach.at("/port/3033/").as_request(), trust_env=False).text

    assert "x-request" in seen.lower() or "host" in seen.lower()
    assert installation.BLAXEL_API_KEY not in seen
    assert token not in seen


async def ask_over_mcp(way):
    async with upstream.new_client() as http:
        await upstream.ask(http, way, "tools/list", {}, lambda message: None)


async def watch_files(way):
    async with subscriptions.changes_of(way, "/x", []):
        pass


async def download(way):
    where = files.location(way, "/x").as_request(files.RAW)
    async with data_plane.async_client.streaming_client().stream("GET", **where) as response:
        await response.aread()


async def in_a_loop(work):
    try:
        await work
    finally:
        await data_plane.async_client.close_streaming_client()


CALLS = {
    "read a file": lambda way: files.read(way, "/x", 10),
    "write a file": lambda way: files.write(way, "/x", b"x"),
    "search": lambda way: files.search_contents(way, "/x", "a", 10),
    "list processes": data_plane.processes.list_processes,
    "run a command": lambda way: data_plane.processes.run(way, "x", 1),
    "say what listens": data_plane.listening.list_listening,
    "look at a port": lambda way: data_plane.ports.port_answers(way, 3000),
    "end a terminal": lambda way: data_plane.terminals.hang_up(way, "x", force=True),
    "list tools": mcp_tools,
    "ask over MCP": lambda way: asyncio.run(ask_over_mcp(way)),
    "watch files": lambda way: asyncio.run(in_a_loop(watch_files(way))),
    "start a process": lambda way: asyncio.run(in_a_loop(subscriptions.start(way, "x", "x"))),
    "read a log": lambda way: asyncio.run(in_a_loop(subscriptions.whole_log(way, "x"))),
    "download": lambda way: asyncio.run(in_a_loop(download(way))),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_who_replaces_the_server_gets_the_token_of_the_sandbox_alone(call, hostile, settings):
    settings.BLAXEL_API_KEY = "canary-of-the-workspace"
    got = []

    def echo(handler):
        got.append(str(handler.headers))
        hostile.say(b"{}")(handler)

    hostile.answer = echo
    client.cache_clear()

    with suppress(errors.ProviderError, upstream.Unreachable):
        call(reach.with_token(hostile.url, "token-of-this-sandbox"))

    assert got
    assert all("canary-of-the-workspace" not in each for each in got)
    assert all("token-of-this-sandbox" in each for each in got)


@pytest.mark.exhaustive
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_each_call_notices_that_its_session_is_gone(call, made, provider):
    without = without_preview(made, provider)
    client.cache_clear()

    with suppress(errors.SandboxError, upstream.Unreachable, upstream.Refused):
        call(without.reach)

    assert not without.has_session


def test_the_key_is_in_no_header_that_is_made_outside_the_gateway():
    found = {
        str(path.relative_to(ROOT))
        for package in ("accounts", "manta", "operations", "sandboxes")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"BLAXEL_API_KEY", path.read_text())
    }

    assert found == {
        "manta/core/error_codes/sandboxes.py",
        "manta/core/logs.py",
        "manta/settings/sandboxes.py",
        "operations/doctor/installation.py",
        "sandboxes/checks.py",
        "sandboxes/control_plane/client.py",
        "sandboxes/control_plane/error_mapping.py",
    }
