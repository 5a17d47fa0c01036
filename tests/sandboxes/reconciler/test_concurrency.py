"""Many at once, with real threads and a real database."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.allauth_forms import SignUpForm
from accounts.models import User
from sandboxes import services
from sandboxes.models import Creation, Phase, Quota, Sandbox
from sandboxes.reconciler import leases
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import PASSWORD, SandboxFactory, UserFactory, pending
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_twenty_sign_ins_at_once_make_one_sandbox_with_one_create(provider, settings):
    settings.ACCOUNT_RATE_LIMITS = False  # they count sign-ins that are under way as failed
    user = UserFactory(email="alice@example.com")

    def sign_in_and_let_a_worker_look(number):
        form = {"login": user.email, "password": PASSWORD}
        status = Client().post("/accounts/login/", form).status_code
        for sandbox in Sandbox.objects.all():
            reconcile(sandbox.pk)
        return status

    answers = at_once(20, sign_in_and_let_a_worker_look)

    reconcile(Sandbox.objects.get().pk)
    assert answers == [302] * 20
    assert Sandbox.objects.get().phase == Phase.READY
    assert User.objects.get().sandbox_id == f"user-{user.pk}"
    assert provider.count("POST", "/sandboxes") == 1
    assert provider.server.names() == [f"user-{user.pk}"]


@pytest.mark.parametrize(
    ("verification", "answers"), [("optional", [200, 200, 200, 302]), ("mandatory", [302] * 4)]
)
def test_equal_sign_ups_at_once_make_one_account(settings, monkeypatch, verification, answers):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    settings.ACCOUNT_RATE_LIMITS = False
    form = {"email": "carol@example.com", "password1": PASSWORD}
    checked, save = threading.Barrier(4, timeout=60), SignUpForm.save

    def save_once_all_are_checked(self, request):
        checked.wait()
        return save(self, request)

    monkeypatch.setattr(SignUpForm, "save", save_once_all_are_checked)

    told = at_once(4, lambda number: Client().post("/accounts/signup/", form).status_code)

    assert sorted(told) == answers
    assert User.objects.get().email == "carol@example.com"


def test_twenty_inits_at_once_get_the_same_row():
    user = UserFactory()

    rows = at_once(20, lambda number: services.provisioning.initialize_sandbox(user=user).pk)

    assert len(set(rows)) == 1


def test_one_worker_at_a_time_has_a_row():
    sandbox = SandboxFactory(**pending())

    taken = at_once(10, lambda number: leases.acquire(sandbox.pk))

    assert sum(row is not None for row in taken) == 1


def test_of_two_workers_that_see_a_row_due_one_takes_it(monkeypatch):
    sandbox = SandboxFactory(phase=Phase.READY, next_attempt_at=timezone.now())
    both_have_looked = threading.Barrier(2, timeout=60)

    def atomic():
        both_have_looked.wait()
        return transaction.atomic()

    monkeypatch.setattr(leases, "transaction", SimpleNamespace(atomic=atomic))

    taken = at_once(2, lambda number: leases.acquire(sandbox.pk))

    assert sum(row is not None for row in taken) == 1


def test_the_row_of_a_killed_worker_is_taken_when_its_lease_runs_out():
    sandbox = SandboxFactory(**pending())
    leases.acquire(sandbox.pk)
    assert leases.acquire(sandbox.pk) is None

    Sandbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert leases.acquire(sandbox.pk) is not None


def test_a_worker_that_lost_its_lease_changes_nothing():
    slow = leases.acquire(SandboxFactory(**pending()).pk)
    Sandbox.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    leases.acquire(slow.pk)

    assert leases.save(slow, phase=Phase.READY) is False
    assert Sandbox.objects.get().phase == Phase.PENDING


def test_what_is_asked_for_during_a_lease_is_not_forgotten():
    sandbox = SandboxFactory(**pending())
    held = leases.acquire(sandbox.pk)

    services.row_updates.refresh_sandbox(sandbox=Sandbox.objects.get())
    leases.release(held)

    assert Sandbox.objects.due().get() == sandbox


def test_an_unsettled_row_without_a_date_is_found_by_the_sweep():
    sandbox = SandboxFactory(**pending(next_attempt_at=None))

    assert Sandbox.objects.due().get() == sandbox


def test_a_user_whose_id_came_back_waits_for_the_old_sandbox_to_go():
    user = UserFactory()
    SandboxFactory(owner=user, phase=Phase.DELETING)
    Sandbox.objects.update(owner=None)

    response = Client()
    response.force_login(user)
    answer = response.post("/api/sandbox/init")

    assert answer.status_code == 409
    assert answer.json()["code"] == "sandbox_busy"


def test_a_quota_lets_no_more_in_when_many_come_at_once():
    Quota.objects.create(scope="all", sandboxes=3)
    users = UserFactory.create_batch(10)

    at_once(10, lambda number: services.provisioning.ensure_sandbox(user=users[number]))

    assert Sandbox.objects.filter(phase=Phase.PENDING).count() == 3
    assert Sandbox.objects.filter(error_code="quota_sandboxes").count() == 7


def test_ten_clicks_on_recreate_are_one_creation(alice):
    sandbox = SandboxFactory(owner=alice, phase=Phase.GONE)
    Quota.objects.create(scope="each", creations_per_hour=5)

    at_once(10, lambda number: services.provisioning.start_over(sandbox=sandbox, actor=alice))

    assert Creation.objects.count() == 1
