"""API authentication by the user's session or by a personal token."""

from typing import Any

from drf_spectacular.authentication import SessionScheme as DRFSessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.authentication import SessionAuthentication as DRFSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts import tokens
from accounts.models import Scope, User
from manta.core.error_pages import is_of_an_older_session


class TokenAuthentication(BaseAuthentication):
    """Bearer token authentication: a request with a token is judged by it, whatever its cookies."""

    def authenticate(self, request: Request) -> tuple[User, tokens.Grant] | None:
        raw = tokens.bearer(get_authorization_header(request).decode("latin-1"))
        if raw is None:
            return None
        grant = tokens.verify(raw)
        if grant is None:
            raise AuthenticationFailed
        tokens.act_with(grant)
        return grant.user, grant

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of RFC 6750: with an error only if there was a token."""
        sent = get_authorization_header(request)
        return 'Bearer realm="Manta"' + (', error="invalid_token"' if sent else "")


class CsrfFailed(PermissionDenied):
    """Said in the words of a page of ours, where it is one that is too old."""

    default_code = "csrf_failed"

    def __init__(self, reason: str) -> None:
        older = is_of_an_older_session(reason)
        super().__init__("This page is from before you signed in again." if older else reason)


class SessionAuthentication(DRFSessionAuthentication):
    """Django's session. Naming a scheme makes DRF answer 401, and not 403, to a stranger."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as exc:
            raise CsrfFailed(str(exc.detail)) from exc


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Description of token authentication in the API's schema."""

    target_class = TokenAuthentication
    name = "personalToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = "\n".join(f"- `{scope.value}`: {scope.label}." for scope in Scope)
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token, created at /account/tokens/. Its scopes:\n\n"
            + scopes,
        }


class SessionScheme(DRFSessionScheme):  # type: ignore[no-untyped-call]
    """Description of session authentication in the API's schema."""

    target_class = SessionAuthentication  # type: ignore[assignment]
