"""Middleware for all of Django's responses: errors, caches, and what a page may load."""

import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from csp import middleware as csp
from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from manta.core.errors import UserFacingError
from manta.core.request_context import current_request_id

logger = logging.getLogger(__name__)


class NoCacheMiddleware:
    """Keeps responses out of caches, also those of a browser whose user has signed out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class CSPMiddleware(csp.CSPMiddleware):
    """django-csp's, which writes the policy of all usual responses anew for each of them."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        own = any(name.startswith("_csp_") for name in vars(response))
        if own or hasattr(request, "_csp_nonce") or settings.DEBUG:
            return super().process_response(request, response)
        if HEADER not in response:
            response[HEADER] = self._usual_policy
        return response

    @cached_property
    def _usual_policy(self) -> str:
        return str(build_policy())


class UserFacingErrorMiddleware:
    """Answers a UserFacingError as a page, or as a notice when htmx asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Pages about errors look into the query: one that can't be read has to fail before them.
        _ = request.GET
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        # A bug stays a 500, with its traceback.
        return error_page(request, exc) if isinstance(exc, UserFacingError) else None


def error_page(request: HttpRequest, exc: UserFacingError) -> HttpResponse:
    logger.warning("%s: %s", type(exc).__name__, exc, exc_info=exc.__cause__)
    context = {"message": str(exc), "code": exc.code, "request_id": current_request_id()}
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "error.html", context, status=exc.status)
    response = render(request, "error.html#notice", context, status=exc.status)
    response["HX-Retarget"], response["HX-Reswap"] = "#notices", "beforeend"
    return response
