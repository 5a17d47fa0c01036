"""The agents that people have let in: connecting one, its codes and tokens, and its end."""

import logging
import secrets
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import passports
from accounts.models import AgentSecret, ConnectedAgent, OAuthClient, User
from accounts.passports import Passport
from accounts.tokens import digest

logger = logging.getLogger(__name__)

Kind = AgentSecret.Kind

CODE_LIFETIME = timedelta(minutes=1)
ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=30)
# How long a client that nobody has let in is kept.
_UNUSED_CLIENT = timedelta(days=7)


def new_secret(kind: str) -> str:
    """One fixed shape, so that scanners of public code recognise one that has leaked."""
    return f"manta_{kind}_{secrets.token_hex(32)}"


def let_in(*, user: User, client: OAuthClient) -> ConnectedAgent:
    """Have a client act for a person, who has said so. It still has to fetch its tokens."""
    until = timezone.now() + CODE_LIFETIME
    agent, _ = ConnectedAgent.objects.get_or_create(
        user=user, client=client, defaults={"expires_at": until, "resource": settings.MCP_URL}
    )
    agent.revoked_at = None
    agent.resource = settings.MCP_URL
    agent.expires_at = max(agent.expires_at, until)
    agent.save(update_fields=["revoked_at", "resource", "expires_at"])
    return agent


def passport_of(*, user: User, client: OAuthClient) -> Passport:
    """What it may do already, or might when it was here before: nothing widens unasked."""
    agent = ConnectedAgent.objects.filter(user=user, client=client).first()
    passport = passports.of(agent.key) if agent else passports.FULL
    return replace(passport, expires_at=None) if passport.has_expired else passport


def keep_code(
    agent: ConnectedAgent, code: str, *, redirect_uri: str, challenge: str
) -> AgentSecret:
    return agent.secrets.create(
        kind=Kind.CODE,
        digest=digest(code),
        expires_at=timezone.now() + CODE_LIFETIME,
        redirect_uri=redirect_uri,
        challenge=challenge,
    )


def keep_tokens(agent: ConnectedAgent, *, access: str, refresh: str) -> None:
    """Remember a new pair."""
    now = timezone.now()
    agent.connected_at = agent.connected_at or now
    agent.expires_at = now + REFRESH_LIFETIME
    agent.save(update_fields=["connected_at", "expires_at"])
    agent.secrets.create(kind=Kind.ACCESS, digest=digest(access), expires_at=now + ACCESS_LIFETIME)
    agent.secrets.create(kind=Kind.REFRESH, digest=digest(refresh), expires_at=agent.expires_at)


def spend(kind: Kind, raw: str, client: OAuthClient) -> AgentSecret | None:
    """Use up a code or a refresh token of the client's; None when it is not good.

    Whoever shows one again has it from somewhere: then nobody goes on with what came of it.
    """
    now = timezone.now()
    found = AgentSecret.objects.select_related("agent__user").filter(kind=kind, digest=digest(raw))
    secret = found.first()
    if secret is None:
        return None
    # The agent's row before its secrets', as in revoke: or PostgreSQL ends one by a deadlock.
    ConnectedAgent.objects.select_for_update().filter(pk=secret.agent_id).first()
    # Asked of the row: of two at once, one is the first.
    is_first = AgentSecret.objects.filter(pk=secret.pk, spent_at=None).update(spent_at=now)
    if not is_first:
        logger.warning("A %s of %s was shown again: it is revoked", kind.label, secret.agent.key)
        revoke(secret.agent)
    usable = ConnectedAgent.objects.usable().filter(pk=secret.agent_id, client=client)
    good = is_first and secret.expires_at > now and usable.exists()
    return secret if good else None


def find(raw: str, client: OAuthClient) -> ConnectedAgent | None:
    """Whose token of the client's this is, whether it is good or not."""
    agents = ConnectedAgent.objects.filter(client=client, secrets__digest=digest(raw))
    found: ConnectedAgent | None = agents.first()
    return found


def revoke(agent: ConnectedAgent) -> None:
    """Refuse it from now on, until its person lets it in again."""
    with transaction.atomic():
        ConnectedAgent.objects.filter(pk=agent.pk).update(revoked_at=timezone.now())
        agent.secrets.all().delete()


def forget_old() -> None:
    """Take away what has ended, and clients that nobody lets in: anybody can register some."""
    now = timezone.now()
    AgentSecret.objects.filter(expires_at__lte=now).delete()
    OAuthClient.objects.filter(agents=None, created_at__lt=now - _UNUSED_CLIENT).delete()
