"""A name for each request: in its log lines, its answer, its error page, the calls that it makes
to the provider, and whatever a worker does because of it.
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
_NOBODY = "-"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_request_id: ContextVar[str] = ContextVar("request_id", default=_NOBODY)


def current_request_id() -> str:
    return _request_id.get()


def headers() -> dict[str, str]:
    """What tells another server for which request it is asked."""
    current = _request_id.get()
    return {} if current == _NOBODY else {HEADER: current}


@contextmanager
def bound(request_id: str = "") -> Iterator[None]:
    """Do what follows under this request's id, or under a new one."""
    known = request_id not in ("", _NOBODY)
    token = _request_id.set(request_id if known else uuid.uuid4().hex[:16])
    try:
        yield
    finally:
        _request_id.reset(token)


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with bound(_from_proxy(request)):
            response = self.get_response(request)
            response[HEADER] = _request_id.get()
            return response


def _from_proxy(request: HttpRequest) -> str:
    """The id that a proxy of ours gave the request; a stranger's is not believed."""
    given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
    return given if _SANE.fullmatch(given) else ""
