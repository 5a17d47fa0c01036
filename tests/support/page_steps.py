"""Pages that no address alone leads to: somebody has done something first.

Each is reached in a new tab; returned is the tab that it is in, which may be another.
"""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support import sample_activity
from tests.support.page_states import Still
from tests.support.person import Person, hears_no_news, move_in, sign_in_as
from tests.support.totp import code_of
from tests.support.visitor import PASSWORD, Visitor

Step = Callable[[Page, Still], Page]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

SCRIPTS = re.compile(r"\.js$")


def give_authenticator(page: Page) -> None:
    """A device that says yes, as somebody who unlocks it does."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})


def go(page: Page, still: Still, path: str) -> Page:
    still.show("asleep")
    still.visitor.confirm()
    sign_in_as(page, still.visitor)
    page.goto(path)
    return page


def go_as_stranger(page: Page, still: Still, path: str) -> Page:
    page.goto(path)
    return page


def follow(page: Page, link: str, button: str) -> Page:
    """A link, to the page that has the button."""
    page.get_by_role("link", name=link).click()
    expect(page.get_by_role("button", name=button)).to_be_visible()
    return page


def fill_in(page: Page, email: str, password: str, button: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=button, exact=True).click()


def sign_in_refused(page: Page, still: Still) -> Page:
    """A password that is wrong."""
    page.goto("/accounts/login/")
    fill_in(page, still.visitor.email, "not this one", "Sign In")
    expect(page.locator(".errorlist").first).to_be_visible()
    return page


def sign_up_refused(page: Page, still: Still) -> Page:
    """A password that anybody would guess."""
    page.goto("/accounts/signup/")
    fill_in(page, "bob@example.com", "password", "Sign Up")
    expect(page.locator(".errorlist").first).to_be_visible()
    return page


def arrive(page: Page, still: Still) -> Visitor:
    """A new person, whose address is confirmed."""
    with Visitor(still.url) as newcomer:
        newcomer.sign_up()
        still.confirm_address(newcomer.email)
        newcomer.confirm()
        sign_in_as(page, newcomer)
    return newcomer


def turn_on_app(page: Page, still: Still) -> str:
    """Of a new person, whose address is returned."""
    newcomer = arrive(page, still)
    page.goto("/accounts/2fa/totp/activate/")
    secret = page.locator("#totp-secret").inner_text()
    page.get_by_label("Code from the app").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return newcomer.email


def recovery_codes(page: Page, still: Still) -> Page:
    """An authenticator app is set up: codes for when it is lost."""
    turn_on_app(page, still)
    return page


def second_factor(page: Page, still: Still) -> Page:
    """After the password, a code from the app."""
    email = turn_on_app(page, still)
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    fill_in(page, email, PASSWORD, "Sign In")
    expect(page).to_have_url(re.compile("/2fa/authenticate/$"))
    return page


def passkey_added(page: Page, still: Still) -> Page:
    """A passkey, with its name."""
    give_authenticator(page)
    arrive(page, still)
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/accounts/2fa/webauthn/")
    return page


def token_made(page: Page, still: Still) -> Page:
    """A token, which is shown this once."""
    go(page, still, "/account/tokens/new/")
    page.get_by_label("Name").fill("Release script")
    page.get_by_label("See the state of your sandbox").check()
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("button", name="Copy the token")).to_be_visible()
    return page


def token_revoked(page: Page, still: Still) -> Page:
    """Asked before a token is revoked."""
    return follow(
        go(page, still, "/account/tokens/"), "Revoke the token Nightly build", "Revoke it"
    )


def agent_asks(page: Page, still: Still) -> Page:
    """An agent wants to be let in: what it may do, and where."""
    go(page, still, sample_activity.asking(still.visitor, "An agent with a long name"))
    page.get_by_text("Limit folder or duration").click()
    return page


def agent_permissions(page: Page, still: Still) -> Page:
    """What an agent may do, changed later on."""
    return follow(
        go(page, still, "/account/agents/"), "Permissions of the agent Claude Code", "Save"
    )


def agent_revoked(page: Page, still: Still) -> Page:
    """Asked before an agent is disconnected."""
    agents = go(page, still, "/account/agents/")
    return follow(agents, "Revoke the agent Claude Code", "Disconnect it")


def losses(page: Page, still: Still) -> Page:
    """Before a sandbox is deleted: the work that is nowhere else, commit by commit."""
    go(page, still, "/account/")
    still.show("unsaved")
    page.goto("/sandbox/delete/")
    return page


def not_yet(page: Page, still: Still) -> Page:
    """Open, pressed in a page that doesn't know yet that the sandbox is being made anew."""
    hears_no_news(page)
    still.show("asleep")
    person = move_in(page, still.visitor)
    still.show("provisioning")
    opened = opening(page, person)
    expect(opened.get_by_role("heading", name="That did not work")).to_be_visible()
    return opened


def starter(page: Page, still: Still) -> Page:
    """What runs in a new sandbox, in a tab of its own."""
    still.show("asleep")
    opened = opening(page, move_in(page, still.visitor))
    expect(opened.get_by_role("heading", level=1)).to_be_visible()
    return opened


def opening(page: Page, person: Person) -> Page:
    with page.context.expect_page() as opening:
        person.page.locator("#preview-open").click()
    return opening.value


def api_operation(page: Page, still: Still) -> Page:
    """One of the API's operations: what it takes, and what it answers."""
    go(page, still, "/api/docs")
    page.locator("details summary").filter(has_text="/api/sandbox/processes").first.click()
    return page


def forbidden(page: Page, still: Still) -> Page:
    """A form that comes without its proof."""
    page.goto("/accounts/login/")
    page.context.clear_cookies()
    fill_in(page, still.visitor.email, PASSWORD, "Sign In")
    expect(page).to_have_title(re.compile("^(?!Sign in)"))
    return page


def outdated(page: Page, still: Still) -> Page:
    """A form from before its person signed in again."""
    # Without scripts: what they ask for meanwhile would bring the old cookie back.
    page.route(SCRIPTS, lambda route: route.abort())
    go(page, still, "/accounts/logout/")
    still.visitor.sign_in()
    sign_in_as(page, still.visitor)
    page.unroute(SCRIPTS)
    page.get_by_role("main").get_by_role("button", name="Sign Out").click()
    expect(page.get_by_role("link", name="Reload")).to_be_visible()
    return page


def broken(page: Page, still: Still) -> Page:
    """A bug, with what to tell whoever runs Manta."""
    with still.broken():
        return go(page, still, "/sandbox/agents/")


def go_as_admin(page: Page, still: Still, path: str) -> Page:
    still.show("unsaved")
    with Visitor(still.url, "carol@example.com") as admin:
        admin.sign_up()
        admin.sign_out()
        admin.sign_in()
        still.make_admin(admin.email)
        sign_in_as(page, admin)
    page.goto(path)
    return page


def admin_sandbox(page: Page, still: Still) -> Page:
    """A sandbox, with all that Manta knows; its owner reads that an admin looked at it."""
    go_as_admin(page, still, "/admin/sandboxes/sandbox/")
    page.locator("th a[href*=change]").last.click()
    expect(page.get_by_text("differs at the provider")).to_be_visible()
    return page


def admin_deletes(page: Page, still: Still) -> Page:
    """Asked before an admin deletes a sandbox, and for the reason that its owner reads."""
    go_as_admin(page, still, "/admin/sandboxes/sandbox/")
    page.locator(".action-select").last.check()
    page.get_by_role("combobox", name="Action").select_option("delete_sandboxes")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_label("Reason")).to_be_visible()
    return page


OF_COMING_IN: list[Step] = [sign_in_refused, sign_up_refused, second_factor]
OF_THE_ACCOUNT: list[Step] = [
    *(recovery_codes, passkey_added, token_made, token_revoked),
    *(agent_asks, agent_permissions, agent_revoked, api_operation),
]
OF_THE_SANDBOX: list[Step] = [losses, not_yet, starter]
OF_ERRORS: list[Step] = [forbidden, outdated, broken]
STEPS = [*OF_COMING_IN, *OF_THE_ACCOUNT, *OF_THE_SANDBOX, *OF_ERRORS]
# Django's own sizes.
OF_THE_ADMINISTRATION: list[Step] = [admin_sandbox, admin_deletes]
