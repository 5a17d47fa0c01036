"""Acts of staff on other people's accounts, and what these people learn of them."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.core import mail

from accounts.models import User
from sandboxes.models import SandboxEvent
from tests.support.factories import PASSWORD, SandboxFactory, UserFactory
from tests.support.second_factors import give_totp

NEW = "an entirely new one"
MODELS = ("user", "group", "emailaddress", "authenticator")


@pytest.fixture
def staff(client, db):
    """A person who may do everything to users, groups, addresses and second factors."""
    person = UserFactory(email="staff@example.com", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__model__in=MODELS))
    client.force_login(person)
    return person


def form_of(user, **fields):
    return {"email": user.email, "is_active": "on"} | fields


def change(client, user, **fields):
    return client.post(f"/admin/accounts/user/{user.pk}/change/", form_of(user, **fields))


def set_password(client, user):
    path = f"/admin/accounts/user/{user.pk}/password/"
    fields = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    return client.post(path, fields)


def test_staff_change_those_who_are_no_staff(client, staff, alice):
    assert change(client, alice, email="a@example.com").status_code == 302
    assert set_password(client, alice).status_code == 302

    alice.refresh_from_db()
    assert alice.email == "a@example.com"
    assert alice.check_password(NEW)


@pytest.mark.parametrize("own", [True, False])
def test_staff_make_nobody_staff_or_superuser_and_give_no_group(client, staff, alice, own):
    group = Group.objects.create(name="operators")
    group.permissions.set(Permission.objects.all())
    person = staff if own else alice

    change(client, person, is_superuser="on", is_staff="on", groups=[group.pk])

    person.refresh_from_db()
    assert not person.is_superuser
    assert person.is_staff == own
    assert not person.groups.exists()


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("role", ["is_superuser", "is_staff"])
def test_staff_touch_neither_superusers_nor_other_staff(client, staff, role, is_active):
    other = UserFactory(email="other@example.com", is_active=is_active, **{role: True})
    give_totp(other)
    row = EmailAddress.objects.get(user=other)
    factor = Authenticator.objects.filter(user=other).first()
    selected = {"action": "delete_selected", "post": "yes"}

    for path in (
        f"/admin/accounts/user/{other.pk}/delete/",
        f"/admin/account/emailaddress/{row.pk}/delete/",
        f"/admin/mfa/authenticator/{factor.pk}/delete/",
    ):
        client.post(path, {"post": "yes"})
    client.post("/admin/accounts/user/", selected | {"_selected_action": [other.pk]})
    client.post("/admin/account/emailaddress/", selected | {"_selected_action": [row.pk]})
    client.post("/admin/mfa/authenticator/", selected | {"_selected_action": [factor.pk]})
    change(client, other, email="mine@example.com")
    set_password(client, other)
    client.post(
        f"/admin/account/emailaddress/{row.pk}/change/",
        {"user": other.pk, "email": "mine@example.com", "verified": "on", "primary": "on"},
    )

    found = User.objects.get(pk=other.pk)
    assert (found.email, found.check_password(PASSWORD)) == ("other@example.com", True)
    assert Authenticator.objects.filter(user=other).count() == 2
    assert EmailAddress.objects.get(user=other).email == "other@example.com"


def test_staff_give_nobody_elses_account_an_address(client, staff, admin_user):
    client.post(
        "/admin/account/emailaddress/add/",
        {"user": admin_user.pk, "email": "mine@example.com", "verified": "on"},
    )

    assert not EmailAddress.objects.exists()


def test_staff_change_no_group(client, staff):
    group = Group.objects.create(name="operators")
    everything = [permission.pk for permission in Permission.objects.all()]

    path = f"/admin/auth/group/{group.pk}/change/"
    client.post(path, {"name": "operators", "permissions": everything})

    assert not group.permissions.exists()


def test_a_superuser_may_do_all_of_it(client, admin_user, alice):
    client.force_login(admin_user)

    assert change(client, alice, is_staff="on").status_code == 302

    alice.refresh_from_db()
    assert alice.is_staff


@pytest.mark.parametrize("many", [True, False])
def test_an_admins_deletion_of_an_account_is_recorded_as_the_admins(
    client, admin_user, alice, many
):
    sandbox = SandboxFactory(owner=alice)
    client.force_login(admin_user)

    if many:
        fields = {"action": "delete_selected", "_selected_action": [alice.pk], "post": "yes"}
        client.post("/admin/accounts/user/", fields)
    else:
        client.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"})

    event = SandboxEvent.objects.get(action="delete requested")
    assert event.sandbox_name == sandbox.name
    assert (event.actor, event.actor_kind) == (admin_user, "admin")
    assert event.actor_name == "admin@example.com"
    assert not User.objects.filter(pk=alice.pk).exists()


def test_a_password_that_an_admin_sets_is_recorded_and_the_person_is_told(
    client, admin_user, alice
):
    SandboxFactory(owner=alice)
    client.force_login(admin_user)

    set_password(client, alice)

    event = SandboxEvent.objects.get()
    assert (event.action, event.actor, event.actor_kind) == ("password set", admin_user, "admin")
    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    assert "admin@example.com" in message.body
    assert NEW not in message.body


def test_a_password_that_is_refused_is_neither_recorded_nor_mailed(client, admin_user, alice):
    SandboxFactory(owner=alice)
    client.force_login(admin_user)

    fields = {"password1": NEW, "password2": "another one", "usable_password": "true"}
    client.post(f"/admin/accounts/user/{alice.pk}/password/", fields)

    assert not SandboxEvent.objects.exists()
    assert not mail.outbox


@pytest.mark.parametrize(
    "lookup",
    ["mfa/authenticator/?data__contains=sealed", "mfa/authenticator/?user__password__gt=a"],
)
def test_no_filter_tells_what_no_page_shows(client, admin_user, alice, lookup):
    give_totp(alice)
    client.force_login(admin_user)

    assert client.get(f"/admin/{lookup}").status_code == 400
    assert client.get("/admin/mfa/authenticator/?type__exact=totp").status_code == 200
