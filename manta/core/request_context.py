"""Context of a request, wherever it is served: its id and the client's address.

RequestContextMiddleware binds both around everything: Django, raw routes, WebSockets and MCP. The
id is in the log lines, the answer, the error page, the calls to the provider, and in whatever a
worker does because of the request; the address (client_ip.py) is in the record of who did what.
"""

import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
_NONE = "-"
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_request_id: ContextVar[str] = ContextVar("request_id", default=_NONE)
_peer: ContextVar[HttpRequest | None] = ContextVar("peer", default=None)


def current_request_id() -> str:
    return _request_id.get()


def current_peer() -> HttpRequest | None:
    """Return a request with what tells its address, and nothing else; None in a worker's job."""
    return _peer.get()


def headers() -> dict[str, str]:
    """Return what tells another server for which request it is asked."""
    current = _request_id.get()
    return {} if current == _NONE else {HEADER: current}


@contextmanager
def bound(request_id: str = "") -> Iterator[None]:
    """Do what follows under this request's id, or under a new one."""
    known = request_id not in ("", _NONE)
    token = _request_id.set(request_id if known else uuid.uuid4().hex[:16])
    try:
        yield
    finally:
        _request_id.reset(token)


@contextmanager
def bound_to_request(given: Mapping[str, str], address: str) -> Iterator[None]:
    """Do what follows for the request with these headers, which this address has sent."""
    peer = HttpRequest()
    peer.META = {"REMOTE_ADDR": address}
    if "X-Forwarded-For" in given:
        peer.META["HTTP_X_FORWARDED_FOR"] = given["X-Forwarded-For"]
    token = _peer.set(peer)
    try:
        with bound(_from_proxy(given)):
            yield
    finally:
        _peer.reset(token)


def _from_proxy(given: Mapping[str, str]) -> str:
    """Return the id that a trusted proxy gave the request; a stranger's is not believed."""
    name = given.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
    return name if _WELL_FORMED.fullmatch(name) else ""


class RequestContextMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = current_request_id()
            await send(message)

        address = scope["client"][0] if scope.get("client") else ""
        with bound_to_request(_joined(Headers(scope=scope)), address):
            await self._app(scope, receive, send_with_id)


def _joined(given: Headers) -> dict[str, str]:
    """Return the headers that count here; one that came in several lines as one text."""
    names = (HEADER, "X-Forwarded-For")
    return {name: ", ".join(given.getlist(name)) for name in names if name in given}


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True
