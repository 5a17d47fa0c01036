"""From a page to a shell and back, through a real web process."""

import json
import resource
import signal
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from django.test import Client
from websockets.exceptions import InvalidStatus

from sandboxes import services
from sandboxes.models import Sandbox, SandboxEvent
from tests.support.factories import SandboxFactory, make_token
from tests.support.waiting import wait_until
from tests.support.web_process import TIMEOUT, Web, cookie_of

pytestmark = [pytest.mark.data_plane, pytest.mark.django_db(transaction=True)]


def memory_of(web):
    """In bytes."""
    pages = int(Path(f"/proc/{web.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_what_is_typed_is_run_and_shown(connected, key):
    page = connected(key)

    page.types("echo grüße-$((40 + 2))\r")

    assert "grüße-42" in page.sees("grüße-42")


def test_it_has_the_size_of_the_page_and_follows_it(connected, key):
    page = connected(key, cols=101, rows=33)

    page.types("stty size\r")
    page.sees("33 101")
    page.socket.send(json.dumps({"type": "resize", "cols": 90, "rows": 20}))
    page.types("stty size\r")

    page.sees("20 90")


def test_a_page_that_comes_back_finds_what_it_had(connected, key):
    page = connected(key)
    page.types("echo before-$((1 + 1))\r")
    page.sees("before-2")
    page.socket.close()

    again = connected(key)

    again.sees("before-2")


def test_each_terminal_is_a_shell_of_its_own(connected, key, made):
    other = services.terminals.add_terminal(sandbox=made).key
    one, two = connected(key), connected(other)

    one.types("WHO=one\r")
    two.types("echo [$WHO]\r")

    two.sees("[]\r\n")


def test_the_exit_of_the_shell_is_told(connected, key):
    page = connected(key)
    page.types("exit\r")

    assert page.ends() == (1000, "ended")


def test_a_flood_that_nobody_reads_takes_no_memory_and_can_be_stopped(connected, key, web):
    page = connected(key, acks=1)
    page.types("yes flood\r")
    page.sees("flood\r\nflood")
    before = memory_of(web)

    other = connected(key, acks=1)
    other.sees("flood")
    page.types("\x03")
    page.types("echo st'op'ped\r")
    shown = 0
    while "stopped\r\n" not in page.seen:
        page.seen = page.seen[-100:] + page.hears()["data"]
        page.socket.send('{"type": "shown", "messages": 1}')
        other.socket.send('{"type": "shown", "messages": 1}')
        shown += 1

    assert memory_of(web) - before < 32 * 2**20


def test_a_page_is_heard_while_a_program_reads_nothing(connected, key):
    """It is told what was passed on, and its sandbox what it is to do."""
    page = connected(key, taken=1)
    page.types("echo st'art'ed; sleep 1000\r")
    page.sees("started")

    for _ in range(10):
        page.types("unread\r" * 4000)
    page.socket.send(json.dumps({"type": "resize", "cols": 111, "rows": 44}))
    page.types("\x03")
    page.types("stty size\r")

    assert "44 111" in page.sees("44 111")
    assert page.taken == 13


def test_who_says_too_much_at_once_is_cut_off(connected, key):
    page = connected(key)

    page.types("x" * 300_000)

    assert page.ends() == (1009, "too_large")


def test_messages_that_are_not_understood_are_ignored(connected, key):
    page = connected(key)

    for message in ("", "[]", "{", '{"type": "input"}', '{"type": "shown"}', "[" * 9999):
        page.socket.send(message)
    page.types("echo st'il'l\r")

    page.sees("still")


def refusal(connected, key, **options):
    """The answer to a handshake that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        connected(key, **options)
    return refused.value.response


def test_a_stranger_is_refused(connected, key):
    answers = []
    for connected.cookie in ("", "sessionid=of-nobody"):
        answers.append(refusal(connected, key))

    assert [answer.status_code for answer in answers] == [401, 401]
    assert [json.loads(answer.body) for answer in answers] == [{"error": "Unauthorized"}] * 2


def test_a_page_of_another_origin_is_refused(connected, key):
    origins = (None, "http://evil.example", "null")

    statuses = [refusal(connected, key, origin=origin).status_code for origin in origins]

    assert statuses == [403, 403, 403]


def test_a_program_needs_the_scope(connected, key, made):
    may = {"Authorization": f"Bearer {make_token(made.owner, 'terminal')}"}
    may_not = {"Authorization": f"Bearer {make_token(made.owner, 'files:write')}"}

    connected.with_headers(key, may, origin=None).types("exit\r")
    with pytest.raises(InvalidStatus) as refused:
        connected.with_headers(key, may_not, origin=None)

    assert refused.value.response.status_code == 403


def test_bob_does_not_reach_alices_terminal(connected, key, bob):
    SandboxFactory(owner=bob)
    connected.cookie = cookie_of(bob)
    page = connected(key)

    refused = page.hears()

    assert (refused["type"], refused["code"]) == ("refused", "no_terminal")
    assert page.ends() == (4404, "no_terminal")


def test_a_sandbox_that_is_being_deleted_says_so(connected, key, made):
    Sandbox.objects.update(phase="deleting")

    page = connected(key)

    assert page.ends() == (4409, "being_deleted")


def test_a_sign_out_ends_it(connected, key, made):
    page = connected(key)
    page.types("echo he'r'e\r")
    page.sees("here")
    client = Client()
    client.cookies = SimpleCookie(connected.cookie)

    client.post("/accounts/logout/")

    assert page.ends() == (4401, "signed_out")


def test_a_deactivation_ends_it(connected, key, made):
    page = connected(key)
    type(made.owner).objects.update(is_active=False)

    assert page.ends() == (4401, "signed_out")


def test_a_web_process_that_ends_says_that_it_restarts(connected, key, blaxel):
    other = Web(BLAXEL_API_URL=blaxel.url).until_ready()
    connected.web = other
    page = connected(key)
    page.types("yes\r")
    page.sees("y\r\ny")

    other.process.send_signal(signal.SIGTERM)

    # Whether Manta or uvicorn is the first to say it: the page goes by the code.
    assert page.ends()[0] == 1012
    other.process.wait(TIMEOUT)
    other.clear_away()


def test_a_sandbox_that_is_lost_is_told(connected, key, made, provider):
    page = connected(key)
    page.sees("")
    page.types("echo he'r'e\r")
    page.sees("here")

    provider.server.http.delete(f"/v0/sandboxes/{made.name}")

    assert page.ends()[0] in (1000, 4503)


def test_a_shell_goes_on_after_the_sandbox_slept(connected, key, made, provider):
    page = connected(key)
    page.types("count=41\r")
    page.sees("count=41")
    page.socket.close()
    wait_until(lambda: provider.server.sleeps(made.name), TIMEOUT)

    again = connected(key)
    again.types("echo =$((count + 1))=\r")

    again.sees("=42=")


def test_it_is_on_the_record_once(connected, key, made):
    for _ in range(3):
        connected(key).socket.close()

    wait_until(lambda: SandboxEvent.objects.filter(action="opened terminal").exists())
    event = SandboxEvent.objects.get(action="opened terminal")
    assert (event.actor_id, event.detail) == (made.owner.pk, "Terminal 1")


def test_no_more_connections_than_there_may_be(connected, key, web):
    pages = [connected(key) for _ in range(49)]

    assert pages[-1].ends() == (4429, "too_many_terminals")
    assert httpx.get(f"{web.url}/healthz", trust_env=False).is_success
