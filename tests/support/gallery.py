"""The gallery that `make screenshots` writes, from the tables that the browser's tests go through.

A page, step, state or scene that is added there is pictured without another edit.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Literal

from playwright.sync_api import Page, expect

from tests.support import page_list, page_steps, workspace_scenes
from tests.support.page_states import STATES, Still
from tests.support.person import move_in

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Pictured on a phone, too.
ON_A_PHONE = {
    *("pages/home", "pages/account", "pages/sandbox-connect", "pages/sandbox-agents"),
    *("pages/agent-asks", "pages/losses", "pages/not-yet"),
    *(f"states/{state}" for state in ("active", "asleep", "provisioning", "failed")),
    *("states/deleted", "states/expiring"),
    *(f"workspace/{name}" for name in ("files", "editor", "terminal", "processes", "ports")),
    *("workspace/preview", "workspace/panel"),
}


@dataclass(frozen=True)
class Picture:
    """`show` has it in a new tab, and returns the tab that it is in."""

    name: str
    words: str
    show: Callable[[Page, Still], Page]

    @property
    def sizes(self) -> tuple[str, ...]:
        return ("", "-phone") if self.name in ON_A_PHONE else ("",)

    @property
    def files(self) -> list[str]:
        return [f"{self.name}{size}-{theme}.png" for size in self.sizes for theme in THEMES]


def of_pages(paths: dict[str, str], go: Callable[[Page, Still, str], Page]) -> Iterable[Picture]:
    for path, words in paths.items():
        name = path.strip("/").replace("/", "-") or "home"
        yield Picture(f"pages/{name}", f"`{path}`: {words}", partial(go, path=path))


def of_steps(table: list[page_steps.Step]) -> Iterable[Picture]:
    for step in table:
        yield Picture(f"pages/{_name(step)}", _words(step), step)


def of_scenes(table: list[workspace_scenes.Scene]) -> Iterable[Picture]:
    for scene in table:
        yield Picture(f"workspace/{_name(scene)}", _words(scene), _at_work(scene))


def _at_work(scene: workspace_scenes.Scene) -> page_steps.Step:
    def show(page: Page, still: Still) -> Page:
        workspace_scenes.enter(page, still)
        workspace_scenes.see_preview(page)
        _see_terminal(page)
        scene(page)
        # Around a pane, only who uses the keyboard sees a ring.
        page.evaluate("document.activeElement.matches('.pane') && document.activeElement.blur()")
        return page

    return show


def of_states() -> Iterable[Picture]:
    for state, (words, _) in STATES.items():
        yield Picture(f"states/{state}", words, _panel_in(state))


def _panel_in(state: str) -> page_steps.Step:
    """Beside the workspace, or on a phone over it, the panel."""

    def show(page: Page, still: Still) -> Page:
        still.show(state)
        person = move_in(page, still.visitor)
        person.play.click()
        expect(person.panel).to_be_visible()
        expect(page.locator("[data-preview=loading]")).to_have_count(0)
        _see_terminal(page)
        return page

    return show


def _see_terminal(page: Page) -> None:
    """Where it is seen: connected, or asleep."""
    words = page.locator("[data-terminal=words]")
    if words.is_visible():
        expect(words).to_have_text(re.compile("^(Connected|Asleep)"))


def _name(function: Callable[..., object]) -> str:
    return function.__name__.replace("_", "-")


def _words(function: Callable[..., object]) -> str:
    return re.sub(r"\s+", " ", function.__doc__ or "")


PARTS: dict[str, list[Picture]] = {
    "Coming in": [
        *of_pages(page_list.FOR_STRANGERS | page_list.WAYS_IN, page_steps.go_as_stranger),
        *of_steps(page_steps.OF_COMING_IN),
    ],
    "The workspace": [*of_scenes(workspace_scenes.SCENES)],
    "The sandbox's states": [*of_states(), *of_steps(page_steps.OF_THE_SANDBOX)],
    "The pages of an account and its sandbox": [
        *of_pages(page_list.FOR_PEOPLE | page_list.OF_WAYS_IN, page_steps.go),
        *of_steps(page_steps.OF_THE_ACCOUNT),
    ],
    "When something goes wrong": [*of_steps(page_steps.OF_ERRORS)],
    "Administration": [
        *of_pages(page_list.OF_ADMINS, page_steps.go_as_admin),
        *of_steps(page_steps.OF_THE_ADMINISTRATION),
    ],
}
PICTURES = [picture for part in PARTS.values() for picture in part]


def index_page() -> str:
    """Return index.html: every picture with its caption, light beside dark."""
    parts = "".join(
        f"<h2>{escape(title)}</h2>\n" + "".join(map(_figure, part)) for title, part in PARTS.items()
    )
    return f"{_HEAD}{parts}"


def _figure(picture: Picture) -> str:
    images = "".join(_image(picture, size, theme) for size in picture.sizes for theme in THEMES)
    caption = re.sub(r"`(.+?)`", r"<code>\1</code>", escape(picture.words))
    return f"<figure>\n<figcaption>{caption}</figcaption>\n{images}</figure>\n"


def _image(picture: Picture, size: str, theme: str) -> str:
    width, where = ("24%", ", on a phone") if size else ("49%", "")
    source = f"{picture.name}{size}-{theme}.png"
    return (
        f'<a href="{source}"><img src="{source}" width="{width}" loading="lazy"'
        f' alt="{theme.capitalize()}{where}"></a>\n'
    )


_HEAD = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Manta in pictures</title>
<style>body { font: 16px system-ui; margin: 2rem auto; max-width: 90rem; padding: 0 1rem }</style>
<h1>Manta in pictures</h1>
"""
