import pytest

from accounts.models import User
from sandboxes.models import Phase, Sandbox
from tests.support.factories import PASSWORD

URL = "/account/delete/"


@pytest.fixture
def alice_signed_in(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_deleting_an_account_has_its_sandbox_deleted(alice_signed_in, alices_sandbox):
    response = alice_signed_in.post(URL, {"confirm": "alice@example.com"})

    assert response.url == "/"
    assert not User.objects.exists()
    sandbox = Sandbox.objects.get()
    assert sandbox.owner is None
    assert sandbox.phase == Phase.DELETING
    assert Sandbox.objects.due().exists()


def test_the_session_ends_with_the_account(alice_signed_in):
    alice_signed_in.post(URL, {"confirm": "alice@example.com"})

    assert alice_signed_in.get("/workspace/").status_code == 302


def test_a_wrong_confirmation_deletes_nothing_and_says_why(alice_signed_in):
    response = alice_signed_in.post(URL, {"confirm": "bob@example.com"})

    assert response.status_code == 422
    assert "not the e-mail address of this account" in response.text
    assert User.objects.exists()


def test_looking_at_the_page_deletes_nothing(alice_signed_in):
    response = alice_signed_in.get(URL)

    assert response.status_code == 200
    assert User.objects.exists()


def test_the_password_is_asked_for_first(client, alice):
    client.force_login(alice)

    response = client.post(URL, {"confirm": "alice@example.com"})

    assert response.status_code == 302
    assert response.url.startswith("/accounts/reauthenticate/")
    assert User.objects.exists()
