"""T1 and T2: what a browser sees of keys and tokens, with the whole of its traffic recorded."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.blaxel_client import KEY
from tests.support.manta_process import Manta
from tests.support.person import Person

LINK = re.compile(r"bl_preview_token=([^&\s\"]+)")


def has_token(url: str) -> bool:
    return LINK.search(url) is not None


@dataclass(frozen=True)
class Traffic:
    """One browser's requests and answers, in full, and what the processes said meanwhile."""

    text: str
    entries: list[dict[str, Any]]
    log: str
    session: str

    def headers(self, name: str) -> list[str]:
        return [
            header["value"]
            for entry in self.entries
            for header in entry["request"]["headers"] + entry["response"]["headers"]
            if header["name"].lower() == name
        ]

    def urls(self) -> list[str]:
        """Every address asked for, redirected to, or given as the referrer."""
        asked = [entry["request"]["url"] for entry in self.entries]
        return asked + self.headers("location") + self.headers("referer")

    def tokens(self) -> set[str]:
        return {token for url in self.urls() for token in LINK.findall(url)}


@pytest.fixture(scope="module")
def traffic(browser: Browser, manta: Manta, tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """A person signs up, sees the preview, opens it in a tab, and looks at every page."""
    recording: Path = tmp_path_factory.mktemp("traffic") / "all.har"
    context = browser.new_context(base_url=manta.url, record_har_path=recording)
    page = context.new_page()
    person = Person(page)
    person.sign_up()
    expect(person.preview.get_by_role("heading", level=1)).to_be_visible()
    with context.expect_page() as opening:
        page.get_by_role("button", name="Open port 3000 in a new tab").click()
    expect(opening.value.get_by_role("heading", level=1)).to_be_visible()
    opening.value.reload()
    for path in ("/sandbox/panel/", "/account/", "/accounts/email/", "/api/sandbox/init", "/nope"):
        page.goto(path)
    session = next(c["value"] for c in context.cookies(manta.url) if c["name"] == "sessionid")
    context.close()
    text = recording.read_text()
    return Traffic(text, json.loads(text)["log"]["entries"], manta.output, session)


@pytest.mark.exhaustive
def test_the_recording_is_of_everything(traffic: Traffic) -> None:
    assert "Get started" in traffic.text
    assert ".localhost" in traffic.text
    assert traffic.session in traffic.text
    assert len(traffic.tokens()) == 2


def test_the_workspace_key_is_in_no_page_header_address_or_log(traffic: Traffic) -> None:
    assert KEY not in traffic.text
    assert KEY not in traffic.log


def test_an_address_with_a_preview_token_is_only_ever_redirected(traffic: Traffic) -> None:
    answers = [entry["response"] for entry in traffic.entries if has_token(entry["request"]["url"])]
    clean = [answer for answer in answers if not has_token(answer["redirectURL"])]

    assert {answer["status"] for answer in answers} <= {303, 307}
    assert len(clean) == len(traffic.tokens())


def test_no_request_names_a_token_as_its_referrer(traffic: Traffic) -> None:
    assert [url for url in traffic.headers("referer") if has_token(url)] == []


def test_no_token_is_in_a_page_or_a_log(traffic: Traffic) -> None:
    pages = [entry["response"]["content"].get("text", "") for entry in traffic.entries]
    secrets = {*traffic.tokens(), traffic.session}

    assert [secret for secret in secrets if secret in "".join(pages)] == []
    assert [secret for secret in secrets if secret in traffic.log] == []
    assert [url for url in traffic.urls() if traffic.session in url] == []
