from typing import ClassVar

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client

from accounts.models import User
from sandboxes.models import Phase, Sandbox
from tests.support.factories import PASSWORD, SandboxFactory


class CountingHasher(MD5PasswordHasher):
    hashed: ClassVar[list[str]] = []

    def encode(self, password, salt):
        self.hashed.append(password)
        return super().encode(password, salt)


NEW = {"email": "carol@example.com", "password1": PASSWORD}


def sign_in(client, email, password=PASSWORD, **more):
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


@pytest.mark.django_db(transaction=True)
def test_signing_up_asks_for_a_sandbox_named_after_the_user(client):
    response = client.post("/accounts/signup/", NEW)

    user = User.objects.get(email="carol@example.com")
    assert response.status_code == 302
    assert response.url == "/workspace/"
    assert user.sandbox_id == f"user-{user.pk}"
    assert user.sandbox.owner == user
    assert user.sandbox.phase == Phase.PENDING
    assert user.sandbox.labels["manta-owner"] == str(user.pk)


@pytest.mark.django_db(transaction=True)
def test_signing_in_again_finds_the_same_sandbox(client, alices_sandbox):
    sign_in(client, "alice@example.com")

    assert Sandbox.objects.get().pk == alices_sandbox.pk
    assert Sandbox.objects.get().phase == Phase.READY


@pytest.mark.django_db(transaction=True)
def test_an_expired_sandbox_is_not_made_again_by_a_sign_in(client, alice):
    SandboxFactory(owner=alice, phase=Phase.GONE)

    sign_in(client, "alice@example.com")

    assert Sandbox.objects.get().phase == Phase.GONE


@pytest.mark.django_db(transaction=True)
def test_a_failing_sandbox_service_does_not_fail_the_sign_in(client, alice, monkeypatch):
    def broken(**kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("sandboxes.services.provisioning.ensure_sandbox", broken)

    response = sign_in(client, "alice@example.com")

    assert response.status_code == 302
    assert client.get("/workspace/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_with_mandatory_verification_there_is_no_sandbox_before_the_sign_in(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"

    client.post("/accounts/signup/", NEW)

    assert not Sandbox.objects.exists()
    assert len(mail.outbox) == 1


def test_a_wrong_password_is_refused_on_the_page(client, alice):
    response = sign_in(client, "alice@example.com", "wrong password")

    assert response.status_code == 200
    assert "not correct" in response.text


def test_signing_out_needs_a_post(client, alice):
    client.force_login(alice)

    client.get("/accounts/logout/")
    assert client.get("/workspace/").status_code == 200

    client.post("/accounts/logout/")
    assert client.get("/workspace/").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/\t/evil.example",
        "\thttps://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ],
)
@pytest.mark.django_db(transaction=True)
def test_next_never_leads_to_another_site(client, alice, target):
    response = sign_in(client, "alice@example.com", next=target)

    assert response.status_code == 302
    assert response.url == "/workspace/"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
def test_pages_that_everybody_sees_render_no_template_for_an_element(client, path):
    rendered = [template.name or "" for template in client.get(path).templates]

    assert "base.html" in rendered
    assert not [name for name in rendered if name.startswith("allauth/elements/")]


def test_the_sign_in_page_asks_the_database_for_nothing(client):
    page = client.get("/accounts/login/").text  # without a database, a query would fail

    assert "Continue with GitHub" in page


def test_what_one_person_typed_is_in_nobody_elses_form(client, db):
    refused = sign_in(client, "alice@example.com", "not this one").text
    fresh = Client().get("/accounts/login/").text

    assert 'value="alice@example.com"' in refused
    assert 'aria-invalid="true"' not in fresh
    assert "alice@example.com" not in fresh
    for page in (refused, fresh):
        assert 'autocomplete="current-password"' in page
        assert '<a href="/accounts/password/reset/">Forgot your password?</a>' in page


def test_next_leads_to_a_page_of_ours(client, alice):
    response = sign_in(client, "alice@example.com", next="/account/")

    assert response.url == "/account/"


def test_a_password_is_reset_by_e_mail(client, alice, settings):
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})

    link = next(word for word in mail.outbox[0].body.split() if "/password/reset/key/" in word)
    page = client.get(link.removeprefix(settings.MANTA_URL), follow=True)
    form = page.request["PATH_INFO"]
    client.post(form, {"password1": "an entirely new one", "password2": "an entirely new one"})

    alice.refresh_from_db()
    assert alice.check_password("an entirely new one")


def test_a_password_reset_does_not_tell_who_has_an_account(client, alice):
    known = client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


def test_guessing_passwords_is_limited(client, alice):
    answers = [sign_in(client, "alice@example.com", f"guess {n}").status_code for n in range(12)]
    right = sign_in(client, "alice@example.com")

    assert 429 in answers or "Too many" in right.text
    assert right.status_code != 302


@pytest.mark.django_db(transaction=True)
def test_wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(alice):
    elsewhere = Client(REMOTE_ADDR="192.0.2.66")
    for number in range(14):
        sign_in(elsewhere, "alice@example.com", f"guess {number}")
    locked = sign_in(elsewhere, "alice@example.com")

    owner = sign_in(Client(REMOTE_ADDR="192.0.2.1"), "alice@example.com")

    assert locked.status_code != 302
    assert owner.url == "/workspace/"


@pytest.mark.django_db(transaction=True)
def test_with_mail_a_sign_up_tells_nobody_who_has_an_account(alice, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    hashed = []
    settings.PASSWORD_HASHERS = ["tests.accounts.test_sign_in.CountingHasher"]
    CountingHasher.hashed = hashed

    known = Client().post("/accounts/signup/", {**NEW, "email": "alice@example.com"})
    count = len(hashed)
    unknown = Client().post("/accounts/signup/", NEW)

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    # As much work for either, so that the time does not tell.
    assert count == len(hashed) - count == 1
    assert User.objects.get(email="alice@example.com").check_password(PASSWORD)
    assert [message.to for message in mail.outbox] == [[alice.email], [NEW["email"]]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verification", ["optional", "none"])
def test_without_mail_a_sign_up_says_that_an_address_is_taken_and_nothing_else_does(
    alice, settings, verification
):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    codes, resets = "/accounts/login/code/", "/accounts/password/reset/"

    known = Client().post("/accounts/signup/", {**NEW, "email": "ALICE@example.com"})
    unknown = Client().post("/accounts/signup/", NEW)
    asked = [
        [Client().post(path, {"email": email}) for email in (alice.email, "nobody@example.com")]
        for path in (codes, resets)
    ]

    assert "A user is already registered with this email address." in known.text
    assert "_auth_user_id" not in known.client.session
    assert unknown.url == "/workspace/"
    assert [[answer.url for answer in pair] for pair in asked] == [
        ["/accounts/login/code/confirm/"] * 2,
        ["/accounts/password/reset/done/"] * 2,
    ]
    assert alice.check_password(PASSWORD)


def test_the_e_mail_address_can_be_changed(client, alice):
    client.force_login(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    response = client.post(
        "/accounts/email/", {"email": "alice2@example.com", "action_add": ""}, follow=True
    )

    assert response.status_code == 200
    assert mail.outbox[-1].to == ["alice2@example.com"]


def test_two_accounts_cannot_share_an_address_in_another_case(client, alice):
    client.post("/accounts/signup/", {"email": "ALICE@example.com", "password1": PASSWORD})

    assert User.objects.count() == 1


def test_a_form_without_a_csrf_token_is_refused(alice):
    client = Client(enforce_csrf_checks=True)

    response = sign_in(client, "alice@example.com")

    assert response.status_code == 403


def fill_in(client):
    """The fields that a tab with the sign-in page would send."""
    token = client.get("/accounts/login/").text.partition('csrfmiddlewaretoken" value="')[2][:64]
    return {"login": "alice@example.com", "password": PASSWORD, "csrfmiddlewaretoken": token}


@pytest.mark.django_db(transaction=True)
def test_signing_in_in_two_tabs_ends_signed_in_in_both(alice):
    client = Client(enforce_csrf_checks=True)
    one, other = fill_in(client), fill_in(client)

    first = client.post("/accounts/login/", one)
    second = client.post("/accounts/login/", other)

    assert (first.status_code, second.status_code) == (302, 302)
    assert second["Location"] == "/workspace/"
    assert Sandbox.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_on_sign_in_ends_signed_in_with_one_sandbox(alice):
    client = Client(enforce_csrf_checks=True)
    form = fill_in(client)
    before = client.cookies.copy()

    first = client.post("/accounts/login/", form)
    client.cookies = before  # sent before the answer to the first arrived
    second = client.post("/accounts/login/", form)

    assert (first.status_code, second.status_code) == (302, 302)
    assert client.get("/workspace/").status_code == 200
    assert Sandbox.objects.count() == 1


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/"])
@pytest.mark.parametrize("field", ["login", "email", "password", "password1"])
def test_a_megabyte_in_a_form_is_refused_and_neither_repeated_nor_logged(
    client, alice, caplog, path, field
):
    form = {"login": "alice@example.com", "password": PASSWORD, **NEW}

    response = client.post(path, {**form, field: "x" * 2**20})

    assert response.status_code == 400
    assert "#too_large" in response.text
    assert len(response.content) < 20_000
    assert sum(len(record.getMessage()) for record in caplog.records) < 10_000
    assert "_auth_user_id" not in client.session
