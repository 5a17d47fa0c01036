"""A hostile sandbox, asked through every route that reads from one: nothing fails but that request.

The web process's log is read at its end: a traceback in it fails the last test (conftest.py).
"""

import io
import json
import tarfile
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from sandboxes.mcp.endpoint import PATH
from sandboxes.models import Sandbox
from sandboxes.models.reach import LIFETIME
from tests.support.factories import make_token
from tests.support.hostile_server import Hostile

pytestmark = pytest.mark.data_plane

JSON = b"Content-Type: application/json\r\n"
FILE = b"Content-Disposition: attachment\r\n"
STREAM = b"Content-Type: text/event-stream\r\n"
# Halves of surrogate pairs, and what no database takes.
LONE = "\ud800 \udfff \udce9 \0"


def answer(body, *headers, status=b"200 OK", length=None):
    size = b"%d" % len(body) if length is None else length
    head = b"HTTP/1.1 %s\r\n%sContent-Length: %s\r\nConnection: close\r\n\r\n"
    return head % (status, b"".join(headers), size) + body


def rpc(result):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


ANSWERS = {
    "nothing": answer(b""),
    "a number": answer(b"7", JSON),
    "nested lists": answer(b"[" * 50_000, JSON),
    "nested objects in a line": answer(b'{"a":' * 9_000 + b"\n", JSON),
    "many values": answer(b'{"files": [' + b"[]," * 600_000 + b"[]]}", JSON),
    "fields of other kinds": answer(
        b'{"files": [{"name": {}, "size": [], "permissions": 777}], "subdirectories": [7, null]'
        b', "logs": {}, "stdout": 3, "exitCode": {}, "matches": [{"path": {}, "line": []}]}',
        JSON,
    ),
    "names that lead elsewhere": answer(
        b'{"files": [{"name": "../../x"}, {"name": "/etc/x"}, {"name": ".."}, {"name": "\\u0000"}],'
        b' "subdirectories": [{"name": ".."}, {"name": "."}, {"name": "/"}, {"name": ""}]}',
        JSON,
    ),
    "texts that are no Unicode": answer(
        json.dumps(
            {
                "files": [{"name": LONE}],
                "subdirectories": [{"name": LONE}],
                "matches": [{"path": LONE, "line": 1, "column": 1, "text": LONE}],
                **dict.fromkeys(("logs", "stdout", "stderr", "uploadId", "etag", "content"), LONE),
            }
        ).encode(),
        JSON,
    ),
    "processes of no Unicode": answer(
        json.dumps([dict.fromkeys(("name", "command", "status", "workingDir"), LONE)]).encode(),
        JSON,
    ),
    "an error of no Unicode": answer(
        json.dumps({"error": LONE, "code": LONE}).encode(), JSON, status=b"422 Unprocessable"
    ),
    "a file longer than anything": answer(b"x", FILE, length=b"9" * 18),
    "a file of a negative length": answer(b"x", FILE, length=b"-1"),
    "a file of no number": answer(b"x", FILE, length=b"many"),
    "odd headers": answer(
        b"x", FILE, "ETag: \u20ac\r\n".encode(), b"Last-Modified: \xff\r\nContent-Range: \x01\r\n"
    ),
    "a status of no kind": answer(b"x", status=b"999 What"),
    "informational only": b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
    "not HTTP": b"\0" * 10_000,
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000,
    "an error of a gateway": answer(b'{"error": {"code": ["x"]}}', JSON, status=b"404 Not Found"),
    "an error of numbers": answer(b'{"error": 7}', JSON, status=b"422 Unprocessable"),
    "a redirect": answer(b"", b"Location: http://127.0.0.1:1/\r\n", status=b"302 Found"),
    "MCP of odd kinds": answer(rpc({"content": 7, "tools": [{"name": []}, 7, {}]}), JSON),
    "MCP of odd structure": answer(rpc({"structuredContent": [1], "_meta": [], "tools": 1}), JSON),
    "an MCP error of odd kinds": answer(
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": "x", "message": {}}}', JSON
    ),
    "odd progress": answer(
        b'data: {"method": "notifications/progress", "params": {"progress": {}}}\n\n'
        b'data: {"method": "notifications/progress", "params": [1]}\n\n',
        STREAM,
    ),
}
AT = {"path": "/blaxel"}
SAVED = {"path": "/blaxel/a", "content": "x", "version": None}
FILES, LOGS = "/api/sandbox/files", "/api/sandbox/processes/logs"
REQUESTS = {
    "list a folder": ("GET", FILES, {"params": AT}),
    "save a file": ("PUT", FILES, {"json": SAVED}),
    "delete a file": ("DELETE", FILES, {"params": {"path": "/blaxel/a"}}),
    "make a folder": ("POST", f"{FILES}/folder", {"json": {"path": "/blaxel/a"}}),
    "move a file": (
        "POST",
        f"{FILES}/move",
        {"json": {"source": "/blaxel/a", "destination": "/b"}},
    ),
    "search names": ("GET", f"{FILES}/search", {"params": AT | {"query": "a"}}),
    "search contents": (
        "GET",
        f"{FILES}/search",
        {"params": AT | {"query": "a", "in": "contents"}},
    ),
    "download": ("GET", f"{FILES}/content", {"params": AT}),
    "look": ("HEAD", f"{FILES}/content", {"params": AT}),
    "upload": ("PUT", f"{FILES}/content", {"params": AT, "content": b"x"}),
    "upload in parts": ("PUT", f"{FILES}/content", {"params": AT, "content": bytes(5 * 2**20)}),
    "archive": ("GET", f"{FILES}/archive", {"params": AT}),
    "list processes": ("GET", "/api/sandbox/processes", {}),
    "start a process": ("POST", "/api/sandbox/processes", {"json": {"command": "true"}}),
    "stop a process": ("DELETE", "/api/sandbox/processes/x", {}),
    "read a log": ("GET", LOGS, {"params": {"name": "x"}}),
    "follow a log": ("GET", LOGS, {"params": {"name": "x", "follow": "1"}}),
    "list ports": ("GET", "/api/sandbox/ports", {}),
}
PROGRESS = {"progressToken": 1}
CALLS = {
    "list tools": ("tools/list", {}),
    "call a tool": ("tools/call", {"name": "fsReadFile", "arguments": AT, "_meta": PROGRESS}),
}


@pytest.fixture
def bent(made):
    """Alice's sandbox, whose server was replaced by one that says what it likes."""
    server = Hostile()
    fields = {"data_url": server.url, "data_token": made.sealed("x")}
    fields["data_token_until"] = timezone.now() + LIFETIME - timedelta(minutes=5)
    Sandbox.objects.filter(pk=made.pk).update(url=server.url, **fields)
    yield server
    server.stop()


def ask(http, method, path, options):
    """The status; 0 for what was broken off."""
    try:
        with http.stream(method, path, **options) as response:
            for _ in response.iter_raw():
                pass
            return response.status_code
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return 0


def mistakes(http, requests, asked):
    found = []
    for name, request in requests.items():
        status = ask(http, *request)
        if status == 500 or (not status and name not in asked):
            found.append((name, status))
    assert httpx.get(f"{http.base_url}/healthz", trust_env=False).is_success
    return found


# What has begun can only be broken off.
MAY_BREAK_OFF = {"download", "archive", "follow a log", "look"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
def test_no_answer_is_an_error_of_mantas_own(web, made, bent, said):
    bent.answer = lambda handler: handler.wfile.write(said)
    scopes = ("files:read", "files:write", "processes", "ports")
    headers = {"Authorization": f"Bearer {make_token(made.owner, *scopes)}"}
    agent = {"Authorization": f"Bearer {make_token(made.owner, 'mcp')}"}
    agent["Accept"] = "application/json, text/event-stream"
    calls = {
        name: ("POST", PATH, {"json": rpc_request(*call), "headers": agent})
        for name, call in CALLS.items()
    }

    with httpx.Client(base_url=web.url, headers=headers, trust_env=False, timeout=60) as http:
        found = mistakes(http, REQUESTS | calls, MAY_BREAK_OFF)

    assert found == []


def rpc_request(method, params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


PAGES = [f"/workspace/inside/{pane}/" for pane in ("files", "ports", "processes")]


@pytest.mark.exhaustive
@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
def test_no_page_fails_by_one(client, made, bent, said):
    bent.answer = lambda handler: handler.wfile.write(said)
    client.force_login(made.owner)
    client.raise_request_exception = False

    answers = {path: client.get(path, {"path": "/blaxel"}).status_code for path in PAGES}

    assert 500 not in answers.values(), answers


LISTING = b'{"files": [%s], "subdirectories": [%s]}'
FAR_AWAY = [b"../x", b"/x", b"..", b".", b"", b"\\u0000", b"a/../../x"]


def listing(files, folders=()):
    named = (b",".join(b'{"name": "%s"}' % name for name in names) for names in (files, folders))
    return answer(LISTING % tuple(named), JSON)


def archived(web, bent, made, folder, file):
    """The archive of a folder that is told so, each of whose files is told so."""
    is_folder = "/filesystem//blaxel/f"

    def say(handler):
        handler.wfile.write(folder if handler.path == is_folder else file)

    bent.answer = say
    headers = {"Authorization": f"Bearer {make_token(made.owner, 'files:read')}"}
    asked = {"params": {"path": "/blaxel/f"}, "headers": headers, "trust_env": False, "timeout": 60}
    return httpx.get(f"{web.url}{FILES}/archive", **asked)


def test_what_says_that_it_is_a_file_and_can_not_be_read_is_refused(web, made, bent):
    bent.answer = lambda handler: handler.wfile.write(answer(b"", FILE, length=b"6"))
    headers = {"Authorization": f"Bearer {make_token(made.owner, 'files:read')}"}
    asked = {"params": {"path": "/blaxel/f"}, "headers": headers, "trust_env": False, "timeout": 60}

    said = httpx.get(f"{web.url}{FILES}/content", **asked)

    assert (said.status_code, said.json()["code"]) == (403, "file_denied")


def test_no_name_leads_out_of_an_archive(web, made, bent):
    said = archived(web, bent, made, listing(FAR_AWAY, FAR_AWAY), answer(b"x", FILE))

    with tarfile.open(fileobj=io.BytesIO(said.content)) as tar:
        assert tar.getnames() == ["f"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("length", [b"9" * 15, b"-5", b"many", b"7" * 5_000])
def test_a_file_that_is_not_as_long_as_it_says_ends_its_archive(web, made, bent, length):
    file = answer(b"x", FILE, length=length)

    try:
        said = archived(web, bent, made, listing([b"a"]), file)
        with tarfile.open(fileobj=io.BytesIO(said.content)) as tar:
            names = tar.getnames()
    except httpx.RemoteProtocolError:
        names = None  # it has begun, and can only be broken off

    assert names in (None, ["f", "f/NOT IN THIS ARCHIVE.txt"])
    assert httpx.get(f"{web.url}/healthz", trust_env=False).is_success
