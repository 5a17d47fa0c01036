"""What a person does on Manta's pages, by what they read there."""

import re

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.support.visitor import PASSWORD, Visitor, new_email


class Person:
    def __init__(self, page: Page, email: str = "") -> None:
        self.page = page
        self.email = email or new_email()

    def sign_up(self) -> None:
        self.page.goto("/")
        self.page.get_by_role("link", name="Create an account").click()
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign Up").click()
        expect(self.page).to_have_url(re.compile("/workspace/$"))

    def sign_in(self) -> None:
        self.page.goto("/accounts/login/")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign In", exact=True).click()
        expect(self.page).to_have_url(re.compile("/workspace/$"))

    def sign_out(self) -> None:
        self.page.get_by_role("button", name="Account menu").click()
        self.page.get_by_role("button", name="Sign out").click()
        expect(self.page.get_by_role("link", name="Create an account")).to_be_visible()

    @property
    def play(self) -> Locator:
        return self.page.locator("#play")

    @property
    def panel(self) -> Locator:
        return self.page.locator("#sandbox-panel")

    @property
    def preview(self) -> FrameLocator:
        return self.page.frame_locator("iframe[name=preview]")

    def reads(self, word: str) -> None:
        """Wait until the Play button says so, whether by a poll or at once."""
        expect(self.play).to_contain_text(word)


def sign_in_as(page: Page, visitor: Visitor) -> None:
    """Be, in the browser, whom the visitor has signed in as."""
    cookies = [
        {"name": cookie.name, "value": cookie.value or "", "url": str(visitor.http.base_url)}
        for cookie in visitor.http.cookies.jar
    ]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]


def move_in(page: Page, visitor: Visitor) -> Person:
    """Open the visitor's workspace."""
    sign_in_as(page, visitor)
    page.goto("/workspace/")
    return Person(page, visitor.email)


def hears_no_news(page: Page) -> None:
    """Leave the page as it is, whatever happens to its sandbox."""
    page.route("**/sandbox/panel/**", lambda route: route.fulfill(status=204))


def confirm_password(page: Page) -> None:
    """Show the password again, where it matters."""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def see(hidden: bool) -> str:
    """Return the script by which a page believes that another tab is chosen, or this one again."""
    return f"""
    Object.defineProperty(document, "hidden", {{value: {str(hidden).lower()}, configurable: true}});
    document.dispatchEvent(new Event("visibilitychange"));
    """
