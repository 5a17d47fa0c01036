"""What is in docs/img and docs/screenshots.md, from the tables that the browser's tests go through.

A page, step, state or scene that is added there is pictured by itself.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from playwright.sync_api import Page, expect

from tests.e2e import pages, scenes, steps
from tests.e2e.person import move_in
from tests.e2e.states import STATES, Still

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


def of_steps(table: list[steps.Step]) -> Iterable[Picture]:
    for step in table:
        yield Picture(f"pages/{_name(step)}", _words(step), step)


def of_scenes(table: list[scenes.Scene]) -> Iterable[Picture]:
    for scene in table:
        yield Picture(f"workspace/{_name(scene)}", _words(scene), _at_work(scene))


def _at_work(scene: scenes.Scene) -> steps.Step:
    def show(page: Page, still: Still) -> Page:
        scenes.enter(page, still)
        scenes.see_preview(page)
        _see_terminal(page)
        scene(page)
        # Around a pane, only who uses the keyboard sees a ring.
        page.evaluate("document.activeElement.matches('.pane') && document.activeElement.blur()")
        return page

    return show


def of_states() -> Iterable[Picture]:
    for state, (words, _) in STATES.items():
        yield Picture(f"states/{state}", words, _panel_in(state))


def _panel_in(state: str) -> steps.Step:
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
        *of_pages(pages.FOR_STRANGERS | pages.WAYS_IN, steps.go_as_stranger),
        *of_steps(steps.OF_COMING_IN),
    ],
    "The workspace": [*of_scenes(scenes.SCENES)],
    "The sandbox's states": [*of_states(), *of_steps(steps.OF_THE_SANDBOX)],
    "The pages of an account and its sandbox": [
        *of_pages(pages.FOR_PEOPLE | pages.OF_WAYS_IN, steps.go),
        *of_steps(steps.OF_THE_ACCOUNT),
    ],
    "When something goes wrong": [*of_steps(steps.OF_ERRORS)],
    "Administration": [
        *of_pages(pages.OF_ADMINS, steps.go_as_admin),
        *of_steps(steps.OF_THE_ADMINISTRATION),
    ],
}
PICTURES = [picture for part in PARTS.values() for picture in part]


def gallery() -> str:
    """docs/screenshots.md."""
    parts = (
        f"## {title}\n\n" + "\n\n".join(map(_in_the_gallery, part)) for title, part in PARTS.items()
    )
    return "\n\n".join([_HEAD, *parts]) + "\n"


def _in_the_gallery(picture: Picture) -> str:
    images = (_image(picture, size, theme) for size in picture.sizes for theme in THEMES)
    return "\n".join([picture.words, "", *images])


def _image(picture: Picture, size: str, theme: str) -> str:
    width, where = ("24%", ", on a phone") if size else ("49%", "")
    source = f"img/{picture.name}{size}-{theme}.png"
    return f'<img src="{source}" width="{width}" alt="{theme.capitalize()}{where}">'


_HEAD = """\
# Screenshots

Every page and state, light and dark; some on a phone, too. `make screenshots` takes them and writes
this page, from the tables of the browser's tests: [pages](../tests/e2e/pages.py),
[steps](../tests/e2e/steps.py), [states](../tests/e2e/states.py) and
[scenes](../tests/e2e/scenes.py)."""
