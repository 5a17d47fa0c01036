"""DRF permission for tokens: a view must name a scope, and the token must have it."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.tokens import Grant

if TYPE_CHECKING:
    # DRF's views import this module.
    from rest_framework.views import APIView


class InsufficientScope(PermissionDenied):
    default_code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token does not have the scope {scope}, which this needs.")
        # DRF sends it along, as RFC 6750 asks.
        self.auth_header = f'Bearer error="insufficient_scope", scope="{scope}"'


class WithinScopes(BasePermission):
    """A view says `scopes = {"GET": Scope.…}`; to a token, what it doesn't name is closed."""

    message = "No token can do this: sign in."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        grant = request.auth
        if not isinstance(grant, Grant) or request.method not in view.allowed_methods:
            return True  # a session; or the view answers 405
        scope = required_scope(view, request.method)
        if scope is not None and scope not in grant.scopes:
            raise InsufficientScope(scope)
        return scope is not None


def required_scope(view: "APIView", method: str | None) -> str | None:
    scopes: dict[str, str] = getattr(view, "scopes", {})
    return scopes.get("GET" if method == "HEAD" else str(method))
