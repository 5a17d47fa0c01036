"""Ways to sign in, in a real browser: passkeys, an authenticator app, GitHub and Google."""

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.chromium import browser_of_a_phone
from tests.support.manta_process import Parts, copy_of, ways_in
from tests.support.oauth_provider import Person as PersonThere
from tests.support.oauth_provider import Provider
from tests.support.page_checks import OVERFLOW, TOO_SMALL, violations
from tests.support.page_list import OF_WAYS_IN, WAYS_IN
from tests.support.page_steps import give_authenticator
from tests.support.person import Person, sign_in_as
from tests.support.prepared_state import prepared_state
from tests.support.totp import code_of
from tests.support.visitor import PASSWORD, Visitor, new_email


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def installation(provider: Provider) -> Iterator[Parts]:
    """A Manta whose GitHub and Google are the test's own server."""
    with copy_of(prepared_state()) as state_dir:
        parts = Parts(state_dir)
        parts.extra = ways_in(provider.url)
        with parts:
            yield parts


@pytest.fixture
def context(browser: Browser, installation: Parts) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=installation.url, viewport={"width": 1440, "height": 900}
    )
    yield context
    context.close()


@pytest.fixture
def visitor(installation: Parts) -> Iterator[Visitor]:
    """Somebody with an account, whose address is confirmed."""
    with Visitor(installation.url) as visitor:
        visitor.sign_up()
        installation.confirm_address(visitor.email)
        visitor.confirm()
        yield visitor


def sign_in_here(page: Page, email: str) -> None:
    Person(page, email).sign_in()


def confirm(page: Page) -> None:
    """Ask for the password again, as changes of how one signs in do."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


@pytest.mark.exhaustive
def test_a_passkey_is_made_and_signs_in_alone(
    page: Page, visitor: Visitor, complaints: list[str]
) -> None:
    give_authenticator(page)
    sign_in_here(page, visitor.email)
    page.goto("/account/")
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page)
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert violations(page) == []
    Person(page).sign_out()

    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page).to_have_url(re.compile("/workspace/$"))
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_text("My laptop", exact=True).first).to_be_visible()
    assert violations(page) == []
    assert complaints == []


@pytest.mark.exhaustive
def test_a_passkey_confirms_a_sign_in_by_password(page: Page, visitor: Visitor) -> None:
    give_authenticator(page)
    sign_in_here(page, visitor.email)
    page.goto("/accounts/2fa/webauthn/add/")
    confirm(page)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    Person(page).sign_out()

    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(visitor.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign In", exact=True).click()
    expect(page).to_have_url(re.compile("/2fa/authenticate/$"))
    assert violations(page) == []
    page.get_by_role("button", name="Use a passkey").click()

    expect(page).to_have_url(re.compile("/workspace/$"))


@pytest.mark.exhaustive
def test_without_a_passkey_the_page_says_so(page: Page) -> None:
    give_authenticator(page)
    page.goto("/accounts/login/")

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.locator("#notices")).to_contain_text("Signing in with the passkey failed")


@pytest.mark.exhaustive
def test_an_authenticator_app_without_javascript(
    browser: Browser, installation: Parts, visitor: Visitor
) -> None:
    context = browser.new_context(base_url=installation.url, java_script_enabled=False)
    page = context.new_page()
    sign_in_here(page, visitor.email)
    page.goto("/account/")
    page.get_by_role("link", name="Set up an authenticator app").click()
    confirm(page)
    secret = page.locator("#totp-secret").inner_text()
    page.get_by_label("Code from the app").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()

    page.goto("/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign Out").click()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(visitor.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign In", exact=True).click()
    page.get_by_label("Code from your app").fill(codes[0])
    page.get_by_role("button", name="Sign In", exact=True).click()

    expect(page).to_have_url(re.compile("/workspace/$"))
    context.close()


@pytest.mark.parametrize("name", ["GitHub", "Google"])
def test_from_the_button_to_the_sandbox(
    page: Page, provider: Provider, name: str, complaints: list[str]
) -> None:
    provider.person = PersonThere(
        uid=str(secrets.randbelow(10**9)), email=f"{name.lower()}@example.com"
    )

    page.goto("/accounts/signup/")
    page.get_by_role("button", name=f"Continue with {name}").click()
    page.get_by_role("link", name="Allow").click()

    expect(page).to_have_url(re.compile("/workspace/$"))
    Person(page).reads("Active")
    assert complaints == []


@pytest.mark.exhaustive
def test_signing_out_everywhere_reaches_an_open_page(
    browser: Browser, installation: Parts, page: Page, visitor: Visitor
) -> None:
    sign_in_here(page, visitor.email)
    elsewhere = browser.new_context(base_url=installation.url)
    other = elsewhere.new_page()
    sign_in_here(other, visitor.email)
    expect(other.locator("html[data-live]")).to_be_attached()

    page.goto("/account/sessions/")
    page.get_by_role("button", name="Sign out everywhere else").click()

    expect(page.get_by_text("All other browsers were signed out.")).to_be_visible()
    expect(other).to_have_url(re.compile("/accounts/login/"))
    elsewhere.close()


@pytest.fixture
def secured(visitor: Visitor, installation: Parts) -> Visitor:
    """With an app, a passkey, recovery codes, and an address that is not confirmed yet."""
    visitor.post("/accounts/email/", email=new_email(), action_add="")
    installation.manage("shell", "-c", SECURE.format(visitor.email))
    return visitor


SECURE = """
from allauth.mfa.models import Authenticator
user = User.objects.get(email="{}")
for each in ("totp", "recovery_codes", "webauthn"):
    data = dict(name="My laptop", secret="", seed="", used_mask=0, credential=dict())
    Authenticator.objects.create(user=user, type=each, data=data)
"""


def faults(
    browser: Browser, installation: Parts, path: str, visitor: Visitor | None = None
) -> list[str]:
    """On a phone."""
    context = browser.new_context(base_url=installation.url, **browser_of_a_phone())
    page = context.new_page()
    if visitor:
        sign_in_as(page, visitor)
    page.goto(path)
    beside = ["wider than the phone"] if page.evaluate(OVERFLOW) else []
    found = [*beside, *page.evaluate(TOO_SMALL), *violations(page)]
    context.close()
    return found


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", OF_WAYS_IN)
def test_a_page_of_an_account_is_accessible_and_fits_a_phone(
    browser: Browser, installation: Parts, visitor: Visitor, path: str
) -> None:
    assert faults(browser, installation, path, visitor) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", WAYS_IN)
def test_a_strangers_page_is_accessible_and_fits_a_phone(
    browser: Browser, installation: Parts, path: str
) -> None:
    assert faults(browser, installation, path) == []


@pytest.mark.exhaustive
def test_so_is_whatever_a_secured_account_has(
    browser: Browser, installation: Parts, secured: Visitor
) -> None:
    passkeys = secured.http.get("/accounts/2fa/webauthn/").text
    paths = [
        *re.findall(r"/accounts/2fa/webauthn/keys/\d+/\w+/", passkeys),
        "/account/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/2fa/totp/deactivate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/reauthenticate/",
        "/accounts/email/",
    ]

    assert len(paths) == 9
    assert [found for each in paths for found in faults(browser, installation, each, secured)] == []


@pytest.mark.exhaustive
def test_so_is_where_a_code_is_typed(page: Page, visitor: Visitor) -> None:
    page.goto("/accounts/login/code/")
    page.get_by_label("Email").fill(visitor.email)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/login/code/confirm/$"))
    assert violations(page) == []
