from datetime import timedelta

import pytest
from django.utils import timezone

from sandboxes.models import Phase, Sandbox, SandboxEvent
from tests.support.factories import SandboxFactory, UserFactory

LIST = "/admin/sandboxes/sandbox/"


@pytest.fixture
def admin(client, admin_user):
    client.force_login(admin_user)
    return client


@pytest.fixture
def failed(alice):
    return SandboxFactory(
        owner=alice,
        phase=Phase.FAILED,
        error_code="unknown_image",
        error_message="The provider has no image 'nope'.",
    )


def act(client, action, *sandboxes, **more):
    pks = [sandbox.pk for sandbox in sandboxes]
    return client.post(LIST, {"action": action, "_selected_action": pks, **more}, follow=True)


def test_an_admin_sees_why_it_failed_and_retries_it_without_a_shell(admin, admin_user, failed):
    page = admin.get(LIST)
    assert "The provider has no image" in page.text

    act(admin, "retry", failed)

    failed.refresh_from_db()
    assert failed.phase == Phase.PENDING
    assert failed.provision_deadline > timezone.now()
    assert Sandbox.objects.due().get() == failed
    event = SandboxEvent.objects.get(action="retry")
    assert (event.actor, event.actor_kind) == (admin_user, "admin")


def test_retry_leaves_a_sandbox_that_works_alone(admin, alices_sandbox):
    response = act(admin, "retry", alices_sandbox)

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.phase == Phase.READY
    assert "1 had nothing to retry" in response.text


def test_refresh_marks_the_row_due(admin, alices_sandbox):
    act(admin, "refresh", alices_sandbox)

    assert Sandbox.objects.due().get() == alices_sandbox


def test_delete_asks_first_and_then_deletes(admin, alices_sandbox):
    page = act(admin, "delete_sandboxes", alices_sandbox)
    alices_sandbox.refresh_from_db()
    assert "cannot be undone" in page.text
    assert alices_sandbox.phase == Phase.READY

    act(admin, "delete_sandboxes", alices_sandbox, confirmed="yes", reason="She left.")

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.phase == Phase.DELETING
    event = SandboxEvent.objects.get(action="delete requested")
    assert (event.actor_kind, event.reason) == ("admin", "She left.")


def test_without_a_reason_nothing_is_deleted_or_reset(admin, alices_sandbox):
    act(admin, "delete_sandboxes", alices_sandbox, confirmed="yes", reason=" ")
    act(admin, "reset_sandboxes", alices_sandbox, confirmed="yes")

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.phase == Phase.READY


def test_reset_tells_what_is_lost_and_then_resets(admin, alices_sandbox):
    Sandbox.objects.update(unsaved_work=[{"folder": "/x"}], unsaved_checked_at=timezone.now())
    page = act(admin, "reset_sandboxes", alices_sandbox)
    assert "unsaved work in 1 git folder" in page.text

    act(admin, "reset_sandboxes", alices_sandbox, confirmed="yes", reason="It was stuck.")

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.state.name == "resetting"
    assert alices_sandbox.name in admin.get(LIST, {"status": "provisioning"}).text


def test_restart_is_asked_for_where_there_is_something_to_restart(admin, alices_sandbox):
    failed = SandboxFactory(phase=Phase.FAILED)

    response = act(admin, "restart", alices_sandbox, failed)

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.restart_wanted_at is not None
    assert "1 had nothing to restart" in response.text
    assert SandboxEvent.objects.get(action="restart requested").actor_kind == "admin"


def test_what_is_left_of_deleted_accounts_can_be_listed(admin, alices_sandbox):
    SandboxFactory(owner=UserFactory(email="bob@example.com"))
    admin.post(f"/admin/accounts/user/{alices_sandbox.owner.pk}/delete/", {"post": "yes"})

    page = admin.get(LIST, {"account": "deleted"})

    assert "1 sandbox" in page.text
    assert alices_sandbox.name in page.text


def test_nothing_of_a_sandbox_is_edited_by_hand(admin, alices_sandbox):
    page = admin.get(f"{LIST}{alices_sandbox.pk}/change/")

    assert page.status_code == 200
    assert 'name="image"' not in page.text
    assert admin.post(f"{LIST}{alices_sandbox.pk}/change/", {"image": "x"}).status_code == 403
    assert admin.get(f"{LIST}add/").status_code == 403


def test_sandbox_and_user_link_to_each_other(admin, alices_sandbox):
    sandbox_page = admin.get(LIST)
    user_page = admin.get("/admin/accounts/user/")

    assert f"/admin/accounts/user/{alices_sandbox.owner.pk}/change/" in sandbox_page.text
    assert f"/admin/sandboxes/sandbox/{alices_sandbox.pk}/change/" in user_page.text


def test_search_finds_by_owner_and_by_error(admin, failed):
    SandboxFactory(owner=UserFactory(email="bob@example.com"))

    assert "user-" in admin.get(LIST, {"q": "alice@"}).text
    assert "1 sandbox" in admin.get(LIST, {"q": "unknown_image"}).text


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("active", {}),
        ("standby", {"provider_state": "STANDBY", "known_status": "standby"}),
        ("failed", {"phase": Phase.FAILED}),
        ("stopped", {"phase": Phase.GONE}),
        ("provisioning", {"phase": Phase.PENDING, "provision_deadline": timezone.now()}),
    ],
)
def test_the_list_filters_by_the_status_it_shows(admin, status, fields):
    wanted = SandboxFactory(**fields)
    SandboxFactory(provider_status="FAILED", known_status="unknown")

    page = admin.get(LIST, {"status": status})

    assert wanted.name in page.text
    assert "1 sandbox" in page.text


@pytest.mark.parametrize("rows", [10, 1000])
def test_the_list_makes_a_constant_number_of_queries(admin, django_assert_num_queries, rows):
    now = timezone.now()
    users = UserFactory.create_batch(10)
    Sandbox.objects.bulk_create(
        Sandbox(
            name=f"user-x{number}",
            owner=users[number % 10],
            image="i",
            memory_mb=4096,
            ttl=timedelta(hours=1),
            phase=Phase.READY,
            checked_at=now,
        )
        for number in range(rows)
    )
    admin.get(LIST)

    with django_assert_num_queries(4):
        admin.get(LIST)


def test_deleting_a_user_in_admin_has_their_sandbox_deleted(admin, alices_sandbox):
    admin.post(f"/admin/accounts/user/{alices_sandbox.owner.pk}/delete/", {"post": "yes"})

    alices_sandbox.refresh_from_db()
    assert alices_sandbox.owner is None
    assert alices_sandbox.phase == Phase.DELETING


def test_a_user_can_be_added_by_e_mail(admin):
    fields = {"email": "carol@example.com", "usable_password": "true"}
    password = "a long enough password"

    admin.post(
        "/admin/accounts/user/add/", {**fields, "password1": password, "password2": password}
    )

    assert admin.login(email="carol@example.com", password=password)


def test_admin_signs_in_through_the_sites_own_page(client, db):
    response = client.get("/admin/", follow=True)

    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_who_is_not_staff_is_refused(client, alice):
    client.force_login(alice)

    assert client.get(LIST, follow=True).status_code == 403


def test_hostile_text_is_shown_as_text(admin):
    script = "<script>alert(1)</script>"
    SandboxFactory(phase=Phase.FAILED, error_message=script, image=script)

    assert script not in admin.get(LIST).text


@pytest.mark.parametrize("lookup", ["data_token__startswith=sealed", "data_url__contains=a"])
def test_no_filter_tells_what_opens_a_sandbox(admin, alices_sandbox, lookup):
    assert admin.get(f"/admin/sandboxes/sandbox/?{lookup}").status_code == 400
    assert admin.get("/admin/sandboxes/sandbox/?phase__exact=ready").status_code == 200
