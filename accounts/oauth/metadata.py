"""Discovery documents for OAuth clients: the authorization server, its routes and its methods."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Scope
from accounts.oauth.adapter import GRANT_TYPES, SCOPES


@require_safe
def protected_resource(request: HttpRequest) -> JsonResponse:
    """RFC 9728, of /mcp."""
    return JsonResponse(
        {
            # Clients compare it with the address that they were given.
            "resource": settings.MCP_URL,
            "resource_name": "Manta",
            "authorization_servers": [settings.MANTA_URL],
            "scopes_supported": [Scope.MCP],
            "bearer_methods_supported": ["header"],
        }
    )


@require_safe
def authorization_server(request: HttpRequest) -> JsonResponse:
    """RFC 8414. The issuer is what is configured, whatever host was asked."""
    return JsonResponse(
        {
            "issuer": settings.MANTA_URL,
            "authorization_endpoint": _address("authorize"),
            "token_endpoint": _address("token"),
            "registration_endpoint": _address("register"),
            "revocation_endpoint": _address("revoke"),
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": GRANT_TYPES,
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


def _address(name: str) -> str:
    return settings.MANTA_URL + reverse(f"oauth:{name}")
