"""A person checks their own sandbox: started on a page, done by a worker, read on the page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from operations import self_test
from operations.models import Check
from sandboxes.models import Action, Sandbox, SandboxEvent
from tests.support.factories import SandboxFactory

PAGE = "/sandbox/check/"
NAMES = ["provider", "wake", "file", "process", "port", "preview", "mcp"]


@pytest.fixture
def asked(client, serving):
    """Alice has pressed the button; no worker has looked at it yet."""
    client.force_login(serving.owner)
    client.post(PAGE)
    return Check.objects.get()


def work(check):
    self_test.run_check(check)
    check.refresh_from_db()


def verdicts(check):
    return {finding["name"]: finding["verdict"] for finding in check.findings}


@pytest.fixture
def through_proxy(provider):
    """The calls to the sandbox itself come by the proxy, too."""
    provider.carries_all = True
    return provider


def test_a_sandbox_that_works_passes_everything(client, asked):
    work(asked)

    page = client.get(PAGE)

    assert verdicts(asked) == dict.fromkeys(NAMES, "ok")
    assert "Everything works." in page.text
    assert "hx-trigger" not in page.text.partition('id="check"')[2].partition(">")[0]


def test_it_leaves_the_sandbox_as_it_was(asked, provider, serving):
    work(asked)

    left = provider.server.run(serving.name, "ls /tmp")["logs"]

    assert "manta-check" not in left
    assert provider.server.names() == [serving.name]


@pytest.mark.parametrize(
    ("method", "path", "step"),
    [
        ("GET", "/process", "wake"),
        ("PUT", "/filesystem//tmp/manta-check-", "file"),
        ("POST", "/process", "process"),
        ("GET", "/port/3000/", "port"),
        ("POST", "/mcp", "mcp"),
    ],
)
def test_a_planted_fault_is_found_where_it_is(client, through_proxy, asked, method, path, step):
    through_proxy.fails(method, path, 502, {"error": {"code": "BROKEN"}}, times=9)

    work(asked)

    assert [name for name, verdict in verdicts(asked).items() if verdict == "failed"] == [step]
    assert "checks failed" in client.get(PAGE).text


def test_a_sandbox_that_the_provider_lost_is_said_to_be_lost(asked, provider, serving):
    provider.server.delete(serving.name)

    work(asked)

    assert verdicts(asked) == {"provider": "failed"} | dict.fromkeys(NAMES[1:], "skipped")


def test_while_it_is_checked_the_page_asks_again(client, asked):
    page = client.get(PAGE)

    assert "Checking…" in page.text
    assert 'hx-trigger="every 1s"' in page.text
    assert '<meta http-equiv="refresh"' in page.text


def test_htmx_gets_only_the_result(client, asked):
    fragment = client.get(PAGE, headers={"HX-Request": "true"})

    assert fragment.text.strip().startswith('<div id="check"')


def test_a_second_click_starts_no_second_check(client, asked):
    client.post(PAGE)

    assert Check.objects.get().started_at == asked.started_at
    assert SandboxEvent.objects.filter(action=Action.CHECKED).count() == 1


def test_one_that_was_lost_with_its_worker_is_said_so_and_can_be_repeated(client, asked):
    Check.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    assert "did not finish" in client.get(PAGE).text

    client.post(PAGE)

    assert Check.objects.get().is_under_way


def test_what_an_overtaken_worker_finds_is_dropped(asked):
    Check.objects.update(started_at=timezone.now())

    self_test.run_check(asked)

    assert Check.objects.get().findings == []


def test_a_check_is_claimed_once(asked):
    assert self_test.claim(2) == [asked]
    assert self_test.claim(2) == []


def test_a_check_that_waited_too_long_is_not_begun(asked):
    Check.objects.update(started_at=timezone.now() - timedelta(minutes=5))

    assert self_test.claim(2) == []


@pytest.mark.parametrize(("phase", "status"), [("pending", 409), ("gone", 410), ("failed", 409)])
def test_one_that_is_not_ready_is_not_checked(client, alice, phase, status):
    soon = timezone.now() + timedelta(minutes=1)
    SandboxFactory(owner=alice, phase=phase, provision_deadline=soon)
    client.force_login(alice)

    assert client.post(PAGE).status_code == status
    assert not Check.objects.exists()


def test_without_a_sandbox_there_is_nothing_to_check(client, bob):
    client.force_login(bob)

    assert client.post(PAGE).status_code == 404
    assert "Not checked yet." in client.get(PAGE).text


def test_bob_sees_nothing_of_alices_check(client, bob, asked):
    work(asked)
    client.force_login(bob)

    assert "Everything works" not in client.get(PAGE).text


def test_a_check_goes_with_its_user(asked, serving):
    Sandbox.objects.update(owner=None)
    serving.owner.delete()

    assert not Check.objects.exists()
