"""GET /api/sandbox/files beside Django: what editors and programs ask for most often.

It answers what succeeds, and what the sandbox refuses. All else goes to the view in files.py, which
decides who may do what, and says why not.
"""

import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http.request import split_domain_port, validate_host
from django.utils.text import compress_string
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from accounts.models import Scope
from manta.core import metrics
from manta.core.errors import UserFacingError
from manta.core.wsgi_bridge import WSGIBridge
from sandboxes import services
from sandboxes.api.files import described
from sandboxes.presenters.fields import PathField, query_of
from sandboxes.streams import auth

# As the resolver calls it, for the counters.
_ROUTE = "files"
_PATH = PathField()
_HEADERS = {
    "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept, Accept-Encoding, Cookie",
}
# Bytes from which Django compresses a response, too.
_MIN_COMPRESSED_SIZE = 200
# Of random padding, so that the length of a response tells nothing of a secret in it.
_PADDING = 100


class FileReads:
    """An ASGI endpoint."""

    def __init__(self, django: WSGIBridge) -> None:
        self._django = django

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        path = _requested_path(request)
        answer: ASGIApp | None = None
        if path:
            answer = await self._django.in_slow_thread(lambda: _answer(request, path))
        await (answer or self._django)(scope, receive, send)


def _requested_path(request: HTTPConnection) -> str:
    """Return the path, or "" where the request is for anything but a path, or is no such request.

    A host that is not Manta's, and http where it has to be https, are Django's to refuse.
    """
    if request.scope["method"] != "GET" or not (_is_for_here(request) and _takes_json(request)):
        return ""
    query = query_of(request.scope["query_string"].decode("latin-1"))
    if [*query] != ["path"] or len(query.getlist("path")) != 1:
        return ""
    try:
        return str(_PATH.run_validation(query["path"]))
    except ValidationError:
        return ""


def _is_for_here(request: HTTPConnection) -> bool:
    scheme = request.scope["scheme"]
    if settings.TRUSTED_PROXY_COUNT:
        scheme = request.headers.get("X-Forwarded-Proto", scheme)
    host = split_domain_port(request.headers.get("Host", ""))[0]
    is_secure = scheme == "https" or not settings.SECURE_SSL_REDIRECT
    return is_secure and validate_host(host, settings.ALLOWED_HOSTS)


def _takes_json(request: HTTPConnection) -> bool:
    accepted = request.headers.get("Accept", "*/*")
    return "*/*" in accepted or "application/json" in accepted


def _answer(request: HTTPConnection, path: str) -> Response | None:
    """Read the file or folder; None where it is for Django to answer."""
    started = time.perf_counter()
    close_old_connections()
    try:
        principal = auth.authenticated(request, Scope.FILES_READ)
    except (auth.AccessDenied, UserFacingError, DatabaseError):
        return None
    if not principal.sandbox.has_session:
        return None
    try:
        found = services.files.read_path(sandbox=principal.sandbox, path=path)
        response = _told(request, JSONRenderer().render(described(found)))
    except UserFacingError as exc:
        response = auth.refusal(exc)
        response.headers.update(_HEADERS)
    metrics.REQUESTS.labels("GET", _ROUTE, f"{response.status_code // 100}xx").inc()
    metrics.REQUEST_SECONDS.labels(_ROUTE).observe(time.perf_counter() - started)
    return response


def _told(request: HTTPConnection, body: bytes) -> Response:
    headers = dict(_HEADERS)
    if len(body) >= _MIN_COMPRESSED_SIZE and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = compress_string(body, max_random_bytes=_PADDING)
    return Response(body, headers=headers, media_type="application/json")
