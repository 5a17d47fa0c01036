"""The rest that all processes give a provider that does not work, through the real SDK."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from sandboxes import control_plane, data_plane, errors, services
from sandboxes.control_plane import circuit_breaker
from sandboxes.models import Breaker, Heartbeat, Phase, Sandbox
from sandboxes.models.reach import Reach
from sandboxes.presenters.panel import Panel
from sandboxes.reconciler import provider_sync
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, pending

LIST = ("GET", "/sandboxes/")


def fail_once():
    with pytest.raises(errors.ProviderUnavailable):
        control_plane.sandboxes.get("nobody")


def rest_is_over():
    Breaker.objects.update(open_until=timezone.now())


def test_an_outage_costs_few_calls(provider, db):
    with provider.down():
        for _ in range(50):
            fail_once()

    assert len(provider.calls) == circuit_breaker.FAILURES
    assert Breaker.current().state == "open"


def test_a_failure_now_and_then_opens_nothing(provider, db):
    for _ in range(10):
        provider.fails(*LIST, 503, {"error": "no"})
        fail_once()
        control_plane.sandboxes.get("nobody")

    assert Breaker.current().state == "closed"
    assert len(provider.calls) == 20


@pytest.mark.parametrize("status", [400, 401, 404, 408, 409])
def test_a_refusal_is_an_answer(provider, db, status):
    Breaker.objects.create(pk=1, failures=circuit_breaker.FAILURES - 1)
    provider.fails(*LIST, status, {"error": "no", "code": "X"})

    call_whatever_comes()

    assert Breaker.current().state == "closed"
    assert Breaker.current().failures == 0


def call_whatever_comes():
    with suppress(errors.SandboxError):
        control_plane.sandboxes.get("nobody")


def test_after_the_rest_one_call_finds_out_that_it_works_again(provider, db):
    with provider.down():
        for _ in range(circuit_breaker.FAILURES):
            fail_once()
    rest_is_over()
    assert Breaker.current().state == "half-open"

    control_plane.sandboxes.get("nobody")

    assert Breaker.current().state == "closed"


def test_while_one_call_finds_out_no_other_is_made(provider, db):
    Breaker.objects.create(pk=1, open_until=timezone.now())
    provider.calls.clear()

    with circuit_breaker.guard():
        fail_once()

    assert provider.calls == []


def test_each_rest_is_longer_and_none_is_long(provider, db):
    lengths = []
    with provider.down():
        for _ in range(12):
            rest_is_over()
            fail_until_open()
            lengths.append(Breaker.current().open_until - timezone.now())

    assert lengths[0] < timedelta(seconds=2.1)
    assert lengths[-1] > timedelta(seconds=7)
    assert max(lengths) < timedelta(seconds=15.1)


def fail_until_open():
    for _ in range(circuit_breaker.FAILURES):
        fail_once()


def test_a_slow_answer_from_before_the_rest_does_not_end_it(provider, db):
    with circuit_breaker.guard(), provider.down():
        fail_until_open()

    assert Breaker.current().state == "open"


def test_retry_after_is_honoured_by_everyone(wanted, provider):
    provider.fails("POST", "/sandboxes", 429, {"error": "slow down"}, headers={"Retry-After": "60"})
    reconcile(wanted.pk)
    other = SandboxFactory(**pending())
    provider.calls.clear()

    reconcile(other.pk)
    provider_sync.sync_all()

    other.refresh_from_db()
    assert provider.calls == []
    assert other.next_attempt_at > timezone.now() + timedelta(seconds=55)


def test_a_sandbox_that_does_not_answer_opens_nothing(provider, db):
    for _ in range(10):
        with pytest.raises(errors.ProviderUnavailable):
            data_plane.processes.list_processes(Reach("http://127.0.0.1:9/manta/sandboxes/dead"))

    assert Breaker.current().state == "closed"


def test_a_rest_counts_as_no_attempt(wanted, provider):
    Breaker.objects.create(pk=1, open_until=timezone.now() + timedelta(seconds=10))

    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.attempts) == (Phase.PENDING, 0)
    assert wanted.next_attempt_at > timezone.now() + timedelta(seconds=9)


def test_nothing_stays_pending_past_its_deadline_while_it_rests(wanted, provider):
    Breaker.objects.create(pk=1, open_until=timezone.now() + timedelta(seconds=60))
    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert wanted.next_attempt_at <= wanted.provision_deadline

    past = timezone.now() - timedelta(seconds=1)
    Sandbox.objects.update(provision_deadline=past, next_attempt_at=past)
    reconcile(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.phase, wanted.error_code) == (Phase.FAILED, "provider_unavailable")


def test_the_panel_tells_of_it_at_once_and_sign_in_works(provider, alice, client):
    Heartbeat.note("worker", ok=True)
    services.provisioning.ensure_sandbox(user=alice)

    with provider.down():
        fail_until_open()

    assert "not answering" in Panel.of(Sandbox.objects.get()).trouble
    client.force_login(alice)
    assert client.get("/workspace/").status_code == 200


def test_opening_a_port_in_a_rest_says_so_at_once(serving, provider):
    Breaker.objects.create(pk=1, open_until=timezone.now() + timedelta(seconds=60))
    provider.calls.clear()

    with pytest.raises(errors.CircuitOpen):
        services.ports.open_port(sandbox=serving, port=3000, actor=serving.owner)

    assert provider.calls == []
