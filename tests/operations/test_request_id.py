"""The name of a request reaches what a worker does because of it, however it gets to the row."""

import logging

import pytest

from manta.core.request_context import HEADER
from operations import failures, metrics_store
from operations.models import Failure
from operations.prometheus import render
from sandboxes.models import Action, Phase, Sandbox, SandboxEvent
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import PASSWORD
from tests.support.waiting import wait_until

CREATE = ("POST", "/sandboxes")


def sign_in(client, user):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def look(sandbox):
    Sandbox.objects.filter(pk=sandbox.pk).update(next_attempt_at=sandbox.created_at)
    reconcile(sandbox.pk)
    sandbox.refresh_from_db()


@pytest.mark.exhaustive
@pytest.mark.django_db(transaction=True)
def test_the_create_of_a_worker_carries_the_name_of_the_sign_in(client, alice, worker, provider):
    answer = sign_in(client, alice)

    wait_until(lambda: Sandbox.objects.get().phase == Phase.READY, 60)

    assert provider.request_id_of(*CREATE) == answer[HEADER]
    assert SandboxEvent.objects.get(action=Action.READY).request_id == answer[HEADER]


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.READY])
def test_no_phase_is_seen_that_is_not_on_record(wanted, provider, monkeypatch, phase):
    if phase == Phase.READY:
        look(wanted)
        provider.server.http.delete(f"/v0/sandboxes/{wanted.name}")
        wait_until(lambda: provider.server.get(wanted.name)["status"] == "TERMINATED")
    recorded = SandboxEvent.objects.count()

    def killed(*args, **kwargs):
        raise SystemExit

    with monkeypatch.context() as moment, pytest.raises(SystemExit):
        moment.setattr("sandboxes.audit.SandboxEvent.objects.create", killed)
        look(wanted)
    seen = Sandbox.objects.get().phase
    look(wanted)

    assert seen == phase
    assert Sandbox.objects.get().phase != phase
    assert SandboxEvent.objects.count() == recorded + 1


def test_a_retry_is_still_because_of_that_request(wanted, provider):
    Sandbox.objects.update(request_id="of-the-sign-in")
    provider.fails(*CREATE, 503, {"code": "X", "message": "no"})

    look(wanted)
    look(wanted)

    creates = [
        name
        for call, name in zip(provider.calls, provider.request_ids, strict=True)
        if call == CREATE
    ]
    assert creates == ["of-the-sign-in"] * 2
    assert wanted.phase == Phase.READY


def test_the_log_lines_of_the_job_have_the_name(wanted, provider):
    Sandbox.objects.update(request_id="of-the-sign-in")
    provider.fails(*CREATE, 503, {"code": "X", "message": "no"})
    names = []

    class Listener(logging.Handler):
        def emit(self, record):
            names.append(record.request_id)

    listener = Listener()
    listener.addFilter(logging.getLogger().handlers[0].filters[0])
    logging.getLogger("sandboxes.reconciler.reconcile").addHandler(listener)
    look(wanted)
    logging.getLogger("sandboxes.reconciler.reconcile").removeHandler(listener)

    assert set(names) == {"of-the-sign-in"}


def test_what_is_done_later_has_a_name_of_its_own(made, provider):
    assert made.request_id == ""
    provider.reset()

    look(made)

    name = provider.request_id_of("GET", f"/sandboxes/{made.name}")
    assert len(name) == 16


def test_a_request_that_came_meanwhile_is_not_forgotten(made, monkeypatch):
    def keep(sandbox):
        Sandbox.objects.filter(pk=sandbox.pk).update(request_id="of-another-click")

    monkeypatch.setattr("sandboxes.reconciler.reconcile._STEPS", {Phase.READY: keep})
    Sandbox.objects.update(request_id="of-a-click")

    look(made)

    assert made.request_id == "of-another-click"


def test_what_was_given_up_on_is_in_the_admin_and_in_the_metrics(wanted, provider, no_failures):
    metrics_store._written.clear()
    refused = {"code": "QUOTA_EXCEEDED", "message": "no", "error": "no"}
    provider.fails(*CREATE, 403, refused, times=9)
    Sandbox.objects.update(request_id="of-the-sign-in")

    look(wanted)
    failures.flush("worker")

    failure = Failure.objects.get()
    assert failure.title.startswith("quota_exceeded: ")
    assert failure.last_request_id == "of-the-sign-in"
    text = render().decode()
    assert 'manta_reconcile_failures_total{code="quota_exceeded"}' in text
    assert 'manta_sandbox_creates_total{outcome="gave_up"}' in text


def test_how_long_it_took_is_counted_from_the_asking(made):
    metrics_store._written.clear()

    text = render().decode()

    assert 'manta_sandbox_creates_total{outcome="ready"}' in text
    assert "manta_sandbox_create_seconds_count" in text
