"""The questions that a person answers before an agent is let in, and who asks them."""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Client
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from accounts import agent_permissions
from accounts.models import AgentSecret, ConnectedAgent
from accounts.oauth import agents
from tests.support.oauth_client import ALLOW, Agent, answer, good, shown, told


def test_the_page_says_who_asks_for_what_and_until_when(agent, browser):
    page = browser.get(agent.address())

    assert "Allow “Cursor” to use your sandbox?" in shown(page)
    assert "Manta has not verified it" in shown(page)
    assert "127.0.0.1:33418" in page.text
    assert "alice@example.com" in page.text
    assert "Write and delete files" in page.text
    assert "not used for 30 days" in shown(page)
    assert not AgentSecret.objects.exists()


def test_a_name_that_is_markup_is_text(db, browser):
    page = browser.get(Agent(name="<img src=x onerror=alert(1)>").address())

    assert "<img src=x" not in page.text
    assert "img src=x" in page.text


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://claude.ai/api/cb", "https://claude.ai"),
        ("http://localhost:33418/cb", "http://localhost:33418"),
        ("http://[::1]:33418/cb", "http://*:33418"),
        ("cursor://anysphere.cursor-mcp/cb", "cursor:"),
    ],
)
def test_the_policy_lets_the_form_lead_there_and_on_this_page_alone(browser, uri, source):
    agent = Agent(redirect=uri)

    policy = browser.get(agent.address())["Content-Security-Policy"]

    (form_action,) = [part for part in policy.split("; ") if part.startswith("form-action")]
    assert form_action.split()[-1] == source
    assert source not in browser.get("/account/")["Content-Security-Policy"]


def test_a_stranger_signs_in_first_and_then_is_asked(agent, client, alice):
    asked = client.get(agent.address())
    assert asked.status_code == 302
    assert asked.url.startswith("/accounts/login/?next=/oauth/authorize")

    assert client.post(agent.address(), ALLOW).url.startswith("/accounts/login/")
    assert not ConnectedAgent.objects.exists()


@pytest.mark.parametrize("prompt", ["none", "login", "none login"])
def test_nobody_is_let_in_without_being_asked(agent, browser, alice, prompt):
    agent.sign_in(alice)

    page = browser.get(agent.address(prompt=prompt))

    assert page.status_code == 200
    assert "Allow" in page.text


def test_allowing_it_needs_the_forms_own_token(agent, alice):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)

    assert browser.post(agent.address(), ALLOW).status_code == 403
    assert not ConnectedAgent.objects.exists()


@pytest.mark.parametrize("action", ["deny", "", "x"])
def test_whoever_does_not_allow_it_denies_it(agent, browser, action):
    response = answer(browser, agent.address(), action=action)

    assert response["Location"].startswith("http://127.0.0.1:33418/callback?")
    said = told(response)
    assert (said["error"], said["state"]) == ("access_denied", "xyz")
    assert said["iss"] == "http://localhost:8000"
    assert not ConnectedAgent.objects.exists()


@pytest.mark.parametrize("changed", ["", "x", "{}:1:x"])
def test_what_was_asked_is_signed(agent, browser, changed):
    response = answer(browser, agent.address(), request=changed)

    assert response.status_code == 403
    assert not ConnectedAgent.objects.exists()


def test_it_may_listen_at_another_port_each_time(browser):
    agent = Agent(redirect="http://localhost:1111/callback")

    for agent.redirect in ("http://localhost:2222/callback", "http://localhost:3333/callback"):
        response = answer(browser, agent.address())
        assert response["Location"].startswith(f"{agent.redirect}?code=")

    assert Client.objects.get().get_redirect_uris() == ["http://localhost:3333/callback"]


def test_the_answer_says_whose_it_is(agent, browser):
    said = told(answer(browser, agent.address()))

    assert said.keys() == {"code", "state", "iss"}
    assert (said["state"], said["iss"]) == ("xyz", "http://localhost:8000")


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x"},
        {"client_id": "0" * 32},
        {"client_id": "\x00" * 32},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1:99999/callback"},
        {"redirect_uri": "http://[/callback"},
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_not_known_is_told_nothing(agent, browser, wrong, method):
    response = browser.generic(method.upper(), agent.address(**wrong))

    assert response.status_code == 400
    assert "Location" not in response
    assert "Manta sent nothing to it" in response.text


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"resource": None}, "invalid_target"),
        ({"resource": "http://localhost:8000"}, "invalid_target"),
        ({"resource": "http://localhost:8000/mcp/"}, "invalid_target"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"response_type": "none"}, "unauthorized_client"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "mcp admin"}, "invalid_scope"),
        ({"scope": "sandbox:write"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
    ],
)
def test_what_is_asked_wrongly_is_answered_to_who_is_let_in_and_else_to_the_person(
    agent, browser, alice, wrong, error
):
    unknown = browser.get(agent.address(**wrong))
    agent.sign_in(alice)
    known = browser.get(agent.address(**wrong))
    agents.revoke(ConnectedAgent.objects.get())
    revoked = browser.get(agent.address(**wrong))

    assert told(known)["error"] == error
    assert told(known)["state"] == "xyz"
    for response in (unknown, revoked):
        assert response.status_code == 400
        assert "Location" not in response
        assert "Manta sent nothing to it" in response.text
        assert error in response.text


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"resource": None}, "invalid_target"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_scope"),
    ],
)
def test_a_form_that_is_sent_to_a_wrong_question_is_refused(agent, browser, wrong, error):
    response = answer(browser, agent.address(), to=agent.address(**wrong))

    assert response.status_code == 400
    assert error in response.text
    assert not ConnectedAgent.objects.exists()


def test_an_agent_that_another_person_has_let_in_is_told_nothing(agent, browser, bob):
    agent.sign_in(bob)

    assert browser.get(agent.address(resource=None)).status_code == 400


@pytest.mark.parametrize(
    "other", [{"response_type": "token"}, {"response_type": "none"}, {"scope": "mcp admin"}]
)
def test_what_the_page_showed_is_granted_whatever_the_address_says(agent, browser, other):
    said = told(answer(browser, agent.address(), to=agent.address(**other)))

    assert agent.exchange(said["code"]).json()["scope"] == "mcp"


def test_a_form_for_one_agent_lets_no_other_in(agent, browser):
    other = Agent(name="Other", redirect="https://other.example/cb")

    response = answer(browser, agent.address(), to=other.address())

    assert response["Location"].startswith(f"{agent.redirect}?code=")
    assert ConnectedAgent.objects.get().client_id == agent.client_id


def test_two_resources_are_one_too_many(agent, browser):
    response = browser.get(f"{agent.address()}&resource=https%3A%2F%2Fevil.example")

    assert response.status_code == 400
    assert "invalid_target" in response.text


def test_the_person_chooses_what_it_may_do_and_how_long(agent, browser, alice):
    chosen = {"capabilities": ["read"], "path_prefix": "/blaxel/app", "permissions_lifetime": "1h"}
    code = told(answer(browser, agent.address(), **chosen))["code"]

    grant = good(agent.exchange(code).json()["access_token"])

    permissions = agent_permissions.of(grant.key)
    assert (permissions.capabilities, permissions.path_prefix) == ({"read"}, "/blaxel/app")
    assert permissions.expires_at < timezone.now() + timedelta(hours=1)


def test_to_let_it_in_again_widens_nothing_unasked(agent, browser, alice):
    answer(browser, agent.address(), capabilities=["read"])

    page = browser.get(agent.address())

    assert page.context["form"].initial["capabilities"] == ["read"]


@pytest.mark.parametrize(
    "wrong", [{"capabilities": []}, {"capabilities": ["fly"]}, {"path_prefix": "x"}]
)
def test_what_can_not_be_chosen_is_said_on_the_form(agent, browser, wrong):
    page = answer(browser, agent.address(), **wrong)

    assert page.status_code == 422
    assert "http://127.0.0.1:33418" in page["Content-Security-Policy"]
    assert not ConnectedAgent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_its_person_is_told_by_e_mail(agent, alice):
    agent.code(alice)

    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    assert 'with the name "Cursor"' in message.body
    assert "http://localhost:8000/account/agents/" in message.body
