import hashlib
from typing import Any

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.conf import settings as django_settings
from django.core.cache import cache

from accounts.models import User

# Seconds that a code of an authenticator app stands for.
TOTP_PERIOD = 30


class DeleteAccountForm(forms.Form):
    confirm = forms.CharField(
        label="Type your e-mail address to confirm",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_confirm(self) -> str:
        confirm: str = self.cleaned_data["confirm"]
        if confirm.strip().lower() != self.user.email.lower():
            raise forms.ValidationError("This is not the e-mail address of this account.")
        return confirm


class OneTimeCode:
    """A code that is accepted once for as long as it is valid, which allauth forgets sooner."""

    user: User

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        name = hashlib.sha256(normalize_user_code(code).encode()).hexdigest()
        periods = 2 * django_settings.MFA_TOTP_TOLERANCE + 1
        if not cache.add(f"code-used:{self.user.pk}:{name}", True, periods * TOTP_PERIOD):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(OneTimeCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of a sign-in."""


class ConfirmForm(OneTimeCode, ReauthenticateForm):  # type: ignore[misc]
    """The same code form for a user who is signed in."""


class ActivateAppForm(OneTimeCode, ActivateTOTPForm):  # type: ignore[misc]
    """Code that sets an app up; it cannot be used to sign in afterwards."""


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    passwordless = forms.BooleanField(
        label="Sign in with it alone, without a password",
        required=False,
        initial=True,
        help_text="The device then asks for its screen lock or a PIN.",
    )
