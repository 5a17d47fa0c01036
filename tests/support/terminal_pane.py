"""The terminal pane, as a person at a keyboard uses it."""

import re

from playwright.sync_api import Locator, Page, expect


class Terminals:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.pane = page.locator("#pane-terminal")
        self.words = self.pane.locator("[data-terminal=words]")
        self.typed: list[str] = []

    @property
    def screen(self) -> Locator:
        return self.pane.locator(".terminal-panel:visible .xterm-rows")

    def add(self) -> None:
        before = self.pane.get_by_role("tab").count()
        self.pane.get_by_role("button", name="New terminal").first.click()
        expect(self.pane.get_by_role("tab")).to_have_count(before + 1)
        expect(self.pane.locator(".terminal-panel:visible textarea")).to_be_focused()
        self.connected()

    def connected(self) -> None:
        expect(self.words).to_have_text("Connected")

    def types(self, text: str) -> None:
        self.typed.append(text)
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def shows(self, text: str) -> None:
        """Wait for what a program has said; the shell shows what was typed before it runs it."""
        assert not any(text in typed for typed in self.typed), f"{text} was typed: use line()"
        expect(self.screen).to_contain_text(text)

    def line(self, text: str) -> Locator:
        """A line that is nothing but this."""
        return self.screen.locator("> div").filter(has_text=re.compile(f"^{re.escape(text)}$"))

    def click(self, text: str, times: int = 1) -> None:
        """At the beginning of such a line, whatever xterm.js has drawn over it."""
        box = self.line(text).bounding_box()
        assert box
        x, y = box["x"] + 30, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.click(x, y, click_count=times)

    def tab(self, name: str) -> Locator:
        return self.pane.get_by_role("tab", name=name, exact=True)
