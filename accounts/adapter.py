"""allauth's account adapter: Manta's answers where allauth's own would not do."""

import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.email_verification import verify_email
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.socialaccount.adapter import (
    DefaultSocialAccountAdapter,
    _build_apps_from_settings,
)
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import addresses, password_hashers
from accounts.models import User

# Categories of Unicode: controls, formats, spaces of all kinds, and what is unassigned or private.
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"}


@dataclass(frozen=True)
class Site:
    """Manta as mails name it."""

    domain: str
    name: str = "Manta"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Lead to MANTA_URL, not to the host and port that the request happened to name."""
        links = {
            name: _at_manta_url(value) for name, value in context.items() if name.endswith("_url")
        }
        site = Site(urlsplit(settings.MANTA_URL).netloc)
        super().send_mail(template_prefix, email, context | links | {"current_site": site})

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong passwords by address and client, so that others cannot lock an owner out."""
        return f"{credentials.get('email', '').lower()}:{ratelimit.get_ip(request)}"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        password_hashers.even_out(credentials.get("email") or "", credentials.get("password") or "")

    def clean_email(self, email: str) -> str:
        """Refuse invisible characters: mail servers drop them and reach another account's address.

        Refuse what no column has room for, too: allauth would cut it to another person's address.
        """
        if any(unicodedata.category(char) in _INVISIBLE for char in email):
            raise ValidationError("Enter an address without spaces or invisible characters.")
        validate_length = MaxLengthValidator(User._meta.get_field("email").max_length)
        validate_length(email)
        return str(super().clean_email(email))

    def pre_login(
        self, request: HttpRequest, user: User, *, email: str | None, **details: Any
    ) -> HttpResponse | None:
        """Refuse a code that was mailed to an address which is the account's no longer."""
        if email and addresses.holder_of(email) != user:
            text = "This is not the address of your account. Sign in with your account's address."
            messages.error(request, text)
            return redirect("account_login")
        refusal: HttpResponse | None = super().pre_login(request, user, email=email, **details)
        return refusal

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Refuse a link for an address that has become another account's since it was sent."""
        if addresses.holder_of(email_address.email) not in (None, email_address.user):
            template = "account/messages/email_confirmation_failed.txt"
            context = {"email": email_address.email}
            self.add_message(request, messages.ERROR, template, context)
            return False
        return bool(super().confirm_email(request, email_address))

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """An account keeps its address: only a change to another one can be given up."""
        is_own = email_address.email.lower() == email_address.user.email.lower()
        return not is_own and bool(super().can_delete_email(email_address))


def _at_manta_url(link: str) -> str:
    parts = urlsplit(link)
    return settings.MANTA_URL + urlunsplit(("", "", *parts[2:]))


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return those of the settings. None are made elsewhere, and each sign-in page asks."""
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """Return whose account an address is that the provider has checked."""
        for row in sociallogin.email_addresses:
            holder = addresses.holder_of(row.email) if row.verified else None
            if holder and self.can_authenticate_by_email(sociallogin, row.email):
                return holder, row.email
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Take the provider's word for an address, which ends what waited there for its owner."""
        for row in sociallogin.email_addresses:
            if row.verified:
                addresses.withdraw_changes_to(row.email)
        is_sign_in = sociallogin.state.get("process") == AuthProcess.LOGIN
        if is_sign_in and sociallogin._did_authenticate_by_email and sociallogin.user.is_active:
            current = addresses.current_row(sociallogin.user)
            if not current.verified:
                verify_email(request, current)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        try:
            with transaction.atomic():
                user: User = super().save_user(request, sociallogin, form)
                return user
        except IntegrityError as exc:
            if form is not None:
                raise  # the form is checked again
            # The same person came twice at once: the account is there now.
            messages.info(request, "Your account has just been created. Please sign in again.")
            raise ImmediateHttpResponse(redirect("account_login")) from exc
