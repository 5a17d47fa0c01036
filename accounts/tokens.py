"""Personal tokens: made once, verified at each request, and who acts with one just now.

The one verifier of what a program shows, for the REST API and for /mcp alike: a personal token, or
an access token of an agent that its person let in (accounts.oauth).
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from allauth.idp.oidc.models import Token
from django.db.models import CharField, DateTimeField, F, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import agent_permissions
from accounts.models import ConnectedAgent, PersonalToken, Scope, User
from accounts.sessions import batches
from manta.core.prepared import Parameter, Prepared

KEY = re.compile(r"\A[0-9a-f]{16}\Z")
# One fixed shape, so that scanners of public code recognise one that has leaked.
_SHAPE = re.compile(r"manta_pat_([0-9a-f]{16})_[0-9a-f]{64}")
# An access token as allauth makes them.
_AGENTS_SHAPE = re.compile(r"[A-Za-z0-9_-]{86}")
# A use is recorded at most this often: no write for each request.
_USE_EVERY = timedelta(minutes=1)

_usable: Prepared[PersonalToken] = Prepared(
    lambda: (
        PersonalToken.objects.usable(now=Parameter("now", DateTimeField()))
        .filter(key=Parameter("key", CharField()))
        .select_related("user")
        .order_by()
    )
)


@dataclass(frozen=True)
class Grant:
    """User and scopes that a verified token grants."""

    user: User
    scopes: frozenset[str]
    # What the person called it, or an agent calls itself.
    name: str
    # Names the token, or for good the agent, for still_valid; no secret.
    key: str
    kind: Literal["token", "agent"] = "token"
    # What it may do inside the sandbox, as an agent.
    permissions: agent_permissions.Permissions = agent_permissions.FULL


_acting: ContextVar[Grant | None] = ContextVar("acting", default=None)


def new_key() -> str:
    return secrets.token_hex(8)


def mint(
    *, user: User, name: str, scopes: Collection[str], lifetime: timedelta, key: str
) -> tuple[PersonalToken, str] | None:
    """Make a token and return it with its text, which is never shown again.

    None when there is one of that key already: a form that was sent twice makes one token.
    """
    if lifetime not in PersonalToken.LIFETIMES or not set(scopes) <= set(Scope.values):
        raise ValueError("A token has one of the lifetimes, and only scopes that there are.")
    raw = f"manta_pat_{key}_{secrets.token_hex(32)}"
    now = timezone.now()
    token, is_new = PersonalToken.objects.get_or_create(
        key=key,
        defaults={
            "user": user,
            "name": name,
            "scopes": sorted(scopes),
            "digest": digest(raw),
            "created_at": now,
            "expires_at": now + lifetime,
        },
    )
    return (token, raw) if is_new else None


def revoke(token: PersonalToken) -> None:
    """Refuse it from now on, for good."""
    PersonalToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())


def bearer(authorization: str) -> str | None:
    """Return the token of an Authorization header (RFC 6750), or None where it has none."""
    scheme, _, raw = authorization.partition(" ")
    return raw.strip() if scheme.lower() == "bearer" else None


def verify(raw: str, *, audience: str | None = None) -> Grant | None:
    """Return a token's grant, or None if it is unknown, expired or revoked, or its user inactive.

    An agent's token is valid for one address only: without an audience, none is accepted, and a
    personal token grants no tool.
    """
    if shape := _SHAPE.fullmatch(raw):
        return _personal(raw, key=shape[1], is_for_agents=audience is not None)
    if audience and _AGENTS_SHAPE.fullmatch(raw):
        return _agents(raw, audience)
    return None


def _personal(raw: str, *, key: str, is_for_agents: bool) -> Grant | None:
    token = _usable.first(key=key, now=timezone.now())
    if token is None or not constant_time_compare(token.digest, digest(raw)):
        return None
    _note_use(token)
    # A scope that Manta no longer knows grants nothing.
    scopes = frozenset(scope for scope in token.scopes if scope in Scope)
    # Of the tools alone, which no other address offers: there they are not read.
    calls_tools = is_for_agents and Scope.MCP in scopes
    permissions = agent_permissions.of(token.key) if calls_tools else agent_permissions.NONE
    return Grant(token.user, scopes, token.name, token.key, permissions=permissions)


def _agents(raw: str, audience: str) -> Grant | None:
    agents = ConnectedAgent.objects.usable().select_related("user", "client")
    # One indexed read: by the token, and from there to the agent.
    found = agents.filter(
        client__token__type=Token.Type.ACCESS_TOKEN,
        client__token__hash=digest(raw),
        client__token__user=F("user"),
        client__token__expires_at__gt=timezone.now(),
        client__token__data__resources=[audience],
    )
    agent = next(iter(found.order_by()), None)
    if agent is None:
        return None
    _note_use(agent)
    permissions = agent_permissions.of(agent.key)
    return Grant(agent.user, frozenset({Scope.MCP}), str(agent), agent.key, "agent", permissions)


def still_valid(keys: Collection[str]) -> set[str]:
    """Return the tokens that are still accepted, for what is open longer than a request.

    An agent stays while its person lets it: it gets new tokens for those that expire.
    """
    agents = {key for key in keys if key.startswith(ConnectedAgent.KEY_PREFIX)}
    kinds = (
        (ConnectedAgent.objects.usable(), agents),
        (PersonalToken.objects.usable(), set(keys) - agents),
    )
    return {
        key
        for usable, own in kinds
        for batch in batches(own)
        for key in usable.filter(key__in=batch).values_list("key", flat=True)
    }


@contextmanager
def acting_with(grant: Grant | None) -> Iterator[None]:
    """Put down what follows as done with this token; None, as done without one."""
    before = _acting.set(grant)
    try:
        yield
    finally:
        _acting.reset(before)


def act_with(grant: Grant) -> None:
    """Act with a grant until the request ends; the middleware takes it back."""
    _acting.set(grant)


def acting() -> Grant | None:
    return _acting.get()


class ActingTokenMiddleware:
    """No request is done with the token of the one before it on the same thread."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting_with(None):
            return self.get_response(request)


def digest(raw: str) -> str:
    """Return the digest that is stored of a secret of 256 random bits."""
    return hashlib.sha256(raw.encode()).hexdigest()


def _note_use(token: PersonalToken | ConnectedAgent) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - _USE_EVERY:
        # Asked of the row again: of many requests at once one writes.
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_EVERY)
        type(token).objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
