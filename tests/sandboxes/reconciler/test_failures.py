"""The reconciler against a provider that fails, hangs, refuses and loses its answers."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone

from sandboxes import services
from sandboxes.models import Phase, Sandbox, SandboxEvent
from sandboxes.reconciler.reconcile import reconcile

CREATE = ("POST", "/sandboxes")


def test_a_create_whose_answer_was_lost_is_adopted_and_not_made_twice(wanted, provider, look_again):
    provider.loses_answer(*CREATE)
    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.PENDING, "provider_unavailable")

    look_again(wanted)

    assert wanted.phase == Phase.READY
    assert provider.server.names() == [wanted.name]


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_a_passing_failure_is_tried_again(wanted, provider, status, look_again):
    body = {"code": "SERVICE_UNAVAILABLE", "message": "no", "error": "no"}
    provider.fails(*CREATE, status, body)

    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert wanted.phase == Phase.PENDING
    assert wanted.attempts == 1
    assert wanted.next_attempt_at > timezone.now()

    look_again(wanted)
    assert wanted.phase == Phase.READY
    assert wanted.error_code == ""


def test_an_answer_that_is_no_json_is_a_passing_failure(made, provider, look_again):
    provider.fails("GET", f"/sandboxes/{made.name}", 200, b"<html>gateway</html>")

    look_again(made)

    assert made.phase == Phase.READY
    assert made.error_code == "provider_unavailable"


def test_retry_after_is_honoured(made, provider):
    services.deletion.delete_sandbox(sandbox=made, actor=None)
    provider.fails("GET", "/sandboxes/", 429, {"error": "slow down"}, headers={"Retry-After": "60"})

    reconcile(made.pk)

    made.refresh_from_db()
    assert made.next_attempt_at > timezone.now() + timedelta(seconds=55)


def test_retry_after_is_honoured_when_a_create_is_refused(wanted, provider):
    body = {"code": "RATE_LIMIT_EXCEEDED", "message": "slow down", "error": "slow down"}
    provider.fails(*CREATE, 429, body, headers={"Retry-After": "60"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.next_attempt_at > timezone.now() + timedelta(seconds=55)


def test_retry_after_is_honoured_as_a_date(wanted, provider):
    date = format_datetime(timezone.now() + timedelta(seconds=60), usegmt=True)
    provider.fails(*CREATE, 503, {"error": "later"}, headers={"Retry-After": date})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.next_attempt_at > timezone.now() + timedelta(seconds=55)


def test_the_wait_between_attempts_grows(wanted, provider):
    Sandbox.objects.update(attempts=4)
    provider.fails(*CREATE, 503, {"code": "X", "message": "no"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    wait = wanted.next_attempt_at - timezone.now()
    assert timedelta(seconds=7) < wait < timedelta(seconds=17)
    assert (wanted.retry_number, wanted.retries, wanted.is_last_retry) == (5, 6, False)


def test_a_deletion_is_tried_for_ever_with_a_bounded_wait(wanted, provider):
    Sandbox.objects.update(phase=Phase.DELETING, attempts=5000)
    provider.fails("GET", "/sandboxes/", 503, {"code": "X", "message": "no"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.DELETING
    assert wanted.next_attempt_at < timezone.now() + timedelta(seconds=31)


def test_after_the_last_retry_it_fails_and_says_that_nothing_more_happens(wanted, provider):
    Sandbox.objects.update(attempts=6)
    provider.fails(*CREATE, 503, {"code": "X", "message": "no"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.FAILED
    assert "automatically" not in wanted.error_message
    assert "press Retry" in wanted.error_message


def test_the_last_attempt_is_at_the_deadline_and_not_after_it(wanted, provider):
    deadline = timezone.now() + timedelta(seconds=5)
    Sandbox.objects.update(attempts=4, provision_deadline=deadline)
    provider.fails(*CREATE, 503, {"code": "X", "message": "no"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.next_attempt_at == deadline
    assert wanted.is_last_retry


def test_a_row_says_when_it_was_last_tried(wanted):
    before = timezone.now()

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert before < wanted.attempted_at < timezone.now()


def test_a_sandbox_that_cannot_be_used_is_not_called_made(wanted, provider):
    made = {"metadata": {"name": wanted.name, "labels": wanted.labels}, "spec": {}}
    provider.fails(*CREATE, 200, {**made, "status": "FAILED"})

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.PENDING


def test_a_404_in_other_words_than_the_providers_says_nothing(made, provider, look_again):
    provider.fails("GET", f"/sandboxes/{made.name}", 404, b"<html>no such route</html>")

    look_again(made)

    assert (made.phase, made.error_code) == (Phase.READY, "provider_unavailable")


def test_past_its_deadline_it_fails_with_a_reason_and_retry_helps(wanted, provider):
    Sandbox.objects.update(provision_deadline=timezone.now() - timedelta(seconds=1))
    with provider.down():
        reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "provider_unavailable")
    assert SandboxEvent.objects.get(action="gave up").outcome == "provider_unavailable"

    services.provisioning.initialize_sandbox(user=wanted.owner)
    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.READY


def test_a_row_that_waited_long_for_a_worker_still_gets_its_try(wanted):
    Sandbox.objects.update(provision_deadline=timezone.now() - timedelta(hours=1))

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert wanted.phase == Phase.READY


def test_an_image_that_the_provider_does_not_know_is_named_with_the_remedy(wanted, settings):
    settings.SANDBOX_IMAGE = "acme/nope:latest"
    Sandbox.objects.update(image="acme/nope:latest")

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "unknown_image")
    assert "acme/nope:latest" in wanted.error_message
    assert "SANDBOX_IMAGE" in wanted.error_message
    assert "manage.py images" in wanted.error_message


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "UNAUTHORIZED", "bad_credentials"),
        (403, "UNAUTHORIZED_WORKSPACE", "bad_credentials"),
        (403, "QUOTA_EXCEEDED", "quota_exceeded"),
        (402, "USAGE_LIMIT_EXCEEDED", "quota_exceeded"),
        (400, "INVALID_REGION", "provider_rejected"),
    ],
)
def test_a_refusal_fails_at_once_with_a_code_of_its_own(wanted, provider, status, code, expected):
    body = {"code": code, "message": "secret detail", "error": code, "status_code": status}
    provider.fails(*CREATE, status, body, times=5)

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, expected)
    assert "secret detail" not in wanted.error_message


def test_a_bug_is_not_shown_and_is_tried_again(wanted, monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("an inside matter")

    monkeypatch.setattr("sandboxes.reconciler.starter.projects.current", broken)

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.PENDING, "internal")
    assert "inside matter" not in wanted.error_message
    assert wanted.lease_holder is None
