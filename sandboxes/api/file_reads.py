"""GET /api/sandbox/files beside Django: what editors and programs ask for most often.

It answers what succeeds, and what the sandbox refuses. All else goes to the view in files.py, which
decides who may do what, and says why not.
"""

import time
from io import BytesIO

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpResponse
from django.http.request import split_domain_port, validate_host
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
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
    "Vary": "Accept, Accept-Encoding, Cookie",
}
# Bytes from which Django compresses a response, too.
_MIN_COMPRESSED_SIZE = 200
# Of random padding, so that the length of a response tells nothing of a secret in it.
_PADDING = 100


class FileReads:
    """An ASGI endpoint."""

    def __init__(self, django: WSGIBridge, path: str) -> None:
        self._django = django
        self._path = path
        self._security = {scheme: _security_headers(scheme) for scheme in ("http", "https")}

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        # The pattern of a route also matches an address that ends with a newline.
        path = _requested_path(request) if scope["path"] == self._path else ""
        answer: ASGIApp = self._django
        if path:
            response = await self._django.in_slow_thread(lambda: _answer(request, path))
            if response is not None:
                response.headers.update(self._security[_scheme_of(request)])
                answer = response
        await answer(scope, receive, send)


def _security_headers(scheme: str) -> dict[str, str]:
    """Return the headers that Django's middleware adds to every response."""
    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()}
    request = WSGIRequest(environ | {"HTTP_X_FORWARDED_PROTO": scheme})
    response = HttpResponse()
    del response["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda _: response).process_response(request, response)
    return dict(response.items())


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


def _scheme_of(request: HTTPConnection) -> str:
    scheme = request.scope["scheme"]
    if settings.TRUSTED_PROXY_COUNT:
        scheme = request.headers.get("X-Forwarded-Proto", scheme)
    return "https" if scheme == "https" else "http"


def _is_for_here(request: HTTPConnection) -> bool:
    host = split_domain_port(request.headers.get("Host", ""))[0]
    is_secure = _scheme_of(request) == "https" or not settings.SECURE_SSL_REDIRECT
    return is_secure and validate_host(host, settings.ALLOWED_HOSTS)


def _takes_json(request: HTTPConnection) -> bool:
    accepted = request.headers.get("Accept", "*/*")
    return "*/*" in accepted or "application/json" in accepted


def _answer(request: HTTPConnection, path: str) -> Response | None:
    """Read the file or folder; None where it is for Django to answer, and to log what fails."""
    started = time.perf_counter()
    close_old_connections()
    try:
        response = _read(request, path)
    except Exception:
        return None
    if response is not None:
        metrics.REQUESTS.labels("GET", _ROUTE, f"{response.status_code // 100}xx").inc()
        metrics.REQUEST_SECONDS.labels(_ROUTE).observe(time.perf_counter() - started)
    return response


def _read(request: HTTPConnection, path: str) -> Response | None:
    principal = auth.authenticated(request, Scope.FILES_READ)
    if not principal.sandbox.has_session:
        return None
    try:
        found = services.files.read_path(sandbox=principal.sandbox, path=path)
    except UserFacingError as exc:
        response = auth.refusal(exc)
        response.headers.update(_HEADERS)
        return response
    return _told(request, JSONRenderer().render(described(found)))


def _told(request: HTTPConnection, body: bytes) -> Response:
    headers = dict(_HEADERS)
    if len(body) >= _MIN_COMPRESSED_SIZE and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = compress_string(body, max_random_bytes=_PADDING)
    return Response(body, headers=headers, media_type="application/json")
