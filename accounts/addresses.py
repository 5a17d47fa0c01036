"""E-mail addresses: which account one belongs to, and changing it.

An address belongs to the account that has confirmed it, else to the one that signed up with it.
A change that is not confirmed yet is a claim, which never leads into an account.
"""

from typing import Any

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.internal.flows.manage_email import sync_user_email_address
from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User


def holder_of(email: str) -> User | None:
    """Return the account that codes and resets sent to this address belong to."""
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True)
    if row := confirmed.select_related("user").first():
        holder: User = row.user
        return holder
    return User.objects.filter(email__iexact=email).first()


def active_holder_of(email: str) -> User | None:
    holder = holder_of(email)
    return holder if holder and holder.is_active else None


def is_of_another_account(email: str, user: User) -> bool:
    """Tell whether any other account has it, confirmed or not, or is changing to it."""
    rows = EmailAddress.objects.filter(email=email.lower())
    others = User.objects.filter(email__iexact=email)
    return rows.exclude(user=user).exists() or others.exclude(pk=user.pk).exists()


def withdraw_changes_to(email: str) -> None:
    """Delete the unconfirmed changes to an address that no account has."""
    if holder_of(email) is None:
        EmailAddress.objects.filter(email=email.lower(), verified=False).delete()


def change(request: HttpRequest, user: User, email: str) -> Any:
    """Send the new address a link that confirms it. Until then the account keeps the old one."""
    with transaction.atomic():
        sync_user_email_address(user)
        _unconfirmed_changes(user).delete()
        # The same change may be asked for twice at once.
        row, _ = EmailAddress.objects.get_or_create(user=user, email=email.lower())
    send_verification_email_to_address(request, row)
    return row


def current_row(user: User) -> Any:
    """Return the row of the account's own address; accounts that admins make have none at first."""
    row, _ = EmailAddress.objects.get_or_create(user=user, email=user.email.lower())
    row.user = user
    return row


def _unconfirmed_changes(user: User) -> QuerySet[Any]:
    rows: QuerySet[Any] = EmailAddress.objects.filter(user=user, verified=False)
    return rows.exclude(email__iexact=user.email)
