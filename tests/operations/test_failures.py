"""What went wrong, grouped for the admin."""

import logging
import threading

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from manta.core.request_context import HEADER, bound
from operations import failures
from operations.models import Failure
from operations.recorder import Recorder
from sandboxes.reconciler.reconcile import reconcile
from tests.settings import CANARY_KEY
from tests.support.factories import SandboxFactory, pending
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_failures")]
logger = logging.getLogger("tests.failures")


def fail(message="it broke"):
    try:
        raise LookupError(message)
    except LookupError:
        logger.exception("a job failed")


@pytest.fixture
def broken_panel(monkeypatch):
    def of(*args):
        secret_in_a_variable = "seen-by-nobody"  # noqa: F841
        raise ZeroDivisionError("an inside matter")

    monkeypatch.setattr("sandboxes.presenters.panel.Panel.of", of)


@pytest.fixture
def stranger(alice):
    """Alice, in a browser that gets the page of a 500 rather than its exception."""
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    return client


def test_a_bug_in_a_page_is_found_in_admin_under_its_request_id(stranger, broken_panel):
    page = stranger.get(reverse("sandboxes:workspace"))

    failures.flush("web")

    failure = Failure.objects.get()
    assert page.status_code == 500
    assert failure.title == "ZeroDivisionError: an inside matter"
    assert failure.location.startswith("tests/operations/test_failures.py:broken_panel")
    assert failure.last_request_id == page[HEADER]
    assert failure.last_place == "web"
    assert "sandboxes/web" in failure.last_traceback
    assert "seen-by-nobody" not in failure.last_traceback


def test_the_same_failure_is_counted_and_not_listed_again(stranger, broken_panel):
    for _ in range(2):
        stranger.get(reverse("sandboxes:workspace"))
        failures.flush("web")
    first = Failure.objects.get()
    assert first.count == 2

    stranger.get(reverse("sandboxes:workspace"))
    failures.flush("worker")

    again = Failure.objects.get()
    assert (again.count, again.last_place) == (3, "worker")
    assert again.first_seen == first.first_seen
    assert again.last_seen > first.last_seen


def test_failures_of_one_type_in_two_places_are_two():
    fail()
    try:
        {}["x"]
    except KeyError:
        logger.exception("another")
    failures.flush("web")

    assert Failure.objects.count() == 2


def test_a_bug_in_the_worker_is_found_too(alice, monkeypatch):
    def broken(sandbox):
        raise ZeroDivisionError

    monkeypatch.setattr("sandboxes.reconciler.reconcile._STEPS", {"pending": broken})

    reconcile(SandboxFactory(owner=alice, **pending()).pk)
    failures.flush("worker")

    assert Failure.objects.get().title.startswith("ZeroDivisionError")


def test_what_was_given_up_on_is_grouped_by_its_code():
    with bound("the-request-1"):
        logger.error("user-1: no image", extra={"error_code": "unknown_image"})
    with bound("the-request-2"):
        logger.error("user-2: no image", extra={"error_code": "unknown_image"})
    failures.flush("worker")

    failure = Failure.objects.get()
    assert failure.title.startswith("unknown_image: ")
    assert (failure.count, failure.last_request_id) == (2, "the-request-2")


def test_a_stranger_makes_no_failures(client):
    client.get("/", headers={"Host": "evil.example"})
    client.get("/no-such-page")
    client.post("/accounts/login/", {"login": "x" * 10**5, "password": "y"})
    failures.flush("web")

    assert not Failure.objects.exists()


def test_secrets_in_a_message_are_left_out():
    fail(f"https://x/?bl_preview_token=leaked and {CANARY_KEY}")
    failures.flush("web")

    failure = Failure.objects.get()
    assert "leaked" not in failure.title + failure.last_traceback
    assert CANARY_KEY not in failure.title + failure.last_traceback


def test_a_storm_is_one_write(django_assert_max_num_queries):
    for _ in range(1000):
        fail()

    with django_assert_max_num_queries(8):
        failures.flush("web")

    assert Failure.objects.get().count == 1000


def test_a_storm_of_many_kinds_is_bounded():
    for number in range(failures.MAX_KINDS * 2):
        logger.error("no", extra={"error_code": f"code{number}"})
    failures.flush("web")

    assert Failure.objects.count() == failures.MAX_KINDS


def test_what_fails_while_the_database_is_away_is_written_once_it_is_back():
    fail()

    def refuse(execute, *args):
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        failures.flush("web")
    fail()
    failures.flush("web")

    assert Failure.objects.get().count == 2


def test_counting_a_failure_asks_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        fail()


@pytest.mark.django_db(transaction=True)
def test_a_thread_of_the_process_writes_them_by_itself():
    recorder = Recorder("web")
    recorder.start()
    fail()

    wait_until(Failure.objects.exists)

    recorder.stop(5)


@pytest.mark.django_db(transaction=True)
def test_the_last_ones_are_written_at_the_end():
    recorder = Recorder("worker")
    recorder.start()
    fail()
    recorder.stop(10)

    assert Failure.objects.get().last_place == "worker"
    assert "recorder" not in [thread.name for thread in threading.enumerate()]


def test_an_admin_finds_and_resolves_it(client, admin_user):
    fail("<script>alert(1)</script>")
    with bound("of-the-request"):
        fail("<script>alert(1)</script>")
    failures.flush("web")
    client.force_login(admin_user)
    listed = reverse("admin:operations_failure_changelist")
    failure = Failure.objects.get()

    found = client.get(listed, {"q": "of-the-request"})
    page = client.get(reverse("admin:operations_failure_change", args=[failure.pk]))
    client.post(listed, {"action": "resolve", "_selected_action": failure.pk})

    assert "&lt;script&gt;alert(1)" in found.text
    assert "<script>alert(1)" not in found.text + page.text
    assert "LookupError" in page.text
    assert not Failure.objects.exists()


def test_an_admin_changes_nothing_by_hand(client, admin_user):
    fail()
    failures.flush("web")
    client.force_login(admin_user)
    url = reverse("admin:operations_failure_change", args=[Failure.objects.get().pk])

    assert client.post(url, {"title": "fine"}).status_code == 403
    assert client.get(reverse("admin:operations_failure_add")).status_code == 403
