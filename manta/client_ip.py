"""The address that a request came from, for the record; a job has none."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def current_client_ip() -> str | None:
    """As allauth's rate limits see it, which know how many proxies are trusted; else None."""
    request = _request.get()
    if request is None:
        return None
    try:
        return str(get_adapter().get_client_ip(request))
    except (PermissionDenied, ImproperlyConfigured):
        return None  # no address, or fewer proxies than there should be


@contextmanager
def bound(headers: Mapping[str, str], address: str) -> Iterator[None]:
    """Do what follows as asked from there: for what runs beside Django."""
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": address}
    if "X-Forwarded-For" in headers:
        request.META["HTTP_X_FORWARDED_FOR"] = headers["X-Forwarded-For"]
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


class ClientIpMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return self.get_response(request)
        finally:
            _request.reset(token)
