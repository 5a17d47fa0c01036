"""GitHub and Google, as far as a sign-in needs them: a server that checks what it is sent."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

ISSUER = "https://accounts.google.com"


@dataclass
class Person:
    """Who is signed in at the provider, and what it says of them."""

    uid: str = "4711"
    email: str = "alice@example.com"
    verified: bool = True


class Provider:
    """Both at once, on a free port; `person` is who presses Allow."""

    def __init__(self) -> None:
        self.person = Person()
        self.granted: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Provider":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def consent_page(self, asked: dict[str, str]) -> str:
        code = secrets.token_hex(8)
        self.granted[code] = asked
        answers = {
            "Allow": {"code": code, "state": asked["state"]},
            "Refuse": {"error": "access_denied", "state": asked["state"]},
        }
        links = "".join(
            f'<a href="{html.escape(asked["redirect_uri"] + "?" + urlencode(query))}">{word}</a> '
            for word, query in answers.items()
        )
        return f'<!doctype html><link rel="icon" href="data:,"><title>Consent</title>{links}'

    def exchange(self, sent: dict[str, str]) -> dict[str, str]:
        """A token for a code, which works once, for who asked for it, with its PKCE verifier."""
        asked = self.granted.pop(sent["code"])
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert asked["code_challenge"] == challenge
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == sent["client_id"]
        assert sent["client_secret"].startswith("secret-at-")
        return {
            "access_token": "token-of-the-fake",
            "token_type": "bearer",
            "id_token": self._id_token(sent["client_id"]),
        }

    def _id_token(self, audience: str) -> str:
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": self.person.uid,
            "email": self.person.email,
            "email_verified": self.person.verified,
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
        }
        return jwt.encode(claims, "of-nobody-in-particular-at-all-32", algorithm="HS256")

    def answer(self, path: str) -> object:
        """GitHub's API."""
        person = self.person
        email = {"email": person.email, "verified": person.verified, "primary": True}
        user = {"id": int(person.uid), "login": "alice", "name": "Alice", "email": None}
        return {"/api/v3/user": user, "/api/v3/user/emails": [email]}[path]


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.startswith("/api/"):
                assert self.headers["Authorization"].endswith("token-of-the-fake")
                self._send(json.dumps(provider.answer(parts.path)), "application/json")
            else:
                self._send(provider.consent_page(_flat(parts.query)), "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(json.dumps(provider.exchange(_flat(body))), "application/json")

        def _send(self, text: str, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
