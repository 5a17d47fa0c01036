"""Each page, step, state and scene is visited once, and checked there in every theme and width.

The main ones run in `make test`, the others in `make test-all`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect

from tests.support import sample_activity
from tests.support.chromium import browser_of_a_phone
from tests.support.manta_process import Parts
from tests.support.page_checks import ENLARGED, faults, phone_faults, violations, zoom_faults
from tests.support.page_list import FOR_PEOPLE, FOR_STRANGERS, OF_ADMINS
from tests.support.page_states import STATES, Still, held
from tests.support.page_steps import OF_THE_ADMINISTRATION, STEPS, Step, go, go_as_admin
from tests.support.person import move_in, sign_in_as
from tests.support.workspace_scenes import (
    SCENES,
    Scene,
    editor,
    enter,
    files,
    files_undo,
    palette,
    panel,
    ports,
    process_log,
    processes,
    terminal,
)

MOVES = """
  window.moved = [];
  for (const name of ["transitionrun", "animationstart"]) {
    addEventListener(name, (event) => {
      moved.push(`${name} ${event.propertyName ?? event.animationName} ${event.target.className}`);
    }, true);
  }
"""
STILL_MOVING = """
() => document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().duration > 0.01)
  .map((each) => each.effect.target.outerHTML.slice(0, 90))
"""


@pytest.fixture(scope="module")
def still(whole_parts: Parts) -> Iterator[Still]:
    with held(whole_parts) as still:
        sample_activity.leave(still.visitor)
        yield still


@pytest.fixture
def address(still: Still) -> str:
    return still.url


@pytest.fixture
def phone(browser: Browser, still: Still) -> Iterator[Page]:
    context = browser.new_context(base_url=still.url, **browser_of_a_phone())
    yield context.new_page()
    context.close()


@pytest.fixture
def enlarged(browser: Browser, still: Still) -> Iterator[Page]:
    """1280 x 800 pixels at 200 %."""
    context = browser.new_context(
        base_url=still.url,
        viewport=ENLARGED,
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


def move_in_and_open(page: Page, still: Still, state: str) -> None:
    """The workspace with the panel open, and its preview where there is one."""
    still.show(state)
    person = move_in(page, still.visitor)
    person.play.click()
    expect(person.panel).to_be_visible()


MAIN = {
    *("/", "/accounts/login/", "/accounts/signup/", "/account/", "/sandbox/connect/"),
    *("active", editor, files, ports, processes, terminal),
}


def main_first(table: Iterable[Any]) -> list[Any]:
    """The main ones are checked by `make test`, too."""
    seldom = pytest.mark.exhaustive
    return [each if each in MAIN else pytest.param(each, marks=seldom) for each in table]


@pytest.mark.parametrize("path", main_first(FOR_STRANGERS))
def test_a_strangers_page(page: Page, path: str) -> None:
    page.goto(path)

    assert faults(page) == []


@pytest.mark.parametrize("path", main_first(FOR_PEOPLE))
def test_a_page_of_an_account(page: Page, still: Still, path: str) -> None:
    go(page, still, path)

    assert faults(page) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "403_outdated", "429", "500"])
def test_the_page_of_an_error_is_accessible(page: Page, phone: Page, name: str) -> None:
    text = render_to_string(
        f"{name}.html", {"page": "/", "code": "invalid", "request_id": "f" * 32}
    )
    for each in (page, phone):
        each.route("**/error", lambda route: route.fulfill(body=text, content_type="text/html"))
        each.goto("/error")
        each.get_by_text("Details").click()

    assert [*violations(page), *phone_faults(phone)] == []


@pytest.mark.exhaustive
def test_every_operation_of_the_api_is_accessible(page: Page, phone: Page, enlarged: Page) -> None:
    for each in (page, phone, enlarged):
        each.goto("/api/docs")
        each.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert [*violations(page), *phone_faults(phone), *zoom_faults(enlarged)] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_leads_to(page: Page, still: Still, step: Step) -> None:
    assert faults(step(page, still)) == []


# Django's own sizes: axe alone.
@pytest.mark.exhaustive
@pytest.mark.parametrize("step", OF_THE_ADMINISTRATION)
def test_what_a_step_of_the_administration_leads_to(page: Page, still: Still, step: Step) -> None:
    assert violations(step(page, still)) == []


@pytest.mark.parametrize("state", main_first(STATES))
def test_the_workspace_in_a_state(page: Page, still: Still, state: str) -> None:
    move_in_and_open(page, still, state)

    assert faults(page) == []


@pytest.mark.parametrize("scene", main_first(SCENES))
def test_what_is_done_in_the_workspace(page: Page, still: Still, scene: Scene) -> None:
    enter(page, still)

    scene(page)

    assert faults(page) == []


@pytest.mark.exhaustive
def test_what_is_needed_seldom_is_accessible(page: Page, still: Still) -> None:
    move_in_and_open(page, still, "asleep")

    page.locator("#panel-more summary").click()

    assert violations(page) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("state", ["active", "provisioning", "failed"])
def test_a_workspace_without_scripts_is_accessible(page: Page, still: Still, state: str) -> None:
    page.route(re.compile(r"\.js$"), lambda route: route.abort())
    still.show(state)
    sign_in_as(page, still.visitor)

    page.goto("/sandbox/stage/")

    assert violations(page) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("path", OF_ADMINS)
def test_a_page_of_the_administration_is_accessible(page: Page, still: Still, path: str) -> None:
    go_as_admin(page, still, path)

    assert violations(page) == []


MOVING: list[Scene] = [files, files_undo, editor, terminal, process_log, palette, panel]


@pytest.mark.exhaustive
@pytest.mark.parametrize("scene", MOVING)
def test_nothing_moves_for_who_wants_it_still(page: Page, still: Still, scene: Scene) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(MOVES)
    enter(page, still)

    scene(page)

    assert page.evaluate("moved") == []
    assert page.evaluate(STILL_MOVING) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("state", ["provisioning", "deleting", "restarting"])
def test_neither_does_who_waits_see_anything_move(page: Page, still: Still, state: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(MOVES)

    move_in_and_open(page, still, state)

    assert page.evaluate("moved") == []
    assert page.evaluate(STILL_MOVING) == []


@pytest.mark.exhaustive
def test_for_everybody_else_something_does(page: Page, still: Still) -> None:
    page.add_init_script(MOVES)

    move_in_and_open(page, still, "provisioning")

    assert any("translate" in each for each in page.evaluate("moved"))
    assert page.evaluate(STILL_MOVING) != []
