"""Registration of clients by themselves (RFC 7591): anybody may, so little is taken from them."""

import json
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.models import OAuthClient
from accounts.oauth import redirects
from accounts.oauth.server import GRANT_TYPES, SCOPES

_LONGEST_NAME = 100
_MOST_REDIRECTS = 10


class Refused(Exception):
    """An error of RFC 7591, with a sentence."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@csrf_exempt
@require_POST
@never_cache
def register(request: HttpRequest) -> JsonResponse:
    if not ratelimit.consume(request, action="agent_registration"):
        answer = _error("temporarily_unavailable", "Too many registrations. Try again later.", 429)
        answer["Retry-After"] = "60"
        return answer
    try:
        client = _client(request.body)
    except Refused as exc:
        return _error(exc.error, exc.description, 400)
    client.save()
    return JsonResponse(_described(client), status=201)


def _client(body: bytes) -> OAuthClient:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Refused("invalid_client_metadata", "Send one JSON object.") from exc
    if not isinstance(said, dict):
        raise Refused("invalid_client_metadata", "Send one JSON object.")
    uris = _redirect_uris(said.get("redirect_uris"))
    return OAuthClient(name=_name(said.get("client_name"), uris[0]), redirect_uris=uris)


def _redirect_uris(uris: Any) -> list[str]:
    if not isinstance(uris, list) or not 1 <= len(uris) <= _MOST_REDIRECTS:
        raise Refused("invalid_redirect_uri", f"Send 1 to {_MOST_REDIRECTS} redirect_uris.")
    if not all(isinstance(uri, str) and redirects.parse(uri) for uri in uris):
        apps = ", ".join(f"{scheme}://" for scheme in settings.AGENT_SCHEMES)
        raise Refused(
            "invalid_redirect_uri",
            f"A redirect URI is https, http on 127.0.0.1, [::1] or localhost, or one of {apps}.",
        )
    return uris


def _name(name: Any, uri: str) -> str:
    """What it calls itself, without what can't be seen; else where it is."""
    if not isinstance(name, str | None):
        raise Refused("invalid_client_metadata", "client_name is a text.")
    seen = "".join(character for character in name or "" if character.isprintable()).strip()
    redirect = redirects.parse(uri)
    return seen[:_LONGEST_NAME] or (redirect.place[:_LONGEST_NAME] if redirect else "")


def _described(client: OAuthClient) -> dict[str, Any]:
    """As it is registered, whatever it asked for: RFC 7591 has it look."""
    return {
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": "none",
        "grant_types": GRANT_TYPES,
        "response_types": ["code"],
        "scope": " ".join(SCOPES),
    }


def _error(error: str, description: str, status: int) -> JsonResponse:
    return JsonResponse({"error": error, "error_description": description}, status=status)
