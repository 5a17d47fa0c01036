"""Reads of files beside Django: as the view answers them, and by what it lets in."""

import json
from unittest.mock import Mock

import httpx
import pytest
from django.db import DatabaseError
from django.utils import timezone

from accounts.models import PersonalToken
from manta.core import metrics
from sandboxes import services
from sandboxes.api import file_reads
from sandboxes.models import Sandbox
from tests.support import raw_routes
from tests.support.factories import make_token
from tests.support.web_process import cookie_of

pytestmark = pytest.mark.data_plane

FILES = "/api/sandbox/files"
AT = {"path": "/blaxel/a.txt"}


@pytest.fixture
def http(web):
    with httpx.Client(base_url=web.url, trust_env=False, timeout=90) as http:
        yield http


@pytest.fixture
def token(made):
    return {"Authorization": f"Bearer {make_token(made.owner, 'files:read')}"}


@pytest.fixture
def text(run):
    run("printf 'é < \\342\\200\\250' > a.txt; mkdir -p f/sub && touch f/x; printf '\\377' > latin")


def by_view(http, headers, params):
    """Have the view answer the same: a parameter that it knows has it asked."""
    query = {**params, "limit": "1000"} if "limit" not in params else params
    return http.get(FILES, params=query, headers=headers)


def told(response):
    """All of an answer that is not of one request alone."""
    body = response.json()
    body.pop("help", None)
    return response.status_code, body


@pytest.mark.parametrize(
    "path", ["/blaxel/a.txt", "/blaxel/latin", "/blaxel/f", "/blaxel/none", "/blaxel/a.txt/b", "/"]
)
def test_it_says_what_the_view_says(http, token, text, path):
    beside, viewed = (ask(http, token, {"path": path}) for ask in (by_route, by_view))

    assert told(beside) == told(viewed)
    assert headers_of(beside) == headers_of(viewed)


def headers_of(response):
    """All headers but those that belong to one request, or say what the other way can do."""
    own = {"content-length", "content-security-policy", "vary", "allow", "x-request-id"}
    own |= {"date", "expires"}
    return {name: value for name, value in response.headers.items() if name not in own}


def by_route(http, headers, params):
    return http.get(FILES, params=params, headers=headers)


def test_the_same_bytes_come_compressed_and_not(http, token, run):
    run("seq 1000 > a.txt")

    plain, packed = (
        http.get(FILES, params=AT, headers=token | {"Accept-Encoding": coding})
        for coding in ("identity", "gzip")
    )

    assert plain.content == packed.content
    assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (
        None,
        "gzip",
    )


REFUSED = {
    "another parameter": ({}, {**AT, "surprise": "1"}),
    "a path twice": ({}, [("path", "/a"), ("path", "/b")]),
    "no path": ({}, {}),
    "a path that is none": ({}, {"path": "a"}),
    "a format that is none": ({"Accept": "text/html"}, AT),
    "another host": ({"Host": "evil.example"}, AT),
    "no such token": ({"Authorization": "Bearer manta_pat_x"}, AT),
    "no credential": ({"Authorization": ""}, AT),
}


def test_what_it_does_not_answer_is_left_to_the_view(http, token, text):
    statuses = {
        name: http.get(FILES, params=params, headers=token | headers).status_code
        for name, (headers, params) in REFUSED.items()
    }

    assert statuses == dict(zip(REFUSED, (400, 404, 400, 400, 406, 400, 401, 401), strict=True))


def test_a_session_reads_too_and_nobody_elses_file(http, made, text, bob):
    owner, stranger = (
        http.get(FILES, params=AT, headers={"Cookie": cookie_of(user)})
        for user in (made.owner, bob)
    )

    assert owner.json()["content"] == "é < \u2028"
    assert (stranger.status_code, stranger.json()["code"]) == (404, "no_sandbox")


def test_each_way_out_counts_at_the_next_request(http, made, token, text):
    PersonalToken.objects.update(revoked_at=timezone.now())
    revoked = http.get(FILES, params=AT, headers=token)
    other = {"Authorization": f"Bearer {make_token(made.owner, 'sandbox:read')}"}
    without_scope = http.get(FILES, params=AT, headers=other)
    cookie = {"Cookie": cookie_of(made.owner)}
    made.owner.is_active = False
    made.owner.save()
    inactive = http.get(FILES, params=AT, headers=cookie)

    statuses = [each.status_code for each in (revoked, without_scope, inactive)]
    assert statuses == [401, 403, 401]


def test_a_sandbox_without_a_session_gets_one(http, made, token, text):
    Sandbox.objects.filter(pk=made.pk).update(data_token="")

    answers = [http.get(FILES, params=AT, headers=token).status_code for _ in range(2)]

    assert answers == [200, 200]


def test_an_address_with_a_newline_is_none(http, token, text):
    answer = http.get(f"{FILES}%0A", params=AT, headers=token)

    assert answer.status_code == 404


def test_https_is_remembered_as_by_the_view(settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 60, True

    headers = file_reads._security_headers

    assert headers("https")["Strict-Transport-Security"] == "max-age=60; includeSubDomains"
    assert "Strict-Transport-Security" not in headers("http")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [RuntimeError, DatabaseError])
def test_what_fails_is_answered_and_counted_by_the_view(made, monkeypatch, failure):
    monkeypatch.setattr(services.files, "read_path", Mock(side_effect=failure("a bug")))
    before = counted("5xx")

    answer = raw_routes.ask("http", FILES, AT, cookie_of(made.owner))

    assert (answer.status, json.loads(answer.text)["code"]) == (500, "internal")
    assert counted("5xx") == before + 1


@pytest.mark.django_db(transaction=True)
def test_it_is_counted_as_the_view_is(made, text):
    before = counted()

    raw_routes.ask("http", FILES, AT, cookie_of(made.owner))

    assert counted() == before + 1


def counted(status="2xx"):
    labels = {"method": "GET", "route": "files", "status": status}
    return metrics.REGISTRY.get_sample_value("manta_http_requests_total", labels) or 0
