"""Whatever happens, in whatever order: one sandbox a user, never another's, and it settles."""

import random
from contextlib import suppress

import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from sandboxes import errors, services
from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models import Breaker, Creation, Heartbeat, Orphan, Phase, Sandbox, SandboxEvent
from sandboxes.reconciler import leases, orphans, provider_sync, start_queue
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import UserFactory
from tests.support.fake_provider import STRANGER, TROUBLES, FakeProvider, Killed
from tests.support.waiting import wait_until

PEOPLE = st.integers(0, 2)
LIES = st.sampled_from(
    [
        {"status": "HIBERNATING"},
        {"status": "", "state": ""},
        {"url": ""},
        {"labels": STRANGER},
        {"labels": {}},
        {"status": "FAILED"},
        {"expires_at": None, "created_at": None},
    ]
)
provider = FakeProvider()


class Life(RuleBasedStateMachine):
    """People, workers and a provider, each doing what they like."""

    @initialize()
    def people_sign_up(self):
        provider.reset()
        forget_everything()
        self.people = UserFactory.create_batch(3)

    # ---- People

    def row(self, person):
        return Sandbox.objects.filter(name=f"user-{self.people[person].pk}").first()

    @rule(person=PEOPLE)
    def signs_in(self, person):
        with suppress(errors.SandboxError):
            services.provisioning.ensure_sandbox(user=self.people[person])

    @rule(person=PEOPLE)
    def presses_initialize(self, person):
        with suppress(errors.SandboxError):
            services.provisioning.initialize_sandbox(user=self.people[person])

    @rule(person=PEOPLE)
    def deletes(self, person):
        if row := self.row(person):
            services.deletion.delete_sandbox(sandbox=row, actor=self.people[person])

    @rule(person=PEOPLE)
    def resets(self, person):
        if row := self.row(person):
            with suppress(errors.SandboxError):
                services.deletion.reset_sandbox(sandbox=row, actor=self.people[person])

    # ---- The provider

    @rule(troubles=st.lists(st.sampled_from(TROUBLES), min_size=1, max_size=6))
    def misbehaves(self, troubles):
        provider.troubles.extend(troubles)

    @rule(person=PEOPLE, lie=LIES)
    def lies(self, person, lie):
        provider.lies[f"user-{self.people[person].pk}"] = lie

    @rule()
    def tells_the_truth_again(self):
        provider.lies.clear()

    @rule(person=PEOPLE)
    def loses_a_sandbox(self, person):
        provider.sandboxes.pop(f"user-{self.people[person].pk}", None)

    @rule(person=PEOPLE)
    def gives_the_name_to_a_stranger(self, person):
        name = f"user-{self.people[person].pk}"
        stranger = ProviderSandbox(
            name=name,
            status="DEPLOYED",
            state="RUNNING",
            url=f"https://sandboxes.example/{name}",
            created_at=provider.now,
            labels=STRANGER,
        )
        provider.sandboxes.setdefault(name, stranger)

    @rule(seconds=st.sampled_from([1, 3, 11, 40, 130, 7200, 90_000]))
    def time_passes(self, seconds):
        provider.passes(seconds)

    # ---- Workers

    @rule()
    def a_worker_sweeps(self):
        now = provider.now
        late = (
            Sandbox.objects.queue().filter(provision_deadline__lte=now).values_list("pk", flat=True)
        )
        overdue = set(late)
        if sweep():
            still = Sandbox.objects.filter(
                pk__in=overdue, phase=Phase.PENDING, provision_deadline__lte=now
            )
            assert not still.exists(), "pending past its deadline and a sweep"

    @rule()
    def a_worker_looks(self):
        with suppress(Killed):
            provider_sync.sync_all()
        provider.killed = False

    @invariant()
    def nobody_elses_was_touched(self):
        assert provider.harm == []

    @invariant()
    def nobody_has_two(self):
        owners = [record.labels.get("manta-owner") for record in provider.sandboxes.values()]
        mine = [owner for owner in owners if owner != STRANGER["manta-owner"]]
        assert len(mine) == len(set(mine))

    # ---- The end of it

    def teardown(self):
        provider.stops_misbehaving()
        settle()
        for person in self.people:
            with suppress(errors.SandboxError):
                services.provisioning.initialize_sandbox(user=person)
        settle()
        self.nobody_elses_was_touched()
        for row in Sandbox.objects.all():
            record = provider.sandboxes[row.name]
            taken = record.labels == STRANGER
            expected = (Phase.FAILED, "wrong_owner") if taken else (Phase.READY, "")
            assert (row.phase, row.error_code) == expected
        stray = {name for name, record in provider.sandboxes.items() if record.labels == STRANGER}
        assert {orphan.name for orphan in orphans.find()} == stray


def sweep():
    """What a worker does at each turn; whether it lived through it."""
    try:
        for pk in [*start_queue.startable_ids(), *Sandbox.objects.due_for_maintenance(100)]:
            reconcile(pk)
    except Killed:
        return False
    finally:
        provider.killed = False
    return True


def settle():
    """Without faults, everything is as it should be within two deadlines."""
    moving = Q(phase__in=[Phase.PENDING, Phase.DELETING]) | Q(lease_holder__isnull=False)
    for turn in range(40):
        provider.passes(6)
        sweep()
        provider_sync.sync_all()
        if turn > 6 and not Sandbox.objects.filter(moving).exists():
            return
    raise AssertionError(f"not settled: {Sandbox.objects.filter(moving).values()}")


def forget_everything():
    leases._held.clear()
    SandboxEvent.objects.all()._raw_delete("default")
    for model in (Sandbox, Breaker, Heartbeat, Orphan, Creation):
        model.objects.all().delete()


@pytest.mark.exhaustive
@pytest.mark.django_db
def test_it_always_settles_with_one_sandbox_for_each_and_never_anothers(monkeypatch):
    provider.install(monkeypatch)

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            database=None,
            # Shrinking takes minutes: add it when this fails.
            phases=[HypothesisPhase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


# ---- The same with the real SDK and a real provider, for a while

DEEDS = [
    lambda user, provider: services.provisioning.initialize_sandbox(user=user),
    lambda user, provider: services.provisioning.initialize_sandbox(user=user),
    lambda user, provider: services.deletion.delete_sandbox(sandbox=own(user), actor=user),
    lambda user, provider: services.deletion.reset_sandbox(sandbox=own(user), actor=user),
    lambda user, provider: provider.loses_answer("POST", "/sandboxes"),
    lambda user, provider: provider.loses_answer("DELETE", "/sandboxes"),
    lambda user, provider: provider.fails("POST", "/sandboxes", 503, {"error": "no"}),
    lambda user, provider: provider.fails("GET", "/sandboxes", 200, b"<html>", times=2),
    lambda user, provider: provider.server.http.delete(f"/v0/sandboxes/user-{user.pk}"),
]


def own(user):
    return Sandbox.objects.get(owner=user)


def live_a_while(provider, people, steps):
    chance = random.Random(7)
    for _ in range(steps):
        with suppress(errors.SandboxError, Sandbox.DoesNotExist):
            chance.choice(DEEDS)(chance.choice(people), provider)
        turn()


def turn():
    """A sweep, without the waits."""
    Breaker.objects.update(open_until=None)
    Sandbox.objects.update(next_attempt_at=timezone.now())
    sweep()


@pytest.mark.django_db
def test_a_real_provider_that_fails_ends_with_one_sandbox_for_each_row(provider):
    people = UserFactory.create_batch(2)

    live_a_while(provider, people, steps=20)
    provider.faults.clear()

    def all_agree():
        turn()
        made = Sandbox.objects.filter(phase=Phase.READY).values_list("name", flat=True)
        moving = Sandbox.objects.filter(phase__in=[Phase.PENDING, Phase.DELETING]).exists()
        return not moving and sorted(made) == sorted(provider.server.names())

    wait_until(all_agree)
