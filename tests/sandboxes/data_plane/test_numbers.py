"""Numbers in addresses, and listings of any length: a page of them at a time."""

from urllib.parse import quote

import pytest

from sandboxes.data_plane import files
from sandboxes.data_plane.files import Listing
from tests.support.factories import make_token

NUMBERS = ["9" * 5_000, "9" * 19, "-1", "0", "1e3", "0x1", "\u0663", "\u00b2", "", " 1", "1\0"]
ASKED = [
    "/workspace/inside/files/?path=/many&most=",
    "/workspace/inside/ports/visibility/?port=",
    "/sandbox/activity/?before=",
    "/sandbox/agents/?before=",
    "/api/sandbox/files?path=/many&limit=",
    "/api/sandbox/files?path=/many&cursor=file:",
    "/api/sandbox/events?limit=",
    "/api/sandbox/events?cursor=",
    "/api/sandbox/calls?limit=",
    "/sandbox/open/",
    "/workspace/inside/ports/",
]
MANY = 30_000


@pytest.fixture
def many(alices_sandbox, monkeypatch):
    """Alice's sandbox has a folder of 30,000 files and two folders."""
    moment = "2026-11-29T07:00:00Z"
    listed = [
        {"name": f"n{each:05}", "size": each, "permissions": "644", "lastModified": moment}
        for each in reversed(range(MANY))
    ]
    monkeypatch.setattr(files, "read", lambda url, path, most: Listing(listed, ["b", "a"]))
    return alices_sandbox


@pytest.fixture
def program(client, many):
    raw = make_token(many.owner, "files:read", "sandbox:read", "processes")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {raw}"
    return client


@pytest.mark.exhaustive
@pytest.mark.parametrize("begin", ASKED)
def test_no_number_is_an_error_of_mantas(client, many, begin):
    client.force_login(many.owner)
    client.raise_request_exception = False
    rest = "/" if begin.endswith("/") else ""

    answers = [(text[:30], client.get(begin + quote(text) + rest).status_code) for text in NUMBERS]

    assert [(text, status) for text, status in answers if status >= 500] == []


def test_a_folder_is_told_in_pages(program):
    names, cursor = [], ""
    while cursor is not None:
        query = {"path": "/many", "limit": 5_000, "cursor": cursor}
        page = program.get("/api/sandbox/files", query).json()
        names += [entry["name"] for entry in page["entries"]]
        cursor = page["next"]

    assert names == ["a", "b", *(f"n{each:05}" for each in range(MANY))]


def test_without_a_limit_a_page_is_of_a_thousand(program):
    page = program.get("/api/sandbox/files", {"path": "/many"}).json()

    assert (len(page["entries"]), page["next"]) == (1_000, "file:n00997")
    assert page["entries"][2]["modifiedAt"].startswith("2026-11-29T07:00:00")


def test_a_page_follows_a_name_that_has_gone(program):
    query = {"path": "/many", "limit": 1, "cursor": "directory:aa"}

    assert program.get("/api/sandbox/files", query).json()["entries"][0]["name"] == "b"


@pytest.mark.parametrize(
    "query", [{"cursor": "n1"}, {"cursor": "link:a"}, {"limit": 0}, {"limit": 5_001}]
)
def test_a_page_that_can_not_be_is_refused(program, query):
    answer = program.get("/api/sandbox/files", {"path": "/many", **query})

    assert answer.status_code == 400
    assert next(iter(query)) in answer.text


def test_the_tree_shows_a_part_and_how_many_more_there_are(client, many):
    client.force_login(many.owner)

    answer = client.get("/workspace/inside/files/", {"path": "/many"})

    assert answer.text.count('role="treeitem"') == 300
    assert "29,702 more" in answer.text
