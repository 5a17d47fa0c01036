import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page, expect

from tests.e2e import traces
from tests.e2e.chromium import UNTIL_STILL, browser_of_a_phone
from tests.e2e.manta import Parts
from tests.e2e.pages import FOR_PEOPLE, FOR_STRANGERS, OF_ADMINS
from tests.e2e.person import move_in, sign_in_as
from tests.e2e.scenes import (
    SCENES,
    Scene,
    editor,
    enter,
    files,
    files_undo,
    palette,
    panel,
    process_log,
    terminal,
)
from tests.e2e.states import STATES, Still, held
from tests.e2e.steps import OF_THE_ADMINISTRATION, STEPS, Step, go, go_as_admin

TOO_SMALL = """
() => [...document.querySelectorAll("button, a.button")]
  .filter((element) => !element.matches(".small, .copy, [data-theme-choice], [data-dismiss]"))
  .filter((element) => element.checkVisibility())
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 43.9 || box.height < 43.9))
  .map(([element, box]) => `${element.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)
"""
# All that the theme changes.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
# Controls that can't be reached: beside the page, cut off, or under something else. Going there
# scrolls; what doesn't scroll by itself must not have to.
UNREACHABLE = """
() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, " +
    "[role=treeitem] > .entry-row";
  const above = [...document.querySelectorAll("dialog:modal, :popover-open")].at(-1) ?? document;
  const clips = (element) => {
    for (let each = element.parentElement; each; each = each.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(each);
      const beside = overflowX === "hidden" && each.scrollLeft;
      if (beside || (overflowY === "hidden" && each.scrollTop)) return true;
    }
    return false;
  };
  const within = (middle, most) => Math.min(Math.max(middle, 0), most - 1);
  const lost = (element) => {
    element.scrollIntoView({ block: "center", inline: "nearest" });
    const { left, right, top, width, height } = element.getBoundingClientRect();
    if (width <= 1 || height <= 1) return "";
    const [x, y] = [within(left + width / 2, innerWidth), within(top + height / 2, innerHeight)];
    const seen = document.elementFromPoint(x, y);
    if (left < -1 || right > innerWidth + 1) return "beside the page";
    if (clips(element)) return "cut off";
    // A notice goes by itself, or is sent away.
    if (element.contains(seen) || seen?.closest("#notices")) return "";
    return `under ${seen?.outerHTML.slice(0, 60)}`;
  };
  return [...above.querySelectorAll(CONTROLS)]
    .filter((element) => !element.disabled && !element.closest("[inert], .skip-link, .xterm"))
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .map((element) => [element, lost(element)])
    .filter(([, how]) => how)
    .map(([element, how]) => `${element.outerHTML.slice(0, 90)}: ${how}`);
}
"""
# Of what isn't text to be kept in its lines, as code and a terminal's are.
SIDEWAYS = """
() => [document.documentElement, ...document.querySelectorAll("main, .panel, .dialog, .stage, " +
  ":is(#pane-files, #pane-processes, #pane-ports) .pane-body, #process-list, .editor-empty")]
  .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth)
  .map((element) => `${element.tagName}#${element.id}.${element.className}`)
"""
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
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def still(whole_parts: Parts) -> Iterator[Still]:
    with held(whole_parts) as still:
        traces.leave(still.visitor)
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
        viewport={"width": 640, "height": 400},
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


def violations(page: Page) -> list[str]:
    """What axe-core finds, in either theme."""
    found = []
    for theme, rules in (("light", {}), ("dark", COLOURS)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(UNTIL_STILL)
        for violation in Axe().run(page, options=rules).response["violations"]:
            targets = [f"{node['target']} {node['failureSummary']}" for node in violation["nodes"]]
            found.append(f"{theme}: {violation['id']}: {targets}")
    return found


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_a_stranger_finds_every_page_accessible(page: Page, path: str) -> None:
    page.goto(path)

    assert violations(page) == []


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_every_page_of_an_account_is_accessible(page: Page, still: Still, path: str) -> None:
    go(page, still, path)

    assert violations(page) == []


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "403_outdated", "429", "500"])
def test_the_page_of_an_error_is_accessible(page: Page, phone: Page, name: str) -> None:
    text = render_to_string(
        f"{name}.html", {"page": "/", "code": "invalid", "request_id": "f" * 32}
    )
    for each in (page, phone):
        each.route("**/error", lambda route: route.fulfill(body=text, content_type="text/html"))
        each.goto("/error")
        each.get_by_text("Details").click()

    assert violations(page) == []
    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


def test_every_operation_of_the_api_is_accessible(page: Page, phone: Page, enlarged: Page) -> None:
    for each in (page, phone, enlarged):
        each.goto("/api/docs")
        each.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert violations(page) == []
    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []
    assert enlarged.evaluate(SIDEWAYS) == []
    assert enlarged.evaluate(UNREACHABLE) == []


@pytest.mark.parametrize("step", [*STEPS, *OF_THE_ADMINISTRATION])
def test_what_a_step_leads_to_is_accessible(page: Page, still: Still, step: Step) -> None:
    assert violations(step(page, still)) == []


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_leads_to_fits_a_phone(phone: Page, still: Still, step: Step) -> None:
    reached = step(phone, still)

    assert reached.evaluate(OVERFLOW) == 0
    assert reached.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("state", STATES)
def test_the_workspace_is_accessible_in_every_state(page: Page, still: Still, state: str) -> None:
    move_in_and_open(page, still, state)

    assert violations(page) == []


def test_what_is_needed_seldom_is_accessible(page: Page, still: Still) -> None:
    move_in_and_open(page, still, "asleep")

    page.locator("#panel-more summary").click()

    assert violations(page) == []


@pytest.mark.parametrize("state", ["active", "provisioning", "failed"])
def test_a_workspace_without_scripts_is_accessible(page: Page, still: Still, state: str) -> None:
    page.route(re.compile(r"\.js$"), lambda route: route.abort())
    still.show(state)
    sign_in_as(page, still.visitor)

    page.goto("/sandbox/stage/")

    assert violations(page) == []


@pytest.mark.parametrize("path", OF_ADMINS)
def test_a_page_of_the_administration_is_accessible(page: Page, still: Still, path: str) -> None:
    go_as_admin(page, still, path)

    assert violations(page) == []


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_a_page_fits_a_strangers_phone(phone: Page, path: str) -> None:
    phone.goto(path)

    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_a_page_of_an_account_fits_a_phone(phone: Page, still: Still, path: str) -> None:
    go(phone, still, path)

    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("state", ["active", "failed", "provisioning", "stale", "expiring"])
def test_the_panel_fits_a_phone(phone: Page, still: Still, state: str) -> None:
    move_in_and_open(phone, still, state)

    assert phone.evaluate(OVERFLOW) == 0
    assert phone.evaluate(TOO_SMALL) == []


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_done_in_the_workspace_is_accessible(
    page: Page, still: Still, scene: Scene
) -> None:
    enter(page, still)

    scene(page)

    assert violations(page) == []


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_a_strangers_page_can_be_enlarged(enlarged: Page, path: str) -> None:
    enlarged.goto(path)

    assert enlarged.evaluate(SIDEWAYS) == []
    assert enlarged.evaluate(UNREACHABLE) == []


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_a_page_of_an_account_can_be_enlarged(enlarged: Page, still: Still, path: str) -> None:
    go(enlarged, still, path)

    assert enlarged.evaluate(SIDEWAYS) == []
    assert enlarged.evaluate(UNREACHABLE) == []


@pytest.mark.parametrize("scene", SCENES)
def test_the_workspace_can_be_enlarged(enlarged: Page, still: Still, scene: Scene) -> None:
    enter(enlarged, still)

    scene(enlarged)

    assert enlarged.evaluate(SIDEWAYS) == []
    assert enlarged.evaluate(UNREACHABLE) == []


@pytest.mark.parametrize("state", ["provisioning", "failed", "deleted", "unsaved"])
def test_the_panel_can_be_enlarged(enlarged: Page, still: Still, state: str) -> None:
    move_in_and_open(enlarged, still, state)

    assert enlarged.evaluate(SIDEWAYS) == []
    assert enlarged.evaluate(UNREACHABLE) == []


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

    move_in_and_open(page, still, state)

    assert page.evaluate("moved") == []
    assert page.evaluate(STILL_MOVING) == []


def test_for_everybody_else_something_does(page: Page, still: Still) -> None:
    page.add_init_script(MOVES)

    move_in_and_open(page, still, "provisioning")

    assert any("translate" in each for each in page.evaluate("moved"))
    assert page.evaluate(STILL_MOVING) != []
