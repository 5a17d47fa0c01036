"""The agents that people have let in: connecting one, what it shows, and its end.

Its access and refresh tokens are allauth's rows, and its codes in allauth's cache. AgentSecret
knows of each code and refresh token whether it was shown already, which allauth does not.
"""

import json
import logging
import re
from dataclasses import dataclass, replace
from datetime import timedelta

from allauth.idp.oidc.models import Client, Token
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import agent_permissions, vault
from accounts.agent_permissions import Permissions
from accounts.models import AgentSecret, ConnectedAgent, User
from accounts.oauth import redirects
from accounts.tokens import digest

logger = logging.getLogger(__name__)

CODE_LIFETIME = timedelta(seconds=settings.IDP_OIDC_AUTHORIZATION_CODE_EXPIRES_IN)
REFRESH_LIFETIME = timedelta(seconds=settings.IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN)
# How long a refresh token that was shown is answered again as it was.
REPEAT_WITHIN = timedelta(seconds=10)
# How long a client that no user has let in is kept.
_UNUSED_CLIENT = timedelta(days=7)
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")


def client(client_id: str | None) -> Client | None:
    is_one = _CLIENT_ID.fullmatch(client_id or "")
    return Client.objects.filter(pk=client_id).first() if is_one else None


def expect_at(client: Client, uri: str) -> None:
    """Have it be sent to another port of this machine: it takes what is free (RFC 8252).

    allauth allows that of 127.0.0.1 and not of localhost.
    """
    registered = client.get_redirect_uris()
    if uri not in registered:
        client.set_redirect_uris([uri if redirects.matches(uri, [r]) else r for r in registered])
        client.save(update_fields=["redirect_uris"])


def let_in(*, user: User, client_id: str, code: str) -> ConnectedAgent:
    """Connect a client to a person who has agreed. The client still has to fetch its tokens."""
    until = timezone.now() + CODE_LIFETIME
    agent, _ = ConnectedAgent.objects.get_or_create(
        user=user, client_id=client_id, defaults={"expires_at": until}
    )
    agent.revoked_at = None
    agent.expires_at = max(agent.expires_at, until)
    agent.save(update_fields=["revoked_at", "expires_at"])
    agent.secrets.create(kind=AgentSecret.Kind.CODE, digest=digest(code), expires_at=until)
    return agent


def permissions_of(*, user: User, client_id: str) -> Permissions:
    """Return what it may do already, or might when it was here before: nothing widens unasked."""
    agent = ConnectedAgent.objects.filter(user=user, client_id=client_id).first()
    permissions = agent_permissions.of(agent.key) if agent else agent_permissions.FULL
    return replace(permissions, expires_at=None) if permissions.has_expired else permissions


@dataclass(frozen=True)
class Spent:
    """A code or refresh token that was shown: whose it is, and the answer that it got before."""

    agent: ConnectedAgent
    answer: str = ""


def spend(kind: AgentSecret.Kind, raw: str, client: Client) -> Spent | None:
    """Use up a code or a refresh token of the client's; None when it is not good.

    A token that is shown twice may have been stolen, so all access that came of it ends. Only a
    client whose last refresh was a moment ago may have lost its answer, or have asked twice.
    """
    now = timezone.now()
    secret = AgentSecret.objects.filter(kind=kind, digest=digest(raw)).first()
    if secret is None:
        return None
    # The agent's row before its secrets', as in revoke: or PostgreSQL ends one by a deadlock.
    of_it = ConnectedAgent.objects.select_for_update(of=["self"]).select_related("user")
    agent: ConnectedAgent | None = of_it.filter(pk=secret.agent_id).first()
    if agent is None:
        return None
    usable = ConnectedAgent.objects.usable().filter(pk=agent.pk, client=client)
    is_usable = secret.expires_at > now and usable.exists()
    # Asked of the row: of two at once, one is the first.
    if AgentSecret.objects.filter(pk=secret.pk, spent_at=None).update(spent_at=now):
        return Spent(agent) if is_usable else None
    recent = AgentSecret.objects.filter(pk=secret.pk, spent_at__gt=now - REPEAT_WITHIN)
    again = recent.exclude(sealed_answer="").first()
    if is_usable and again:
        return Spent(agent, vault.unseal(again.sealed_answer, context=again.digest))
    logger.warning("A %s of %s was shown again: it is revoked", kind.label, agent.key)
    revoke(agent)
    return None


def keep(agent: ConnectedAgent, *, shown: str, answer: str) -> None:
    """Record that the agent got a new pair of tokens for the secret that it showed."""
    now = timezone.now()
    agent.connected_at = agent.connected_at or now
    agent.expires_at = now + REFRESH_LIFETIME
    agent.save(update_fields=["connected_at", "expires_at"])
    _forget_answers(agent.secrets.all())
    spent = digest(shown)
    agent.secrets.filter(kind=AgentSecret.Kind.REFRESH, digest=spent).update(
        sealed_answer=vault.seal(answer, context=spent)
    )
    agent.secrets.create(
        kind=AgentSecret.Kind.REFRESH,
        digest=digest(json.loads(answer)["refresh_token"]),
        expires_at=agent.expires_at,
    )


def _forget_answers(secrets: QuerySet[AgentSecret]) -> None:
    secrets.exclude(sealed_answer="").update(sealed_answer="")


def find(raw: str, client: Client) -> ConnectedAgent | None:
    """Return the agent that a client's token belongs to, whether the token is valid or not."""
    token = Token.objects.by_value(raw).filter(client=client)
    shown = Q(secrets__digest=digest(raw)) | Q(user__in=token.values("user"))
    found: ConnectedAgent | None = ConnectedAgent.objects.filter(shown, client=client).first()
    return found


def revoke(agent: ConnectedAgent) -> None:
    """Refuse it from now on, until its person lets it in again."""
    with transaction.atomic():
        ConnectedAgent.objects.filter(pk=agent.pk).update(revoked_at=timezone.now())
        agent.secrets.all().delete()
        Token.objects.filter(user=agent.user_id, client=agent.client_id).delete()


def forget_old() -> None:
    """Delete what has expired, and clients that no user has let in: registration is open to all."""
    now = timezone.now()
    AgentSecret.objects.filter(expires_at__lte=now).delete()
    _forget_answers(AgentSecret.objects.filter(spent_at__lte=now - REPEAT_WITHIN))
    Token.objects.expired().delete()
    Client.objects.filter(agents=None, created_at__lt=now - _UNUSED_CLIENT).delete()
