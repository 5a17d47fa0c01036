"""Checks of a page as it stands in a browser: axe-core, a phone's width, and 200 % zoom."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

from tests.support.chromium import UNTIL_STILL

PHONE = ViewportSize(width=390, height=844)
# 1280 x 800 pixels at 200 %.
ENLARGED = ViewportSize(width=640, height=400)
TOO_SMALL = """
() => [...document.querySelectorAll("button, a.button")]
  .filter((element) => !element.matches(".small, .copy, [data-theme-choice], [data-dismiss]"))
  .filter((element) => element.checkVisibility())
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 43.9 || box.height < 43.9))
  .map(([element, box]) => `${element.outerHTML.slice(0, 90)} ${box.width}x${box.height}`)
"""
# Of what is right, axe then says little: its nodes are most of what it would send.
ALL_RULES: dict[str, list[str]] = {"resultTypes": ["violations"]}
# All that the theme changes.
COLOURS = ALL_RULES | {"runOnly": ["color-contrast", "link-in-text-block"]}
HAS_AXE = "typeof axe !== 'undefined'"
RUN_AXE = "(options) => axe.run(options).then((results) => results.violations)"
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
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Scripts hear of another width with the next frame.
UNTIL_LAID_OUT = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, in either theme."""
    found = []
    if not page.evaluate(HAS_AXE):
        page.evaluate(AXE_SCRIPT)
    for theme, options in (("light", ALL_RULES), ("dark", COLOURS)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(UNTIL_STILL)
        for violation in page.evaluate(RUN_AXE, options):
            targets = [f"{node['target']} {node['failureSummary']}" for node in violation["nodes"]]
            found.append(f"{theme}: {violation['id']}: {targets}")
    return found


def phone_faults(page: Page) -> list[str]:
    """Return what is wider than the page, and what is too small for a finger."""
    overflow = page.evaluate(OVERFLOW)
    beside = [f"{overflow} pixels wider than the phone"] if overflow else []
    return [f"phone: {each}" for each in [*beside, *page.evaluate(TOO_SMALL)]]


def zoom_faults(page: Page) -> list[str]:
    """Return what scrolls sideways, and what can't be reached."""
    return [f"200 %: {each}" for each in [*page.evaluate(SIDEWAYS), *page.evaluate(UNREACHABLE)]]


def faults(page: Page) -> list[str]:
    """Return what every check finds, on one visit: the window changes, the page stays."""
    found = violations(page)
    for size, check in ((PHONE, phone_faults), (ENLARGED, zoom_faults)):
        page.set_viewport_size(size)
        page.evaluate(UNTIL_LAID_OUT)
        page.evaluate(UNTIL_STILL)
        found += check(page)
    return found
