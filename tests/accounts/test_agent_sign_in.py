"""From a person's consent to tokens: what is let through, and everything that is not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import passports, tokens
from accounts.models import AgentSecret, ConnectedAgent, User
from accounts.oauth import agents
from tests.accounts.an_agent import ALLOW, Agent, shown, told
from tests.factories import UserFactory

MCP = "http://localhost:8000/mcp"


@pytest.fixture
def agent(db):
    return Agent()


@pytest.fixture
def browser(client, alice):
    client.force_login(alice)
    return client


def good(access_token):
    return tokens.verify(access_token, audience=MCP)


def ends_soon(**fields):
    AgentSecret.objects.filter(**fields).update(expires_at=timezone.now())


def test_what_is_granted(agent, alice):
    given = agent.sign_in(alice)

    grant = good(given["access_token"])
    assert (grant.user, grant.name, grant.kind) == (alice, "Cursor", "agent")
    assert grant.scopes == {"mcp"}
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 3600, "mcp")
    lives = ConnectedAgent.objects.get().expires_at - timezone.now()
    assert timedelta(days=29, hours=23) < lives <= timedelta(days=30)


def test_its_key_stays_for_good(agent, alice, bob):
    first = good(agent.sign_in(alice)["access_token"]).key
    agents.revoke(ConnectedAgent.objects.get())

    again = good(agent.sign_in(alice)["access_token"]).key
    bobs = good(agent.sign_in(bob)["access_token"]).key

    assert first == again != bobs
    assert tokens.still_valid({first, bobs, "agent-of-nobody"}) == {first, bobs}


def test_only_hashes_are_stored(agent, alice):
    code = agent.code(alice)
    given = agent.exchange(code).json()

    stored = str(list(AgentSecret.objects.values())) + str(list(ConnectedAgent.objects.values()))

    assert not any(s in stored for s in (code, given["access_token"], given["refresh_token"]))


def test_the_page_says_who_asks_for_what_and_until_when(agent, browser):
    page = browser.get(agent.address())

    assert "Let “Cursor” into your sandbox?" in shown(page)
    assert "Manta has not checked it" in shown(page)
    assert "127.0.0.1:33418" in page.text
    assert "alice@example.com" in page.text
    assert "Write and delete files" in page.text
    assert "not used for 30 days" in shown(page)
    assert not AgentSecret.objects.exists()


def test_a_name_that_is_markup_is_text(db, browser):
    page = browser.get(Agent(name="<img src=x onerror=alert(1)>").address())

    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text


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
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)

    assert browser.post(agent.address(), ALLOW).status_code == 403
    assert not ConnectedAgent.objects.exists()


@pytest.mark.parametrize("answer", ["deny", "", "x"])
def test_whoever_does_not_allow_it_denies_it(agent, browser, answer):
    response = browser.post(agent.address(), {"answer": answer})

    assert response["Location"].startswith("http://127.0.0.1:33418/callback?")
    said = told(response)
    assert (said["error"], said["state"]) == ("access_denied", "xyz")
    assert said["iss"] == "http://localhost:8000"
    assert not ConnectedAgent.objects.exists()


def test_the_answer_says_whose_it_is(agent, browser):
    said = told(browser.post(agent.address(), ALLOW))

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
    assert "nothing was sent to it" in response.text


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
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"response_type": "none"}, "unauthorized_client"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "mcp admin"}, "invalid_scope"),
        ({"scope": "sandbox:write"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_asked_wrongly_is_answered_to_the_client(agent, browser, wrong, error, method):
    response = browser.generic(method.upper(), agent.address(**wrong), "answer=allow")

    assert told(response)["error"] == error
    assert told(response)["state"] == "xyz"
    assert not ConnectedAgent.objects.exists()


def test_the_person_chooses_what_it_may_do_and_how_long(agent, browser, alice):
    chosen = {"answer": "allow", "abilities": ["read"], "path_prefix": "/blaxel/app"}
    code = told(browser.post(agent.address(), chosen | {"passport_lifetime": "1h"}))["code"]

    grant = good(agent.exchange(code).json()["access_token"])

    passport = passports.of(grant.key)
    assert (passport.abilities, passport.path_prefix) == ({"read"}, "/blaxel/app")
    assert passport.expires_at < timezone.now() + timedelta(hours=1)


def test_to_let_it_in_again_widens_nothing_unasked(agent, browser, alice):
    browser.post(agent.address(), {"answer": "allow", "abilities": ["read"]})

    page = browser.get(agent.address())

    assert page.context["form"].initial["abilities"] == ["read"]


@pytest.mark.parametrize("wrong", [{"abilities": []}, {"abilities": ["fly"]}, {"path_prefix": "x"}])
def test_what_can_not_be_chosen_is_said_on_the_form(agent, browser, wrong):
    page = browser.post(agent.address(), ALLOW | wrong)

    assert page.status_code == 422
    assert "http://127.0.0.1:33418" in page["Content-Security-Policy"]
    assert not ConnectedAgent.objects.exists()


def test_two_resources_are_one_too_many(agent, browser):
    response = browser.get(f"{agent.address()}&resource=https%3A%2F%2Fevil.example")

    assert told(response)["error"] == "invalid_target"


@pytest.mark.parametrize("scope", [None, "mcp", "mcp offline_access"])
def test_whatever_scope_it_asks_for_it_can_refresh(agent, alice, scope):
    given = agent.exchange(agent.code(alice, scope=scope)).json()

    assert agent.refresh(given["refresh_token"], scope=scope).status_code == 200


def test_another_port_on_this_machine_is_good(alice):
    agent = Agent(redirect="http://localhost/callback")
    agent.redirect = "http://localhost:51234/callback"

    assert good(agent.sign_in(alice)["access_token"])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"resource": None}, "invalid_target"),
        ({"resource": "http://localhost:8000/api"}, "invalid_target"),
    ],
)
def test_a_code_has_one_try(agent, alice, wrong, error):
    code = agent.code(alice)

    refused, then = agent.exchange(code, **wrong), agent.exchange(code)

    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert then.json()["error"] == "invalid_grant"
    assert not AgentSecret.objects.filter(kind="access").exists()


def test_a_code_that_is_shown_again_ends_what_came_of_it(agent, alice):
    code = agent.code(alice)
    given = agent.exchange(code).json()

    again = agent.exchange(code)

    assert again.json()["error"] == "invalid_grant"
    assert good(given["access_token"]) is None
    assert agent.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_code_is_for_the_client_that_asked(agent, alice):
    code = agent.code(alice)

    assert Agent().exchange(code).json()["error"] == "invalid_grant"


def test_a_code_lasts_a_minute(agent, alice):
    code = agent.code(alice)
    assert AgentSecret.objects.get().expires_at <= timezone.now() + timedelta(minutes=1)

    ends_soon(kind="code")

    assert agent.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"grant_type": "password", "username": "alice@example.com", "password": "x"},
        {"grant_type": "client_credentials"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
        {"grant_type": "authorization_code"},
        {"grant_type": "authorization_code", "code": "\x00"},
        {"grant_type": "refresh_token"},
        {"grant_type": "refresh_token", "refresh_token": "x" * 200_000},
        {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "\x00"},
    ],
)
def test_there_are_two_grants_and_no_third(agent, fields):
    assert agent.token(**fields).status_code in (400, 401)


def test_a_token_in_the_address_is_refused(agent, alice):
    response = agent.http.post("/oauth/token?code=x", {"grant_type": "authorization_code"})

    assert response.json()["error"] == "invalid_request"


def test_a_refresh_gives_a_new_pair(agent, alice):
    first = agent.sign_in(alice)

    second = agent.refresh(first["refresh_token"]).json()
    third = agent.refresh(second["refresh_token"]).json()

    assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
    assert good(third["access_token"]).key == good(first["access_token"]).key


def test_a_refresh_token_that_is_shown_again_ends_the_chain(agent, alice):
    first = agent.sign_in(alice)
    second = agent.refresh(first["refresh_token"]).json()

    stolen = agent.refresh(first["refresh_token"])

    assert stolen.json()["error"] == "invalid_grant"
    assert good(second["access_token"]) is None
    assert agent.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not ConnectedAgent.objects.of(alice).exists()


@pytest.mark.parametrize("wrong", [{"resource": None}, {"resource": "https://evil.example/mcp"}])
def test_a_refresh_names_the_resource_too(agent, alice, wrong):
    given = agent.sign_in(alice)

    assert agent.refresh(given["refresh_token"], **wrong).json()["error"] == "invalid_target"
    assert agent.refresh(given["refresh_token"]).status_code == 200


def test_a_refresh_token_is_for_its_client(agent, alice):
    given = agent.sign_in(alice)

    assert Agent().refresh(given["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_what_has_expired_is_refused(agent, alice, kind):
    given = agent.sign_in(alice)

    ends_soon(kind=kind)

    assert (good(given["access_token"]) is None) == (kind == "access")
    assert (agent.refresh(given["refresh_token"]).status_code == 400) == (kind == "refresh")


@pytest.mark.parametrize(
    "out",
    [
        lambda: User.objects.update(is_active=False),
        lambda: User.objects.all().delete(),
        lambda: ConnectedAgent.objects.update(revoked_at=timezone.now()),
        lambda: agents.revoke(ConnectedAgent.objects.get()),
    ],
)
def test_whatever_ends_an_agent_ends_it_at_once(agent, alice, out):
    given = agent.sign_in(alice)
    key = good(given["access_token"]).key

    out()

    assert good(given["access_token"]) is None
    assert agent.refresh(given["refresh_token"]).status_code == 400
    assert tokens.still_valid({key}) == set()


def test_a_revoked_one_does_not_come_back_by_a_code_from_before(agent, alice):
    agent.sign_in(alice)
    code = agent.code(alice)

    agents.revoke(ConnectedAgent.objects.get())

    assert agent.exchange(code).json()["error"] == "invalid_grant"


def test_another_password_ends_none_as_it_ends_no_token(agent, alice):
    given = agent.sign_in(alice)

    alice.set_password("another horse battery")
    alice.save()

    assert good(given["access_token"])


@pytest.mark.parametrize(
    "audience", [None, "", "http://localhost:8000/api", "http://localhost:8000"]
)
def test_it_is_good_for_mcp_and_for_nothing_else(agent, alice, audience):
    raw = agent.sign_in(alice)["access_token"]

    assert tokens.verify(raw, audience=audience) is None


def test_another_address_of_manta_ends_what_was_for_the_old_one(agent, alice, settings):
    raw = agent.sign_in(alice)["access_token"]

    assert tokens.verify(raw, audience="https://manta.example/mcp") is None


@pytest.mark.parametrize("kind", ["refresh_token", "code"])
def test_nothing_but_an_access_token_is_one(agent, alice, kind):
    code = agent.code(alice)
    given = {"code": code, **agent.exchange(code).json()}

    disguised = f"manta_agent_{given[kind].split('_')[-1]}"

    assert good(given[kind]) is None
    assert good(disguised) is None


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "x"])
def test_a_client_signs_out_with_either(agent, alice, which, hint):
    given = agent.sign_in(alice)
    sent = {"token": given[which], "client_id": agent.client_id}

    response = agent.http.post("/oauth/revoke", sent | ({"token_type_hint": hint} if hint else {}))

    assert response.status_code == 200
    assert good(given["access_token"]) is None
    assert agent.refresh(given["refresh_token"]).status_code == 400
    assert not ConnectedAgent.objects.of(alice).exists()


@pytest.mark.parametrize("token", ["x", "manta_agent_" + "0" * 64])
def test_to_revoke_what_there_is_not_is_no_mistake(agent, token):
    response = agent.http.post("/oauth/revoke", {"token": token, "client_id": agent.client_id})

    assert response.status_code == 200


def test_no_client_signs_out_another(agent, alice):
    given = agent.sign_in(alice)
    other = Agent()

    other.http.post("/oauth/revoke", {"token": given["access_token"], "client_id": other.client_id})

    assert good(given["access_token"])


def test_a_check_is_two_queries_with_its_passport(agent, alice, django_assert_num_queries):
    raw = agent.sign_in(alice)["access_token"]
    good(raw)

    with django_assert_num_queries(2):
        assert str(good(raw).user) == "alice@example.com"
    assert ConnectedAgent.objects.get().last_used_at


@pytest.mark.django_db(transaction=True)
def test_its_person_is_told_by_e_mail(agent, alice):
    agent.code(alice)

    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    assert 'calls itself "Cursor"' in message.body
    assert "http://localhost:8000/account/agents/" in message.body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["code", "refresh"])
def test_of_many_at_once_one_is_served(kind):
    agent, user = Agent(), UserFactory()
    secret = agent.code(user) if kind == "code" else agent.sign_in(user)["refresh_token"]

    def show(_):
        answer = agent.exchange(secret) if kind == "code" else agent.refresh(secret)
        connection.close()
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(show, range(6)))

    assert statuses.count(200) <= 1
    assert not AgentSecret.objects.filter(kind="refresh", spent_at=None).exists()
    assert not ConnectedAgent.objects.of(user).exists()


def test_what_has_ended_is_forgotten(agent, alice):
    agent.sign_in(alice)
    ends_soon(kind="code")

    agents.forget_old()

    assert set(AgentSecret.objects.values_list("kind", flat=True)) == {"access", "refresh"}
