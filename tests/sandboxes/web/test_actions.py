"""The pages that act on one's own sandbox."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sandboxes.models import Heartbeat, Phase, Reminder, Sandbox
from sandboxes.presenters.panel import Panel
from tests.support.factories import SandboxFactory, pending

HTMX = {"HX-Request": "true"}
PRESSED = ["/sandbox/restart/", "/sandbox/extend/", "/sandbox/reminder/dismiss/"]
CONFIRMED = ["/sandbox/reset/", "/sandbox/delete/"]


@pytest.fixture(autouse=True)
def a_worker_and_a_provider_that_work(db):
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)


@pytest.fixture
def signed_in(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    return client


def confirmation(sandbox):
    return {"confirm": sandbox.name, "made": sandbox.provider_created_at.isoformat()}


# ---- Restart and Extend


@pytest.mark.parametrize(
    ("path", "mark"),
    [("/sandbox/restart/", "restart_wanted_at"), ("/sandbox/extend/", "extended_until")],
)
def test_a_press_marks_the_row_for_the_worker(signed_in, alices_sandbox, path, mark):
    response = signed_in.post(path)

    alices_sandbox.refresh_from_db()
    assert (response.status_code, response.url) == (302, "/workspace/")
    assert getattr(alices_sandbox, mark) is not None
    assert Sandbox.objects.due().get() == alices_sandbox


def test_a_press_with_htmx_is_answered_with_the_panel(signed_in):
    response = signed_in.post("/sandbox/restart/", headers=HTMX)

    assert "<html" not in response.text
    assert "Restarting" in response.text
    assert "disabled" in response.text


@pytest.mark.parametrize("path", PRESSED)
def test_only_a_post_does_something(signed_in, path):
    assert signed_in.get(path).status_code == 405


@pytest.mark.parametrize("path", [*PRESSED, *CONFIRMED])
def test_who_is_not_signed_in_is_asked_to(client, alices_sandbox, path):
    response = client.post(path, confirmation(alices_sandbox))

    assert response.url.startswith("/accounts/login/")
    assert not Sandbox.objects.due().exists()


@pytest.mark.parametrize("path", PRESSED)
def test_a_stranger_has_nothing_to_press(client, bob, alices_sandbox, path):
    client.force_login(bob)

    assert client.post(path).status_code == 404
    assert not Sandbox.objects.due().exists()


@pytest.mark.parametrize("path", CONFIRMED)
def test_a_stranger_who_knows_the_name_changes_nothing(client, bob, alices_sandbox, path):
    client.force_login(bob)

    client.post(path, confirmation(alices_sandbox))

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.phase == Phase.READY


@pytest.mark.parametrize("path", ["/sandbox/restart/", "/sandbox/extend/"])
def test_a_sandbox_that_is_being_made_says_so(client, alice, path):
    SandboxFactory(owner=alice, **pending())
    client.force_login(alice)

    response = client.post(path)

    assert response.status_code == 409
    assert "sandbox_busy" in response.text


def test_the_button_says_until_when_it_would_be_kept(signed_in, alices_sandbox):
    Sandbox.objects.update(expires_at=timezone.now() + timedelta(hours=3))

    page = signed_in.get("/sandbox/panel/")

    until = timezone.now() + alices_sandbox.ttl
    assert "Keep until" in page.text
    assert f"{until:%-d %b}" in page.text


def test_an_extension_that_gains_nothing_is_not_offered(signed_in):
    assert "Keep until" not in signed_in.get("/sandbox/panel/").text


@pytest.mark.parametrize(
    ("asked", "note"),
    [(False, "Waiting for the provider to extend it"), (True, "The provider allows no later date")],
)
def test_only_what_the_provider_has_confirmed_is_shown_as_the_date(signed_in, asked, note):
    until = timezone.now() + timedelta(hours=24)
    Sandbox.objects.update(
        expires_at=timezone.now() + timedelta(hours=3),
        extended_until=until,
        requested_expiry=until if asked else None,
    )

    page = signed_in.get("/sandbox/panel/")

    assert note in page.text
    assert "in 2 hours, 59 minutes" in page.text.replace("\xa0", " ")


# ---- Reset and Delete


@pytest.mark.parametrize("path", CONFIRMED)
def test_the_page_asks_for_the_name_and_does_nothing_yet(signed_in, alices_sandbox, path):
    page = signed_in.get(path)

    alices_sandbox.refresh_from_db()
    assert f"Type {alices_sandbox.name} to confirm" in page.text
    assert "cannot be undone" in page.text
    assert alices_sandbox.phase == Phase.READY
    assert not Sandbox.objects.due().exists()


@pytest.mark.parametrize(
    ("path", "recreate_after_delete"), [("/sandbox/reset/", True), ("/sandbox/delete/", False)]
)
def test_the_typed_name_does_it(signed_in, alices_sandbox, path, recreate_after_delete):
    response = signed_in.post(path, confirmation(alices_sandbox))

    alices_sandbox.refresh_from_db()
    assert response.url == "/workspace/"
    assert alices_sandbox.phase == Phase.DELETING
    assert alices_sandbox.recreate_after_delete == recreate_after_delete


@pytest.mark.parametrize("typed", ["", "user-0", "<script>alert(1)</script>"])
@pytest.mark.parametrize("path", CONFIRMED)
def test_another_name_does_nothing_and_says_why(signed_in, alices_sandbox, path, typed):
    response = signed_in.post(path, confirmation(alices_sandbox) | {"confirm": typed})

    alices_sandbox.refresh_from_db()
    assert response.status_code == 422
    assert "<script>alert" not in response.text
    assert alices_sandbox.phase == Phase.READY


@pytest.mark.parametrize("path", CONFIRMED)
def test_a_page_about_an_earlier_sandbox_leaves_the_new_one_alone(signed_in, alices_sandbox, path):
    old = confirmation(alices_sandbox)
    Sandbox.objects.update(provider_created_at=timezone.now())

    response = signed_in.post(path, old, follow=True)

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.phase == Phase.READY
    assert "was not changed" in response.text


@pytest.mark.parametrize("path", CONFIRMED)
def test_without_a_sandbox_there_is_nothing_to_confirm(client, alice, path):
    client.force_login(alice)

    assert client.get(path).url == "/workspace/"
    assert client.post(path, {"confirm": "x"}).url == "/workspace/"


def test_a_create_can_be_cancelled(client, alice):
    sandbox = SandboxFactory(owner=alice, **pending())
    client.force_login(alice)
    assert "Cancel" in client.get("/sandbox/panel/").text

    client.post("/sandbox/delete/", {"confirm": sandbox.name, "made": ""})

    assert Sandbox.objects.get().phase == Phase.DELETING


@pytest.mark.parametrize("path", [*PRESSED, *CONFIRMED])
def test_nothing_happens_without_a_csrf_token(alices_sandbox, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alices_sandbox.owner)

    assert client.post(path, confirmation(alices_sandbox)).status_code == 403
    assert not Sandbox.objects.due().exists()


# ---- What would be lost


def test_the_page_asks_for_a_look_by_a_post_of_its_own(signed_in, alices_sandbox):
    page = signed_in.get("/sandbox/delete/")
    assert 'hx-trigger="load"' in page.text
    assert Sandbox.objects.get().unsaved_wanted_at is None

    fragment = signed_in.post("/sandbox/delete/", {"look": "1"}, headers=HTMX)

    assert "<html" not in fragment.text
    assert "Checking its git repositories" in fragment.text
    assert "every 700ms" in fragment.text
    assert Sandbox.objects.get().unsaved_wanted_at is not None
    assert Sandbox.objects.get().phase == Phase.READY


def test_without_htmx_the_page_comes_again_until_it_has_looked(signed_in):
    response = signed_in.post("/sandbox/reset/", {"look": "1"})
    page = signed_in.get(response.url)

    assert response.url == "/sandbox/reset/"
    assert 'http-equiv="refresh"' in page.text


def test_what_was_found_is_listed_and_escaped(signed_in):
    work = {
        "folder": '/blaxel/<b>x</b>\n"q"',
        "changed": 3,
        "stashes": 1,
        "remotes": 0,
        "branches": [{"name": "<i>main</i>", "commits": 2}, {"name": "", "commits": 1}],
    }
    Sandbox.objects.update(unsaved_work=[work], unsaved_checked_at=timezone.now())

    page = signed_in.get("/sandbox/delete/").text

    assert "<b>x</b>" not in page
    assert "<i>main</i>" not in page
    assert "3 uncommitted files" in page
    assert "and no remote to push to" in page
    assert "on no branch" in page
    assert "1 stash" in page
    assert 'hx-trigger="load"' not in page


def test_a_sandbox_that_could_not_be_looked_into_can_be_deleted_all_the_same(
    signed_in, alices_sandbox
):
    Sandbox.objects.update(unsaved_problem="The check failed: it is not answering.")

    assert "The check failed" in signed_in.get("/sandbox/delete/").text
    signed_in.post("/sandbox/delete/", confirmation(alices_sandbox))

    assert Sandbox.objects.get().phase == Phase.DELETING


def test_after_the_expiry_the_page_says_what_was_lost(client, alice):
    work = {"folder": "/blaxel/repo", "changed": 1, "stashes": 0, "remotes": 1, "branches": []}
    SandboxFactory(
        owner=alice,
        phase=Phase.GONE,
        url="",
        error_code="expired",
        unsaved_work=[work],
        unsaved_checked_at=timezone.now(),
    )
    client.force_login(alice)

    page = client.get("/workspace/").text

    assert "has expired" in page
    assert "/blaxel/repo" in page
    assert "1 uncommitted file" in page
    assert "Recreate" in page
    assert "sandbox/open/" not in page


# ---- The reminder in the page


@pytest.fixture
def about_to_expire(alices_sandbox):
    Sandbox.objects.update(expires_at=timezone.now() + timedelta(minutes=50))
    alices_sandbox.refresh_from_db()
    return alices_sandbox


def test_every_page_reminds_of_an_expiry_that_is_near(signed_in, about_to_expire):
    page = signed_in.get("/account/").text

    assert "Your sandbox expires" in page
    assert "notice-extend" in page


def test_a_reminder_can_be_dismissed_for_this_date_only(signed_in, about_to_expire):
    signed_in.post("/sandbox/reminder/dismiss/", headers=HTMX)
    assert "Your sandbox expires" not in signed_in.get("/account/").text
    assert Reminder.objects.get().dismissed_at is not None

    Sandbox.objects.update(expires_at=timezone.now() + timedelta(minutes=40))

    assert "Your sandbox expires" in signed_in.get("/account/").text


def test_a_page_that_is_not_near_the_expiry_asks_nothing_more(signed_in, django_assert_num_queries):
    signed_in.get("/sandbox/panel/")

    # Session, user, sandbox, heartbeats, public ports, and its agents' last call.
    with django_assert_num_queries(6):
        signed_in.get("/sandbox/panel/")


def test_a_page_near_the_expiry_makes_one_query_more(
    signed_in, about_to_expire, django_assert_num_queries
):
    signed_in.get("/sandbox/panel/")

    with django_assert_num_queries(7):
        signed_in.get("/sandbox/panel/")


# ---- Why it is awake, and what went wrong


@pytest.mark.parametrize(
    ("used", "says"),
    [
        (timedelta(seconds=12), "by itself when it is idle"),
        (timedelta(minutes=9), "keeps it awake"),
    ],
)
def test_the_panel_says_why_it_is_awake(alices_sandbox, used, says):
    alices_sandbox.last_used_at = timezone.now() - used

    assert says in Panel.of(alices_sandbox).detail


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("unknown_image", "does not have the image of your sandbox"),
        ("bad_credentials", "does not accept Manta&#x27;s key"),
        ("quota_exceeded", "no room"),
        ("provider_unavailable", "did not respond in time"),
        ("wrong_owner", "name of your sandbox is taken"),
        ("something_else", "could not be created"),
    ],
)
def test_each_failure_has_a_heading_of_its_own(client, alice, code, title):
    SandboxFactory(owner=alice, phase=Phase.FAILED, error_code=code, error_message="Because.")
    client.force_login(alice)

    page = client.get("/workspace/").text

    assert title in page
    assert f"#{code}" in page
