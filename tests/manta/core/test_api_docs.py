import re
from html import unescape

import pytest


@pytest.fixture
def page(client, db):
    return unescape(client.get("/api/docs").text)


def test_it_is_there_for_everybody_and_needs_no_other_host(client, db):
    page = client.get("/api/docs")

    assert page.status_code == 200
    assert b"https://" not in page.content.replace(b"https://www.w3.org", b"")


def test_every_operation_is_described(client, page):
    paths = client.get("/api/schema?format=json").json()["paths"]

    operations = {each["operationId"] for methods in paths.values() for each in methods.values()}

    assert operations <= set(re.findall(r'<details [^>]*id="(\w+)"', page))


def test_every_object_that_is_named_is_told(page):
    named = set(re.findall(r'href="#([\w-]+)"', page))

    assert {"ErrorResponse", "Process", "api-files"} <= named
    assert named <= set(re.findall(r'id="([\w-]+)"', page))


@pytest.mark.parametrize(
    "line",
    [
        "--json '{}'",
        """--json '{"command": "COMMAND"}'""",
        '"http://testserver/api/sandbox/processes/NAME"',
        '"http://testserver/api/sandbox/files/content?path=PATH"',
        "curl --head",
        "--data-binary @FILE",
    ],
)
def test_a_program_can_copy_how_to_ask(page, line):
    assert line in page


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("command", "<code>string</code> required, at most 10000 characters"),
        ("force", "<code>boolean</code> query"),
        ("expiresIn", "<code>integer</code> required, may be null, at least 60, at most 604800"),
        ("processes", '<code>list of <a href="#Process">Process</a></code>'),
        (
            "why",
            "<code>binary | too_large | not_utf8 | unreadable | read_only</code> may be missing",
        ),
    ],
)
def test_a_field_says_what_it_takes(page, field, told):
    found = re.findall(rf"<dt><code>{field}</code></dt>\s*<dd>(.*?)(?:</dd>|\n)", page)

    assert any(told in re.sub(r"</?(span|p)[^>]*>", "", each) for each in found), found


def test_what_only_a_browser_may_has_no_command(page):
    [stream] = re.findall(r'<details [^>]*id="sandbox_live".*?</details>', page, re.DOTALL)

    assert "text/event-stream" in stream
    assert "curl" not in stream
