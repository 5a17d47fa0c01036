"""Adapter of allauth's authorization server, restricted to what MCP needs."""

from http import HTTPStatus
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import JsonResponse

from accounts.models import Scope
from accounts.oauth import redirects

# offline_access is what clients ask for to get a refresh token, which every one gets here.
SCOPES = [Scope.MCP.value, "offline_access"]
GRANT_TYPES = ["authorization_code", "refresh_token"]
_MAX_REDIRECTS = 10


def is_for_mcp(resources: list[str]) -> bool:
    """Return whether /mcp is the only resource that is requested (RFC 8707)."""
    return resources == [settings.MCP_URL]


class StrictAdapter(DefaultOIDCAdapter):  # type: ignore[misc]
    def get_issuer(self) -> str:
        """Return the configured URL, whatever host the request names."""
        return settings.MANTA_URL

    def is_cimd_url_allowed(self, url: str) -> bool:
        return False  # Manta fetches no address that a stranger names

    def validate_resource_uris(self, *, uris: list[str], **kwargs: Any) -> None:
        if not is_for_mcp(uris):
            raise ValidationError("The resource must be given once, with the address of /mcp.")

    def validate_client_registration(
        self, *, client: Client, client_metadata: dict[str, Any], **kwargs: Any
    ) -> None:
        """Accept any client, and make each the same: public, and an agent.

        Raises ValidationError and ImmediateHttpResponse, with an error of RFC 7591.
        """
        if not isinstance(client_metadata["client_name"], str):
            raise ValidationError("client_name must be a string.")
        uris = client_metadata["redirect_uris"]
        first = redirects.parse(uris[0])
        if first is None or len(uris) > _MAX_REDIRECTS or not all(map(redirects.parse, uris)):
            raise ImmediateHttpResponse(_redirects_refused())
        client.name = client.name or first.place[: Client._meta.get_field("name").max_length]
        client.type = Client.Type.PUBLIC
        client.set_scopes(SCOPES)
        client.set_default_scopes([Scope.MCP.value])
        client.set_grant_types(GRANT_TYPES)
        client.set_response_types(["code"])


def _redirects_refused() -> JsonResponse:
    apps = ", ".join(f"{scheme}://" for scheme in settings.AGENT_SCHEMES)
    description = (
        f"Send 1 to {_MAX_REDIRECTS} redirect_uris, each https, http on 127.0.0.1, [::1] or "
        f"localhost, or one of {apps}."
    )
    answer = {"error": "invalid_redirect_uri", "error_description": description}
    return JsonResponse(answer, status=HTTPStatus.BAD_REQUEST)
