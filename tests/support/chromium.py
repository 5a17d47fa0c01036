"""Chromium as the tests and the pictures use it: this machine's own, without a profile."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

# The shell has no window to draw, and needs a fifth less of the processors.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
# Halfway from one look to the other, no colour and no place is right.
UNTIL_STILL = """
() => Promise.all(document.getAnimations().filter((running) => running instanceof CSSTransition)
  .map((transition) => transition.finished))
"""


def find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def running(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def browser_of_a_phone() -> dict[str, Any]:
    size = {"width": 390, "height": 844}
    return {"viewport": size, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
