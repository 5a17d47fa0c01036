"""Middleware for all of Django's responses: errors become pages, and caches keep nothing."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
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


class UserFacingErrorMiddleware:
    """Answers a UserFacingError as a page, or as a notice when htmx asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
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
