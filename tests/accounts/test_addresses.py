"""An e-mail address belongs to one account, from the sign-up on."""

import re

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth.models import Group
from django.core import mail
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.support.factories import PASSWORD, UserFactory
from tests.support.second_factors import confirm_email, reauthenticate

ADDRESS = "/accounts/email/"
TAKEN = "A user is already registered with this email address."

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice_at_home(client, alice):
    """Alice, signed in, as she may change her address."""
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    client.force_login(alice)
    reauthenticate(client)
    return client


def change_to(client, email):
    return client.post(ADDRESS, {"email": email, "action_add": ""}, follow=True)


def link_in(message, path):
    link = next(word for word in message.body.split() if path in word)
    return link[link.index("/accounts/") :]


def sign_in_by_code(email):
    """A person who reads the mail of that address; returns what the sign-in answered."""
    visitor = Client()
    visitor.post("/accounts/login/code/", {"email": email})
    code = code_in(mail.outbox[-1])
    answer = visitor.post("/accounts/login/code/confirm/", {"code": code})
    return visitor, answer


def code_in(message):
    return re.search(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})\s*$", message.body, re.MULTILINE)[1]


@pytest.mark.parametrize(
    "spelling", ["alice@example.com\u200b", "al\u00adice@example.com", "\u2060alice@example.com"]
)
def test_an_address_has_no_character_that_mail_leaves_out(client, alice, spelling):
    client.post("/accounts/signup/", {"email": spelling, "password1": PASSWORD})

    assert list(User.objects.all()) == [alice]
    assert mail.outbox == []


@pytest.mark.parametrize("spelling", ["carol@example.com", "CAROL@example.com"])
@pytest.mark.parametrize("is_verified", [True, False, None])
def test_an_address_of_another_account_cannot_be_added(alice_at_home, spelling, is_verified):
    carol = UserFactory(email="Carol@example.com")
    if is_verified is not None:
        EmailAddress.objects.create(user=carol, email="carol@example.com", verified=is_verified)

    page = change_to(alice_at_home, spelling)

    assert TAKEN in page.text
    assert not EmailAddress.objects.filter(user__email="alice@example.com", email=spelling).exists()
    assert not mail.outbox


def test_an_address_that_another_account_is_changing_to_cannot_be_added(alice_at_home, bob):
    EmailAddress.objects.create(user=bob, email="new@example.com")

    assert TAKEN in change_to(alice_at_home, "new@example.com").text


@pytest.fixture
def carol_with_a_rival(alice):
    """Carol has not confirmed her address, and another account claims it by a change."""
    carol = UserFactory(email="carol@example.com")
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    EmailAddress.objects.create(user=alice, email=carol.email)
    return carol


def test_a_code_signs_in_to_the_account_whose_address_it_is(carol_with_a_rival):
    visitor, answer = sign_in_by_code("carol@example.com")

    assert answer.url == "/workspace/"
    assert int(visitor.session["_auth_user_id"]) == carol_with_a_rival.pk
    assert EmailAddress.objects.get(verified=True).user == carol_with_a_rival


def test_a_reset_is_of_the_account_whose_address_it_is(client, carol_with_a_rival):
    client.post("/accounts/password/reset/", {"email": "carol@example.com"})

    assert [message.to for message in mail.outbox] == [["carol@example.com"]]
    form = client.get(link_in(mail.outbox[0], "/password/reset/key/"), follow=True)
    new = "an entirely new one"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    carol_with_a_rival.refresh_from_db()
    assert carol_with_a_rival.check_password(new)
    assert User.objects.get(email="alice@example.com").check_password(PASSWORD)


def test_a_change_that_another_account_claims_as_its_address_is_not_confirmed(
    client, carol_with_a_rival
):
    claim = EmailAddress.objects.get(user__email="alice@example.com", email="carol@example.com")
    link = reverse("account_confirm_email", args=[EmailConfirmationHMAC(claim).key])

    page = client.post(link, follow=True)

    assert page.status_code == 200
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert User.objects.filter(email="alice@example.com").exists()


def test_no_claim_keeps_the_owner_from_confirming(client, carol_with_a_rival):
    own = EmailAddress.objects.create(user=carol_with_a_rival, email="carol@example.com")

    client.post(reverse("account_confirm_email", args=[EmailConfirmationHMAC(own).key]))

    assert EmailAddress.objects.get(verified=True) == own


def test_a_code_for_an_address_that_was_given_up_signs_nobody_in(alice):
    confirm_email(alice)
    stranger = Client()
    stranger.post("/accounts/login/code/", {"email": "alice@example.com"})
    code = code_in(mail.outbox[-1])
    EmailAddress.objects.update(email="new@example.com")
    User.objects.update(email="new@example.com")

    page = stranger.post("/accounts/login/code/confirm/", {"code": code}, follow=True)

    assert "_auth_user_id" not in stranger.session
    assert "not the address of your account" in page.text


def test_a_change_that_is_not_confirmed_keeps_nobody_from_signing_up(client, alice):
    EmailAddress.objects.create(user=alice, email="dave@example.com")

    client.post("/accounts/signup/", {"email": "dave@example.com", "password1": PASSWORD})

    dave = User.objects.get(email="dave@example.com")
    assert EmailAddress.objects.get(email="dave@example.com").user == dave


@pytest.mark.parametrize("has_row", [True, False])
def test_the_old_address_stays_until_the_new_one_is_confirmed(client, alice, has_row):
    if has_row:
        EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    client.force_login(alice)
    reauthenticate(client)

    for new in ("one@example.com", "two@example.com"):
        change_to(client, new)
        alice.refresh_from_db()
        assert alice.email == "alice@example.com"
    assert "alice@example.com" in client.get(ADDRESS).text
    assert reauthenticate(client).status_code == 302

    client.post(link_in(mail.outbox[-1], "/confirm-email/"))
    alice.refresh_from_db()
    assert alice.email == "two@example.com"
    assert [row.email for row in EmailAddress.objects.all()] == ["two@example.com"]


def test_the_link_of_the_old_address_stays_good(alice_at_home, alice):
    row = EmailAddress.objects.get(user=alice)
    link = reverse("account_confirm_email", args=[EmailConfirmationHMAC(row).key])

    change_to(alice_at_home, "new@example.com")
    Client().post(link)

    assert EmailAddress.objects.get(verified=True) == row


def test_two_people_who_have_confirmed_nothing_can_change_their_address(client, alice, bob):
    for number, person in enumerate((alice, bob)):
        EmailAddress.objects.create(user=person, email=person.email, primary=True)
        client.force_login(person)
        reauthenticate(client)
        assert change_to(client, f"new{number}@example.com").status_code == 200

    assert {user.email for user in User.objects.all()} == {"alice@example.com", "bob@example.com"}


@pytest.mark.parametrize("action", ["action_primary", "action_remove"])
def test_no_form_makes_an_address_that_is_not_confirmed_the_own_one(alice_at_home, alice, action):
    change_to(alice_at_home, "new@example.com")
    EmailAddress.objects.filter(email=alice.email).update(primary=False)
    chosen = "new@example.com" if action == "action_primary" else alice.email

    alice_at_home.post(ADDRESS, {"email": chosen, action: ""})

    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert EmailAddress.objects.filter(email="alice@example.com").exists()


def test_a_change_can_be_given_up(alice_at_home, alice):
    page = change_to(alice_at_home, "new@example.com")
    assert "Cancel the change" in page.text

    alice_at_home.post(ADDRESS, {"email": "new@example.com", "action_remove": ""})

    assert [row.email for row in EmailAddress.objects.all()] == ["alice@example.com"]


def test_a_confirmed_person_who_changes_keeps_signing_in_with_the_old_address(client, alice):
    confirm_email(alice)
    client.force_login(alice)
    reauthenticate(client)

    change_to(client, "new@example.com")

    visitor, _ = sign_in_by_code("alice@example.com")
    assert int(visitor.session["_auth_user_id"]) == alice.pk


@pytest.mark.parametrize(
    ("verification", "url", "warns"),
    [
        ("mandatory", "https://manta.example", False),
        ("optional", "https://manta.example", True),
        ("none", "http://10.0.0.7:8000", True),
        ("optional", "http://localhost:8000", False),
        ("optional", "http://[::1]:8000", False),
    ],
)
def test_unconfirmed_addresses_are_warned_of_where_others_can_sign_up(
    settings, verification, url, warns
):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    settings.MANTA_URL = url

    found = [message.id for message in run_checks() if message.id == "accounts.W001"]

    assert found == (["accounts.W001"] if warns else [])


def test_an_administrator_made_on_the_server_needs_no_mail_to_sign_in(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    User.objects.create_superuser("Boss@example.com", PASSWORD)

    answer = client.post("/accounts/login/", {"login": "boss@example.com", "password": PASSWORD})

    assert answer.url == "/workspace/"
    assert not mail.outbox


def address_of(length):
    domain = ".".join(["d" * 60, "e" * 60, "f" * 60, "example"])
    return f"{'a' * (length - len(domain) - 1)}@{domain}"


def test_an_address_that_no_column_holds_is_refused(client):
    page = client.post("/accounts/signup/", {"email": address_of(255), "password1": PASSWORD})

    assert "at most 254 characters" in page.text
    assert page.context["form"].errors.keys() == {"email"}
    assert not User.objects.exists()


def test_the_longest_address_signs_in_again(client):
    known = {"email": address_of(254), "password1": PASSWORD}
    client.post("/accounts/signup/", known)

    form = {"login": address_of(254), "password": PASSWORD}
    answer = Client().post("/accounts/login/", form)

    assert (answer.status_code, answer.url) == (302, "/workspace/")


def test_no_account_changes_to_an_address_that_no_column_holds(alice_at_home):
    page = change_to(alice_at_home, address_of(255))

    assert "at most 254 characters" in page.text
    assert EmailAddress.objects.count() == 1


def test_a_change_that_is_asked_for_twice_at_once_is_one(alice_at_home, alice, monkeypatch):
    def deleted_before_the_other_one_came(user):
        EmailAddress.objects.create(user=user, email="new@example.com")
        return EmailAddress.objects.none()

    unconfirmed = "accounts.addresses._unconfirmed_changes"
    monkeypatch.setattr(unconfirmed, deleted_before_the_other_one_came)

    page = change_to(alice_at_home, "new@example.com")

    assert page.status_code == 200
    assert EmailAddress.objects.filter(user=alice, email="new@example.com").count() == 1
    assert [message.to for message in mail.outbox] == [["new@example.com"]]


def test_a_link_to_a_number_that_no_account_can_have_is_one_that_is_used(client, db):
    used, longest = (
        client.get(f"/accounts/password/reset/key/{number}-x/") for number in ("0", "z" * 13)
    )

    assert (longest.status_code, longest.context["token_fail"]) == (used.status_code, True)


def test_a_group_knows_only_its_own_members(alice, bob):
    group = Group.objects.create(name="staff")
    group.user_set.add(alice)

    assert group.user_set.get(pk=alice.pk) == alice
    with pytest.raises(User.DoesNotExist):
        group.user_set.get(pk=bob.pk)
