"""Each page that a step leads to, visited once, checked in every theme and width."""

import pytest
from playwright.sync_api import Page

from tests.support.page_checks import faults, violations
from tests.support.page_states import Still
from tests.support.page_steps import OF_THE_ADMINISTRATION, STEPS, Step

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("step", STEPS)
def test_what_a_step_leads_to(page: Page, still: Still, step: Step) -> None:
    assert faults(step(page, still)) == []


# Django's own sizes: axe alone.
@pytest.mark.parametrize("step", OF_THE_ADMINISTRATION)
def test_what_a_step_of_the_administration_leads_to(page: Page, still: Still, step: Step) -> None:
    assert violations(step(page, still)) == []
