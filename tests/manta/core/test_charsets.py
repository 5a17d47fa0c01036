"""The charset of a request's Content-Type, which may name any codec of Python."""

import itertools

import httpx
import pytest

from manta.asgi import application
from sandboxes.models import Terminal
from tests.support.factories import make_token
from tests.support.matrix import cell
from tests.support.routes import RAW_ROUTES, ROUTES

# Codecs of bytes, codecs that fail by themselves, and some that are of text.
CHARSETS = ["hex", "zlib", "rot13", "bz2", "base64", "punycode", "idna", "undefined", "utf-16", "x"]
# It answers without end.
STREAM = "/live/sandbox"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def http():
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.mark.exhaustive
async def test_no_charset_changes_an_answer(http):
    mismatches = []
    paths = [f"/{route}" for route in ROUTES] + [path for path in RAW_ROUTES if path != STREAM]
    for path in paths:
        unnamed = await http.get(f"{path}?next=%C3%A9")
        for charset in CHARSETS if path in ("/", "/api/sandbox") else CHARSETS[:1]:
            with cell(mismatches, "GET", path, f"the charset {charset}", undo=False) as answer:
                kind = {"Content-Type": f"text/plain; charset={charset}"}
                named = await http.get(f"{path}?next=%C3%A9", headers=kind)
                answer.equal("status", named.status_code, unnamed.status_code)
                answer.equal("Location", *(a.headers.get("Location") for a in (named, unnamed)))

    assert not mismatches, "\n".join(mismatches)


@pytest.fixture
def terminal(alices_sandbox):
    return Terminal.objects.create(sandbox=alices_sandbox, name="Terminal 1")


@pytest.fixture
def token(alices_sandbox):
    return make_token(alices_sandbox.owner, "terminal")


async def test_json_is_read_as_utf_8(http, terminal, token):
    mismatches, path = [], f"/api/sandbox/terminals/{terminal.key}"
    for charset, mark in itertools.product(CHARSETS, ["", '"']):
        with cell(mismatches, "PATCH", path, f"the charset {charset}", undo=False) as answer:
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": f"application/json; charset={mark}{charset}{mark}",
            }
            body = f'{{"name": "Café {charset}"}}'.encode()
            response = await http.patch(path, headers=headers, content=body)
            answer.equal("name", response.json().get("name"), f"Café {charset}")

    assert not mismatches, "\n".join(mismatches)
