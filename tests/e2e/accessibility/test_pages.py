"""Each page, visited once, checked in every theme and width."""

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page

from tests.support.page_checks import faults, phone_faults, violations, zoom_faults
from tests.support.page_list import FOR_PEOPLE, FOR_STRANGERS, OF_ADMINS
from tests.support.page_states import Still
from tests.support.page_steps import go, go_as_admin

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_a_strangers_page(page: Page, path: str) -> None:
    page.goto(path)

    assert faults(page) == []


@pytest.mark.parametrize("path", FOR_PEOPLE)
def test_a_page_of_an_account(page: Page, still: Still, path: str) -> None:
    go(page, still, path)

    assert faults(page) == []


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


def test_every_operation_of_the_api_is_accessible(page: Page, phone: Page, enlarged: Page) -> None:
    for each in (page, phone, enlarged):
        each.goto("/api/docs")
        each.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert [*violations(page), *phone_faults(phone), *zoom_faults(enlarged)] == []


@pytest.mark.parametrize("path", OF_ADMINS)
def test_a_page_of_the_administration_is_accessible(page: Page, still: Still, path: str) -> None:
    go_as_admin(page, still, path)

    assert violations(page) == []
