"""How a program says who it is: by its user's session, or by a personal token."""

from typing import Any

from drf_spectacular.authentication import SessionScheme as DRFSessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.authentication import SessionAuthentication as DRFSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import tokens
from accounts.models import Scope, User


class TokenAuthentication(BaseAuthentication):
    """Authorization: Bearer. Whoever sends one is that token and nobody else: no cookie counts."""

    def authenticate(self, request: Request) -> tuple[User, tokens.Grant] | None:
        scheme, _, raw = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        grant = tokens.verify(raw.strip())
        if grant is None:
            raise AuthenticationFailed
        tokens.act_with(grant)
        return grant.user, grant

    def authenticate_header(self, request: Request) -> str:
        """As RFC 6750 has it: the error only where there was a token."""
        sent = get_authorization_header(request)
        return 'Bearer realm="Manta"' + (', error="invalid_token"' if sent else "")


class SessionAuthentication(DRFSessionAuthentication):
    """Django's session. Naming a scheme makes DRF answer 401, and not 403, to a stranger."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = TokenAuthentication
    name = "personalToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = "\n".join(f"- `{scope.value}`: {scope.label}." for scope in Scope)
        return {
            "type": "http",
            "scheme": "bearer",
            "description": f"A personal token, made at /account/tokens/. Its scopes:\n\n{scopes}",
        }


class SessionScheme(DRFSessionScheme):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = SessionAuthentication  # type: ignore[assignment]
