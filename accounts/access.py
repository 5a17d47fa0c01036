"""Ending what lets people and programs into an account."""

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import unstash_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import ConnectedAgent, PersonalToken, User
from accounts.oauth import agents


def end_programs(user: User) -> None:
    """Revoke every personal token and disconnect every agent of a person."""
    with transaction.atomic():
        PersonalToken.objects.for_user(user).update(revoked_at=timezone.now())
        for agent in ConnectedAgent.objects.filter(user=user, revoked_at=None):
            agents.revoke(agent)


def end_unproven(request: HttpRequest, user: User, *, keep_password: bool) -> None:
    """End all access that was set up before the address was confirmed.

    Any person can sign up with another person's address, and wait there. The session of the request
    stays when it is the account's own.
    """
    ended = _access_of(user, keep_password=keep_password)
    with transaction.atomic():
        end_programs(user)
        Authenticator.objects.filter(user=user).delete()
        SocialAccount.objects.filter(user=user).delete()
        if not keep_password:
            user.set_unusable_password()  # which ends every session, too
            user.save(update_fields=["password"])
        end_other_sessions(request, user)
    if ended:
        messages.warning(
            request,
            "These were removed, because they were set up before this address was confirmed: "
            f"{', '.join(ended)}. If you did not sign up yourself, also reset the sandbox.",
        )


def knows_password(request: HttpRequest, user: User) -> bool:
    """Tell whether this browser signed up or in with the account's password before."""
    if request.user.is_authenticated:
        return bool(request.user.pk == user.pk)
    login = unstash_login(request, peek=True)
    if login is None or login.user is None or login.user.pk != user.pk:
        return False
    records = get_authentication_records(request, user)
    return bool(login.signup) or any(record["method"] == "password" for record in records)


def _access_of(user: User, *, keep_password: bool) -> list[str]:
    """Name what will end, as a person reads it."""
    sessions = [row for row in UserSession.objects.filter(user=user) if not row.is_current()]
    counts = [
        (len(sessions), "other signed-in browser"),
        (PersonalToken.objects.for_user(user).count(), "personal token"),
        (ConnectedAgent.objects.for_user(user).count(), "connected agent"),
        (Authenticator.objects.filter(user=user).count(), "second factor"),
        (SocialAccount.objects.filter(user=user).count(), "connected account"),
    ]
    password = [] if keep_password or not user.has_usable_password() else ["the password"]
    return password + [_counted(count, noun) for count, noun in counts if count]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def prove_by_reset(request: HttpRequest, user: User, row: Any) -> None:
    """Note that a reset has shown that the address is the person's; the new password stays."""
    row.verified = True
    row.set_as_primary()
    type(row).objects.filter(user=user).exclude(pk=row.pk).delete()
    end_unproven(request, user, keep_password=True)
