"""What is allowed, as oauthlib asks for it: each method is one question of an RFC."""

import re
from typing import Any

from django.conf import settings
from oauthlib.common import Request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    AuthorizationEndpoint,
    BearerToken,
    InvalidRequestError,
    OAuth2Error,
    RefreshTokenGrant,
    RequestValidator,
    RevocationEndpoint,
    TokenEndpoint,
)

from accounts.models import AgentSecret, OAuthClient, Scope
from accounts.oauth import agents, redirects

# offline_access is what clients ask for to get a refresh token, which every one gets here.
SCOPES = [Scope.MCP.value, "offline_access"]
GRANT_TYPES = ["authorization_code", "refresh_token"]
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class InvalidTarget(OAuth2Error):  # type: ignore[misc]
    """RFC 8707."""

    error = "invalid_target"
    description = "The parameter resource must be there once, and be the address of /mcp."


class Validator(RequestValidator):  # type: ignore[misc]
    def validate_client_id(self, client_id: str, request: Request, *args: Any, **kw: Any) -> bool:
        known = _CLIENT_ID.fullmatch(client_id or "")
        request.client = OAuthClient.objects.filter(pk=client_id).first() if known else None
        return request.client is not None

    def client_authentication_required(self, request: Request, *args: Any, **kw: Any) -> bool:
        return False  # every client is public

    authenticate_client_id = validate_client_id

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Request, *args: Any, **kw: Any
    ) -> bool:
        return redirects.matches(redirect_uri, request.client.redirect_uris)

    def get_default_redirect_uri(self, *args: Any, **kw: Any) -> None:
        return None  # it has to be named each time

    def validate_response_type(self, client_id: str, response_type: str, *args: Any) -> bool:
        return response_type == "code"

    def validate_grant_type(self, client_id: str, grant_type: str, *args: Any) -> bool:
        return grant_type in GRANT_TYPES

    def get_default_scopes(self, *args: Any, **kw: Any) -> list[str]:
        return [Scope.MCP.value]

    def validate_scopes(self, client_id: str, scopes: list[str], *args: Any, **kw: Any) -> bool:
        return Scope.MCP in scopes and set(scopes) <= set(SCOPES)

    def is_pkce_required(self, client_id: str, request: Request) -> bool:
        return True

    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Request, *args: Any, **kw: Any
    ) -> None:
        agents.keep_code(
            request.agent,
            code["code"],
            redirect_uri=request.redirect_uri,
            challenge=request.code_challenge,
        )

    def validate_code(
        self, client_id: str, code: str, client: OAuthClient, request: Request, *args: Any
    ) -> bool:
        request.spent = agents.spend(AgentSecret.Kind.CODE, code, client)
        if request.spent is None:
            return False
        request.scopes = [Scope.MCP.value]
        return _for_its_agent(request)

    def get_code_challenge(self, code: str, request: Request) -> str:
        return str(request.spent.challenge)

    def get_code_challenge_method(self, code: str, request: Request) -> str:
        return "S256"

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: OAuthClient, request: Request
    ) -> bool:
        return bool(redirect_uri == request.spent.redirect_uri)

    def invalidate_authorization_code(self, *args: Any, **kw: Any) -> None:
        """It is spent as soon as it is shown, however that ends."""

    def validate_refresh_token(
        self, refresh_token: str, client: OAuthClient, request: Request, *args: Any
    ) -> bool:
        request.spent = agents.spend(AgentSecret.Kind.REFRESH, refresh_token, client)
        return request.spent is not None and _for_its_agent(request)

    def get_original_scopes(self, *args: Any, **kw: Any) -> list[str]:
        return [Scope.MCP.value]

    def is_within_original_scope(self, scopes: list[str], *args: Any, **kw: Any) -> bool:
        return set(scopes) <= set(SCOPES)

    def save_bearer_token(
        self, token: dict[str, Any], request: Request, *args: Any, **kw: Any
    ) -> None:
        agents.keep_tokens(
            request.agent, access=token["access_token"], refresh=token["refresh_token"]
        )

    def revoke_token(
        self, token: str, token_type_hint: str, request: Request, *args: Any, **kw: Any
    ) -> None:
        """Either of the two ends both: it is how a client signs out."""
        if agent := agents.find(token, request.client):
            agents.revoke(agent)


def _for_its_agent(request: Request) -> bool:
    request.agent = request.spent.agent
    request.user = request.agent.user
    return True


def _well_asked(request: Request) -> dict[str, Any]:
    """Before a person is asked: what OAuth 2.1 and MCP require and oauthlib lets be."""
    _for_mcp(request)
    request.response_mode = "query"
    if request.code_challenge is None:
        return {}  # oauthlib says so itself
    if request.code_challenge_method != "S256" or not _CHALLENGE.fullmatch(request.code_challenge):
        raise InvalidRequestError("PKCE takes the method S256, and no other.", request=request)
    return {}


def _for_mcp(request: Request) -> None:
    if request.resource != settings.MCP_URL or "resource" in request.duplicate_params:
        raise InvalidTarget(request=request)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    def create_authorization_code(self, request: Request) -> dict[str, str]:
        """What goes along to the client; iss, so that it knows whose answer it is (RFC 9207)."""
        grant: dict[str, str] = super().create_authorization_code(request)
        return grant | {"code": agents.new_secret("code"), "iss": settings.MANTA_URL}


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):  # type: ignore[misc]
    """The three endpoints, with the two grants there are."""

    def __init__(self) -> None:
        validator = Validator()
        # After the code is spent: whoever shows it has one try.
        code = CodeGrant(validator, pre_auth=[_well_asked], post_token=[_for_mcp])
        refresh = RefreshTokenGrant(validator, pre_token=[_for_mcp])
        bearer = BearerToken(
            validator,
            token_generator=lambda request: agents.new_secret("agent"),
            refresh_token_generator=lambda request: agents.new_secret("refresh"),
            expires_in=int(agents.ACCESS_LIFETIME.total_seconds()),
        )
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        TokenEndpoint.__init__(
            self,
            "authorization_code",
            bearer,
            {"authorization_code": code, "refresh_token": refresh},
        )
        RevocationEndpoint.__init__(self, validator)


server = Server()
