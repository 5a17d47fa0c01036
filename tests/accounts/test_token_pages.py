"""Making, seeing and revoking one's personal tokens."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts import tokens
from accounts.models import PersonalToken
from tests.support.factories import PASSWORD, make_token

URL = "/account/tokens/"
NEW = "/account/tokens/new/"
TOKEN = re.compile(r"manta_pat_[0-9a-f]{16}_[0-9a-f]{64}")


@pytest.fixture
def person(client, alice):
    client.force_login(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    mail.outbox.clear()
    return client


def filled_in(client, **fields):
    """The fields that a tab with the form would send."""
    key = re.search(r'name="key" value="([0-9a-f]+)"', client.get(NEW).text)[1]
    return {
        "key": key,
        "name": "CI",
        "scopes": ["sandbox:read"],
        "lifetime": "30",
        "capabilities": ["read"],
        **fields,
    }


def test_a_token_is_made_shown_and_works(person, alice):
    response = person.post(NEW, filled_in(person, scopes=["sandbox:read", "mcp"]))

    grant = tokens.verify(TOKEN.search(response.text)[0])
    assert response.status_code == 200
    assert grant.user == alice
    assert grant.scopes == {"sandbox:read", "mcp"}
    assert PersonalToken.objects.get().expires_at - timezone.now() > timedelta(days=29, hours=23)


def test_it_is_shown_in_an_answer_that_nobody_keeps_and_that_has_no_address(person):
    response = person.post(NEW, filled_in(person))

    assert "no-store" in response["Cache-Control"]
    assert "Location" not in response
    assert not re.search(r"(href|action|src)=\S*manta_pat_[0-9a-f]", response.text)


def test_it_is_never_shown_again(person):
    form = filled_in(person)
    raw = TOKEN.search(person.post(NEW, form).text)[0]

    reloaded = person.post(NEW, form, follow=True)
    pages = [reloaded, person.get(URL), person.get(NEW), person.get("/account/")]

    assert "This token was created, and is not shown again." in reloaded.text
    assert PersonalToken.objects.count() == 1
    assert not any(raw in page.text or raw[-64:] in page.text for page in pages)
    assert raw[-64:] not in str(dict(person.session))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 65},
        {"name": "CI\u202e"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["sandbox:read", "admin"]},
        {"lifetime": ""},
        {"lifetime": "0"},
        {"lifetime": "366"},
        {"lifetime": "-7"},
        {"lifetime": "x"},
        {"key": ""},
        {"key": "x"},
        {"key": "0" * 15 + "\n0"},
    ],
)
def test_what_there_is_not_is_refused_on_the_form(person, wrong):
    response = person.post(NEW, filled_in(person, **wrong))

    assert response.status_code == 422
    assert not PersonalToken.objects.exists()
    assert not TOKEN.search(response.text)


def test_an_empty_form_is_refused_too(person):
    assert person.post(NEW).status_code == 422


def test_the_password_is_asked_for_first(client, alice):
    client.force_login(alice)

    shown, sent = client.get(NEW), client.post(NEW, {"name": "CI"})

    assert (shown.status_code, sent.status_code) == (302, 302)
    assert shown.url.startswith("/accounts/reauthenticate/")
    assert sent.url.startswith("/accounts/reauthenticate/")
    assert not PersonalToken.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_its_owner_is_told_by_e_mail(person):
    page = person.post(NEW, filled_in(person, name="CI & co"))

    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    assert message.subject == "[Manta] A personal token was created for your account"
    assert 'named "CI & co"' in message.body
    assert "- See the state of your sandbox and its activity" in message.body
    assert "http://localhost:8000/account/tokens/" in message.body
    assert TOKEN.search(page.text)[0][-64:] not in message.body


@pytest.mark.django_db(transaction=True)
def test_a_mail_server_that_is_down_keeps_nobody_from_a_token(person, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    response = person.post(NEW, filled_in(person))

    assert TOKEN.search(response.text)


def test_the_list_says_what_each_may_do_and_when_it_was_used(person, alice):
    make_token(alice, "sandbox:read", "mcp", name="Laptop <i>")
    make_token(
        alice,
        "mcp",
        name="Old one",
        created_at=timezone.now() - timedelta(days=9),
        expires_at=timezone.now() - timedelta(days=2),
        last_used_at=timezone.now(),
    )

    text = person.get(URL).text

    assert "Laptop &lt;i&gt;" in text
    assert "<code>mcp</code> <code>sandbox:read</code>" in text
    assert "never used" in text
    assert "last used" in text
    assert '<span class="badge badge-warn">ended</span>' in text


def test_somebody_without_tokens_reads_what_they_are_for(person):
    assert "You have none." in person.get(URL).text


def test_revoking_one_ends_it_and_takes_it_from_the_list(person, alice):
    raw = make_token(alice, "sandbox:read", name="Old laptop")
    token = PersonalToken.objects.get()
    asked = person.get(f"{URL}{token.pk}/revoke/")
    assert "Old laptop" in asked.text
    assert tokens.verify(raw)

    response = person.post(f"{URL}{token.pk}/revoke/", follow=True)

    assert "was revoked" in response.text
    assert f'id="token-{token.pk}"' not in response.text
    assert tokens.verify(raw) is None
    assert person.post(f"{URL}{token.pk}/revoke/").status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_bob_gets_404_for_alices_token(client, alice, bob, method):
    raw = make_token(alice, "mcp", name="Of Alice")
    client.force_login(bob)

    response = getattr(client, method)(f"{URL}{PersonalToken.objects.get().pk}/revoke/")

    assert response.status_code == 404
    assert "Of Alice" not in client.get(URL).text
    assert tokens.verify(raw)
