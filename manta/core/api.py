"""Error responses of the REST API."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from manta.core.errors import UserFacingError


class _Answer(exceptions.APIException):
    """A UserFacingError in DRF's terms, so that its rollback and headers still happen."""

    def __init__(self, exc: UserFacingError) -> None:
        super().__init__(detail={"error": str(exc), "code": exc.code})
        self.status_code = exc.status
        self.wait = exc.retry_after


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every error as {"error": sentence, "code": stable name, "help": address}.

    A bug stays a 500. Anonymous requests get exactly {"error": "Unauthorized"}: the contract of
    the API says so.
    """
    if isinstance(exc, UserFacingError):
        exc = _Answer(exc)
    elif isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    response = drf_exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        response.data = {"error": "Unauthorized"}
        response.status_code = 401
    elif isinstance(exc, exceptions.APIException) and "error" not in response.data:
        response.data = {"error": _sentence(response.data), "code": _code(exc)}
    if "code" in response.data:
        page = context["request"].build_absolute_uri(reverse("error-codes"))
        response.data["help"] = f"{page}#{response.data['code']}"
    return response


def _sentence(data: Any) -> str:
    """One sentence from DRF's detail, naming the field where there is one."""
    if isinstance(data, dict):
        if "detail" in data:
            return str(data["detail"])
        return " ".join(f"{field}: {_sentence(value)}" for field, value in data.items())
    if isinstance(data, list):
        return " ".join(_sentence(item) for item in data)
    return str(data)


def _code(exc: exceptions.APIException) -> str:
    return "invalid" if isinstance(exc, exceptions.ValidationError) else str(exc.default_code)
