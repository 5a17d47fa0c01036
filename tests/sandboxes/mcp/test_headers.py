"""Headers and addresses of MCP's HTTP, as clients write them."""

import json

import httpx
import pytest

from sandboxes.mcp.endpoint import PATH

pytestmark = pytest.mark.data_plane

STREAM = "text/event-stream"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
def ask(web, token, alice):
    raw = token(alice)

    def ask(path=PATH, more=(), **headers):
        sent = {"Authorization": f"Bearer {raw}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = json.dumps(PING)
        with httpx.Client(trust_env=False, timeout=60) as http:
            del http.headers["Accept"]
            return http.post(web.url + path, headers=[*sent.items(), *more], content=content)

    return ask


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("Application/JSON", "application/json"),
        ("application/*", "application/json"),
        (f"application/json, {STREAM};q=0", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json; q*=x''y", "application/json"),
        (f"application/json, {STREAM}", STREAM),
        (f"{STREAM}, application/json", STREAM),
        (STREAM, STREAM),
        ("*/*", STREAM),
        ("", STREAM),
    ],
)
def test_the_answer_is_of_a_kind_that_the_client_takes(ask, accept, kind):
    answer = ask(Accept=accept)

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    text = answer.text.partition("data:")[2] if kind == STREAM else answer.text
    assert json.loads(text) == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_several_headers_are_one_list(ask):
    accept = [("Accept", "text/html"), ("Accept", ""), ("Accept", "application/json")]

    assert ask(more=accept).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_a_kind_that_there_is_not_is_refused(ask, accept):
    assert ask(Accept=accept).status_code == 406


@pytest.mark.parametrize(
    "kind", ["Application/JSON", "application/json;charset=UTF-8", "application/json ; charset=hex"]
)
def test_json_is_json_in_any_case(ask, kind):
    assert ask(Accept="application/json", Content_Type=kind).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "", "multipart/form-data; boundary=x"])
def test_what_is_not_json_is_refused_with_a_code(ask, kind):
    answer = ask(Accept="application/json", Content_Type=kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_slash_at_the_end_is_no_other_address(ask):
    answer = ask(f"{PATH}/", Accept="application/json")

    assert (answer.status_code, answer.json()["result"]) == (200, {})


def test_another_method_is_refused_with_a_code(web, token, alice):
    headers = {"Authorization": f"Bearer {token(alice)}"}

    answer = httpx.get(web.url + PATH, headers=headers, trust_env=False, timeout=60)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
