"""Everything that Manta keeps about a person, as they may take it with them."""

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import F

from accounts import hooks
from accounts.models import ConnectedAgent, PersonalToken, User

_CONNECTED = ["provider", "uid", "date_joined", "last_login", "extra_data"]
_SESSION = ["ip", "user_agent", "created_at", "last_seen_at"]
_TOKEN = ["name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"]
_AGENT = ["name", "connected_at", "expires_at", "last_used_at", "revoked_at"]


def own_data(user: User) -> dict[str, Any]:
    """Return what is stored about a user, as JSON-ready values without any credential.

    The sandbox's files are not included: they are in the sandbox.
    """
    emails = EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
    factors = Authenticator.objects.filter(user=user)
    connected = SocialAccount.objects.filter(user=user).values(*_CONNECTED)
    sessions = UserSession.objects.filter(user=user).values(*_SESSION)
    own_tokens = PersonalToken.objects.filter(user=user).values(*_TOKEN)
    own_agents = ConnectedAgent.objects.filter(user=user, connected_at__isnull=False)
    own_permissions = user.agent_permissions.values(
        "key", "capabilities", "path_prefix", "expires_at"
    )
    return {
        "account": _account(user),
        "emailAddresses": list(emails),
        "secondFactors": [_factor(factor) for factor in factors],
        "connectedAccounts": [camel(row) for row in connected],
        "sessions": [camel(row) for row in sessions],
        "personalTokens": [camel(row) for row in own_tokens],
        "connectedAgents": [
            camel(row) for row in own_agents.annotate(name=F("client__name")).values(*_AGENT)
        ],
        **hooks.exported(user),
        "agentPermissions": [camel(row) for row in own_permissions],
    }


def _account(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "dateJoined": user.date_joined,
        "lastLogin": user.last_login,
        "hasPassword": user.has_usable_password(),
    }


def _factor(factor: Authenticator) -> dict[str, Any]:
    return {
        "type": factor.type,
        "name": str(factor),
        "createdAt": factor.created_at,
        "lastUsedAt": factor.last_used_at,
    }


def camel(row: Mapping[str, Any]) -> dict[str, Any]:
    """The names of columns as the API writes names."""
    return {_camel_case(name): value for name, value in row.items()}


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
