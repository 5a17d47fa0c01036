"""The workspace in each state and scene, visited once, checked in every theme and width."""

import re

import pytest
from playwright.sync_api import Page

from tests.support.page_checks import faults, violations
from tests.support.page_states import STATES, Still
from tests.support.person import sign_in_as
from tests.support.workspace_scenes import (
    SCENES,
    Scene,
    enter,
    open_with_panel,
)

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("state", STATES)
def test_the_workspace_in_a_state(page: Page, still: Still, state: str) -> None:
    open_with_panel(page, still, state)

    assert faults(page) == []


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_done_in_the_workspace(page: Page, still: Still, scene: Scene) -> None:
    enter(page, still)

    scene(page)

    assert faults(page) == []


def test_what_is_needed_seldom_is_accessible(page: Page, still: Still) -> None:
    open_with_panel(page, still, "asleep")

    page.locator("#panel-more summary").click()

    assert violations(page) == []


@pytest.mark.parametrize("state", ["active", "provisioning", "failed"])
def test_a_workspace_without_scripts_is_accessible(page: Page, still: Still, state: str) -> None:
    page.route(re.compile(r"\.js$"), lambda route: route.abort())
    still.show(state)
    sign_in_as(page, still.visitor)

    page.goto("/sandbox/stage/")

    assert violations(page) == []
