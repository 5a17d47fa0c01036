"""Session ownership and validity, for connections that stay open longer than a request."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User

# Names in one query, so that no database finds it too long.
_BATCH = 500
# The most batches that one turn deletes: the next one goes on.
_BATCHES = 200

Item = TypeVar("Item")


@dataclass(frozen=True)
class SignIn:
    """A session that was looked up, with what must not change while it is relied on."""

    session_key: str = field(repr=False)
    user_id: int
    # As it is stored; another one has ended the session.
    password: str = field(repr=False)

    @classmethod
    def of(cls, session_key: str) -> tuple["SignIn", User] | None:
        """The sign-in that a session cookie stands for, by all of Django's own checks."""
        request = HttpRequest()
        request.session = _engine().SessionStore(session_key)
        user: Any = get_user(request)
        if not user.is_authenticated:
            return None
        return cls(session_key, user.pk, user.password), user


def ended(sign_ins: set[SignIn]) -> set[SignIn]:
    """Return those that have ended: signed out, expired, another password, deactivated, deleted."""
    sessions = _engine().SessionStore.get_model_class().objects
    held: set[str] = set()
    for keys in batches(sign_in.session_key for sign_in in sign_ins):
        lasting = sessions.filter(pk__in=keys, expire_date__gt=timezone.now())
        held.update(lasting.values_list("pk", flat=True))
    passwords: dict[int, str] = {}
    for pks in batches({sign_in.user_id for sign_in in sign_ins}):
        passwords.update(
            User.objects.filter(pk__in=pks, is_active=True).values_list("pk", "password")
        )
    return {
        sign_in
        for sign_in in sign_ins
        if sign_in.session_key not in held or passwords.get(sign_in.user_id) != sign_in.password
    }


def forget_expired() -> int:
    """Delete sessions that have expired, with what is kept of their browsers; returns how many.

    In small batches, so that no sign-in waits for a lock; harmless when several do it at once.
    """
    expired = Session.objects.filter(expire_date__lte=timezone.now()).order_by("expire_date")
    forgotten = 0
    for _ in range(_BATCHES):
        keys = list(expired.values_list("pk", flat=True)[:_BATCH])
        # Not one that was given a later end in the meantime.
        forgotten += expired.order_by().filter(pk__in=keys).delete()[0]
        left = Session.objects.filter(pk__in=keys).values("pk")
        UserSession.objects.filter(session_key__in=keys).exclude(session_key__in=left).delete()
        if len(keys) < _BATCH:
            break
    return forgotten


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _engine() -> Any:
    return import_module(settings.SESSION_ENGINE)
