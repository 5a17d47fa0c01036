"""An MCP client as far as OAuth goes, over Django's test client: strict by itself, or as told."""

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from allauth.idp.oidc.models import Token
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import AgentSecret

REDIRECT = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")

# What a person sends who leaves everything ticked.
ALLOW = {"action": "grant", "capabilities": ["read", "write", "run", "ports"]}


class Agent:
    def __init__(self, name="Cursor", redirect=REDIRECT):
        self.http = Client()
        self.redirect = redirect
        self.client_id = self.register(client_name=name, redirect_uris=[redirect]).json()[
            "client_id"
        ]

    def register(self, **metadata):
        return self.http.post("/oauth/register", metadata, content_type="application/json")

    def address(self, **wrong):
        """Where it sends its person; None leaves a parameter out."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect,
            "code_challenge": CHALLENGE.decode(),
            "code_challenge_method": "S256",
            "resource": settings.MCP_URL,
            "scope": "mcp",
            "state": "xyz",
            **wrong,
        }
        sent = {name: value for name, value in query.items() if value is not None}
        return f"/oauth/authorize?{urlencode(sent)}"

    def code(self, user, **wrong):
        """A code, as the person who allows it sends it along."""
        browser = Client()
        browser.force_login(user)
        return told(answer(browser, self.address(**wrong)))["code"]

    def token(self, **fields):
        sent = {"client_id": self.client_id, "resource": settings.MCP_URL, **fields}
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.http.post("/oauth/token", kept)

    def exchange(self, code, **wrong):
        fields = {"code": code, "redirect_uri": self.redirect, "code_verifier": VERIFIER}
        return self.token(grant_type="authorization_code", **fields | wrong)

    def refresh(self, refresh_token, **wrong):
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **wrong)

    def sign_in(self, user):
        """Its tokens, after everything that leads to them."""
        return self.exchange(self.code(user)).json()


def answer(browser, address, to=None, **fields):
    """Look at the page that asks, and send its form, there or to another address."""
    page = browser.get(address)
    assert page.status_code == 200, page.text
    hidden = re.findall(r'<input type="hidden" name="(request|scopes)" value="([^"]*)"', page.text)
    asked = {name: [value for each, value in hidden if each == name] for name, _ in hidden}
    return browser.post(to or address, asked | ALLOW | fields)


def told(response):
    """What a redirect tells the client."""
    assert response.status_code == 302, response.text
    query = parse_qs(urlsplit(response["Location"]).query)
    return {name: value for name, (value,) in query.items()}


def good(access_token):
    """What it grants at /mcp."""
    return tokens.verify(access_token, audience=settings.MCP_URL)


def ends_soon(kind):
    """A code, or all access or refresh tokens."""
    rows = AgentSecret if kind == "code" else Token
    types = {"access": Token.Type.ACCESS_TOKEN, "refresh": Token.Type.REFRESH_TOKEN}
    of_kind = {"kind": kind} if kind == "code" else {"type": types[kind]}
    assert rows.objects.filter(**of_kind).update(expires_at=timezone.now())


def shown(response):
    return re.sub(r"\s+", " ", response.text)
