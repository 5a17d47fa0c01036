"""Signal handlers for the steps of a sign-in."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import (
    authentication_step_completed,
    email_confirmed,
    password_reset,
    user_logged_in,
)
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import access, addresses
from accounts.models import User


@receiver(user_logged_in)
def note_browser(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Record the session, and forget the user's that have ended.

    allauth would make three queries for each session that goes on.
    """
    # Of each of the user's own: a list of all people's sessions would grow with them.
    lasting = Session.objects.filter(pk=OuterRef("session_key"), expire_date__gt=timezone.now())
    UserSession.objects.filter(~Exists(lasting), user=user).delete()
    UserSession.objects.create_from_request(request)


@receiver(authentication_step_completed)
def note_address(user: User, method: str, **kwargs: Any) -> None:
    """A code proves the address: make the row in which allauth notes that, where there is none."""
    if method == "code":
        addresses.current_row(user)


@receiver(email_confirmed)
def end_unproven_access(request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    user = email_address.user
    earlier = EmailAddress.objects.filter(user=user, verified=True).exclude(pk=email_address.pk)
    if not earlier.exists():
        keep_password = access.knows_password(request, user)
        access.end_unproven(request, user, keep_password=keep_password)


@receiver(password_reset)
def prove_address(request: HttpRequest, user: User, **kwargs: Any) -> None:
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        access.prove_by_reset(request, user, addresses.current_row(user))
