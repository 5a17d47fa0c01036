"""Limits that an admin sets: who is let in, who isn't, and what they are told."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sandboxes import errors, services
from sandboxes.models import Creation, Phase, Quota, Sandbox, SandboxEvent
from sandboxes.services import quotas
from tests.support.factories import PASSWORD, SandboxFactory, UserFactory

pytestmark = pytest.mark.django_db


def limit(scope, user=None, **limits):
    return Quota.objects.create(scope=scope, user=user, **limits)


def test_without_quotas_everybody_is_let_in():
    sandbox = services.provisioning.initialize_sandbox(user=UserFactory())

    assert sandbox.phase == Phase.PENDING


def test_a_sign_in_works_where_a_quota_forbids_the_sandbox(
    client, django_capture_on_commit_callbacks
):
    user = UserFactory()
    limit("all", sandboxes=0)

    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})

    sandbox = Sandbox.objects.get()
    assert response.status_code == 302
    assert (sandbox.phase, sandbox.error_code) == (Phase.FAILED, "quota_sandboxes")
    assert SandboxEvent.objects.get().action == "quota refused"
    assert not Sandbox.objects.due().exists()


def test_the_panel_says_why_and_when_with_one_action(client):
    expires_at = timezone.now() + timedelta(hours=5)
    SandboxFactory(expires_at=expires_at)
    limit("all", sandboxes=1)
    user = UserFactory()
    services.provisioning.ensure_sandbox(user=user)
    client.force_login(user)

    page = client.get("/sandbox/panel/").content.decode()

    assert "This installation allows 1 sandbox, and all exist already." in page
    assert f"One expires at {expires_at:%H:%M} UTC" in page
    assert "Retry" in page


def test_the_api_answers_429_with_when_to_come_back(client):
    SandboxFactory(expires_at=timezone.now() + timedelta(hours=5))
    limit("all", sandboxes=1)
    client.force_login(UserFactory())

    response = client.post("/api/sandbox/init")

    assert response.status_code == 429
    assert response.json()["code"] == "quota_sandboxes"
    assert 17_900 < int(response["Retry-After"]) <= 18_000


def test_the_next_sign_in_tries_again(client):
    user = UserFactory()
    quota = limit("all", sandboxes=0)
    services.provisioning.ensure_sandbox(user=user)
    quota.delete()

    services.provisioning.ensure_sandbox(user=user)

    assert Sandbox.objects.get().phase == Phase.PENDING


def test_memory_is_counted_over_all_that_were_let_in():
    SandboxFactory(memory_mb=4096)
    limit("all", memory_mb=8191)

    with pytest.raises(errors.QuotaReached, match="4096 MB are in use") as caught:
        services.provisioning.initialize_sandbox(user=UserFactory())

    assert caught.value.code == "quota_memory"


def test_one_that_a_quota_forbade_takes_no_place():
    quota = limit("all", sandboxes=0)
    services.provisioning.ensure_sandbox(user=UserFactory())
    Quota.objects.filter(pk=quota.pk).update(sandboxes=1)

    sandbox = services.provisioning.initialize_sandbox(user=UserFactory())

    assert sandbox.phase == Phase.PENDING


def test_creations_are_counted_for_an_hour_also_after_the_sandbox_has_gone(alice):
    limit("each", creations_per_hour=2)
    first = timezone.now() - timedelta(minutes=50)
    Creation.objects.create(owner=alice, created_at=first)
    Creation.objects.create(owner=alice)

    with pytest.raises(errors.QuotaReached) as caught:
        services.provisioning.initialize_sandbox(user=alice)

    assert caught.value.code == "quota_creations"
    assert caught.value.frees_at == first + timedelta(hours=1)
    assert 595 < caught.value.retry_after <= 600


def test_an_hour_later_there_is_room_again(alice):
    limit("each", creations_per_hour=1)
    Creation.objects.create(owner=alice, created_at=timezone.now() - timedelta(minutes=61))

    assert services.provisioning.initialize_sandbox(user=alice).phase == Phase.PENDING


def test_ones_own_limits_replace_everybodys(alice, bob):
    limit("each", sandboxes=0)
    limit("user", user=alice, sandboxes=1)

    assert services.provisioning.initialize_sandbox(user=alice).phase == Phase.PENDING
    with pytest.raises(errors.QuotaReached):
        services.provisioning.initialize_sandbox(user=bob)


def test_others_do_not_count_against_each(alice):
    SandboxFactory()
    limit("each", sandboxes=1)

    assert services.provisioning.initialize_sandbox(user=alice).phase == Phase.PENDING


def test_a_recreate_is_a_creation_and_a_retry_is_not(alice):
    limit("each", creations_per_hour=1)
    sandbox = services.provisioning.initialize_sandbox(user=alice)
    Sandbox.objects.update(phase=Phase.FAILED, error_code="provider_unavailable")
    assert services.provisioning.initialize_sandbox(user=alice).phase == Phase.PENDING
    Sandbox.objects.update(phase=Phase.GONE)

    with pytest.raises(errors.QuotaReached):
        services.provisioning.initialize_sandbox(user=alice)

    sandbox.refresh_from_db()
    assert sandbox.phase == Phase.GONE


def test_a_reset_is_a_creation_and_one_that_is_refused_leaves_the_sandbox_alone(alices_sandbox):
    limit("each", sandboxes=1, creations_per_hour=0)

    with pytest.raises(errors.QuotaReached):
        services.deletion.reset_sandbox(sandbox=alices_sandbox, actor=alices_sandbox.owner)

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.phase == Phase.READY
    assert SandboxEvent.objects.get().outcome == "quota_creations"


def test_what_is_too_old_to_count_is_forgotten(alice):
    Creation.objects.create(owner=alice, created_at=timezone.now() - timedelta(hours=2))
    young = Creation.objects.create(owner=alice)

    quotas.forget_creations()

    assert Creation.objects.get() == young


def test_a_quota_is_edited_in_admin_and_the_change_is_recorded(client, admin_user, alice):
    client.force_login(admin_user)
    form = {"scope": "user", "user": alice.pk, "sandboxes": "1", "memory_mb": "4096"}
    client.post("/admin/sandboxes/quota/add/", form)
    quota = Quota.objects.get()

    client.post(f"/admin/sandboxes/quota/{quota.pk}/change/", {**form, "memory_mb": "8192"})

    quota.refresh_from_db()
    event = SandboxEvent.objects.filter(action="quota changed").first()
    assert quota.memory_mb == 8192
    assert (event.owner, event.actor) == (alice, admin_user)
    assert event.reason == "Memory (MB): 4096 → 8192"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"scope": "user"}, "user"),
        ({"scope": "all", "user": "alice"}, "user"),
        ({"scope": "each", "sandboxes": "-1"}, "sandboxes"),
    ],
)
def test_a_mistake_in_a_quota_names_the_field(client, admin_user, alice, form, field):
    client.force_login(admin_user)
    sent = {**form, "user": alice.pk} if form.get("user") else form

    response = client.post("/admin/sandboxes/quota/add/", sent)

    assert field in response.context["adminform"].form.errors
    assert not Quota.objects.exists()


def test_a_second_quota_of_a_scope_is_refused_by_name(client, admin_user):
    limit("all", sandboxes=1)
    client.force_login(admin_user)

    response = client.post("/admin/sandboxes/quota/add/", {"scope": "all", "sandboxes": "2"})

    assert "scope" in response.context["adminform"].form.errors


def test_staff_without_the_permission_cannot_change_a_quota():
    user = UserFactory(is_staff=True)
    quota = limit("all", sandboxes=1)
    client = Client()
    client.force_login(user)

    response = client.post(f"/admin/sandboxes/quota/{quota.pk}/change/", {"scope": "all"})

    assert response.status_code == 403
