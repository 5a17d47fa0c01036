"""What a person has done already, so that the pages that are looked at have something to show."""

import base64
import hashlib
import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

CALLBACK = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 43
CAPABILITIES = ["read", "run", "ports"]
CALLS: dict[str, dict[str, object]] = {
    "codegenListDir": {"relativeWorkspacePath": "/blaxel/app"},
    "fsReadFile": {"path": "/blaxel/app/README.md"},
    "processExecute": {"command": "python3 --version", "waitForCompletion": True},
    "fsWriteFile": {"path": "/blaxel/app/notes.md", "content": "Hello"},
}


def leave(visitor: Visitor) -> None:
    """A terminal that is open, a program with a token, and an agent that was let in."""
    send(visitor, "POST", "/api/sandbox/terminals")
    visitor.confirm()
    make_token(visitor, "Nightly build")
    let_in(visitor, "Claude Code")


def check(visitor: Visitor) -> None:
    """Its own sandbox: a worker does it."""
    visitor.post("/sandbox/check/")
    wait_until(lambda: "Everything works." in visitor.http.get("/sandbox/check/").text, 60)


def use_tools(visitor: Visitor, token: str) -> None:
    """As an agent does; the last call is refused."""
    for name, arguments in CALLS.items():
        params = {"name": name, "arguments": arguments}
        httpx.post(
            f"{_site(visitor)}/mcp",
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json, text/event-stream",
            },
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params},
            trust_env=False,
            timeout=60,
        ).raise_for_status()


def send(visitor: Visitor, method: str, path: str) -> None:
    """As the workspace's scripts do."""
    headers = {
        "X-CSRFToken": visitor.http.cookies["csrftoken"],
        "Origin": _site(visitor),
    }
    visitor.http.request(method, path, json={}, headers=headers).raise_for_status()


def make_token(visitor: Visitor, name: str) -> str:
    """One that may use a sandbox's tools."""
    key = re.search(r'name="key" value="(\w+)"', visitor.http.get("/account/tokens/new/").text)
    page = visitor.post(
        "/account/tokens/new/",
        **{"key": key[1] if key else "", "name": name, "scopes": "mcp", "lifetime": "30"},
        capabilities=CAPABILITIES,
    )
    shown = re.search(r"data-copy-text>([^<]+)", page.text)
    assert shown, page.text
    return html.unescape(shown[1])


def let_in(visitor: Visitor, name: str) -> None:
    """An agent, by its person; it fetches its tokens."""
    asked = asking(visitor, name)
    signed = re.search(r'name="request" value="([^"]+)"', visitor.http.get(asked).text)
    assert signed
    answer = {"request": signed[1], "scopes": "mcp", "action": "grant"}
    let = visitor.post(asked, **answer, capabilities=CAPABILITIES)
    (code,) = parse_qs(urlsplit(let.headers["Location"]).query)["code"]
    body = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    client = {key: values[0] for key, values in parse_qs(urlsplit(asked).query).items()}
    body |= {key: client[key] for key in ("client_id", "redirect_uri", "resource")}
    visitor.http.post("/oauth/token", data=body).raise_for_status()


def asking(visitor: Visitor, name: str) -> str:
    """Where an agent sends its person."""
    site = _site(visitor)
    body = {"client_name": name, "redirect_uris": [CALLBACK]}
    registered = httpx.post(f"{site}/oauth/register", json=body, trust_env=False)
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": registered.json()["client_id"],
        "redirect_uri": CALLBACK,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "resource": f"{site}/mcp",
    }
    return f"/oauth/authorize?{urlencode(query)}"


def _site(visitor: Visitor) -> str:
    return str(visitor.http.base_url).rstrip("/")
