"""Nothing moves for people who prefer reduced motion."""

import pytest
from playwright.sync_api import Page

from tests.support.page_states import Still
from tests.support.workspace_scenes import (
    Scene,
    editor,
    enter,
    files,
    files_undo,
    open_with_panel,
    palette,
    panel,
    process_log,
    terminal,
)

pytestmark = pytest.mark.exhaustive

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


MOVING: list[Scene] = [files, files_undo, editor, terminal, process_log, palette, panel]


@pytest.mark.parametrize("scene", MOVING)
def test_nothing_moves_for_who_wants_it_still(page: Page, still: Still, scene: Scene) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(MOVES)
    enter(page, still)

    scene(page)

    assert page.evaluate("moved") == []
    assert page.evaluate(STILL_MOVING) == []


@pytest.mark.parametrize("state", ["provisioning", "deleting", "restarting"])
def test_neither_does_who_waits_see_anything_move(page: Page, still: Still, state: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.add_init_script(MOVES)

    open_with_panel(page, still, state)

    assert page.evaluate("moved") == []
    assert page.evaluate(STILL_MOVING) == []


def test_for_everybody_else_something_does(page: Page, still: Still) -> None:
    page.add_init_script(MOVES)

    open_with_panel(page, still, "provisioning")

    assert any("translate" in each for each in page.evaluate("moved"))
    assert page.evaluate(STILL_MOVING) != []
