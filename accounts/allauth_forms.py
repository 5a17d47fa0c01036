"""allauth's forms, where Manta asks for more than they do."""

from functools import cache
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    AddEmailForm,
    ChangePasswordForm,
    LoginForm,
    RequestLoginCodeForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SetPasswordForm,
    SignupForm,
)
from django import forms
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import access, addresses
from accounts.models import User


class SignInForm(LoginForm):  # type: ignore[misc]
    """Sign-in form whose empty fields are rendered once per process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # allauth's own text looks for a template four times a page.
        self.fields["password"].help_text = _link_to_the_reset()

    @property
    def drawn_fields(self) -> SafeString:
        """The fields; of a new form, in which nothing is anybody's, as they were drawn once."""
        is_new = not self.is_bound and not self.initial
        return _fields_of_a_new_form() if is_new else _drawn(self)


@cache
def _link_to_the_reset() -> SafeString:
    return format_html('<a href="{}">Forgot your password?</a>', reverse("account_reset_password"))


@cache
def _fields_of_a_new_form() -> SafeString:
    return _drawn(SignInForm())


def _drawn(form: forms.Form) -> SafeString:
    return render_to_string("_fields.html", {"form": form})


class ChangeAddressForm(AddEmailForm):  # type: ignore[misc]
    user: User

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if addresses.is_of_another_account(email, self.user):
            raise get_adapter().validation_error("email_taken")
        return email

    def save(self, request: HttpRequest) -> Any:
        return addresses.change(request, self.user, self.cleaned_data["email"])


class SignUpForm(SignupForm):  # type: ignore[misc]
    def validate_unique_email(self, value: str) -> str:
        # Another user's unconfirmed change to this address must not keep its owner out.
        if addresses.holder_of(value) is None:
            return value
        email: str = super().validate_unique_email(value)
        return email

    def try_save(self, request: HttpRequest) -> Any:
        if self.account_already_exists:
            # As slow as a sign-up that works, or the time would tell who has an account.
            User().set_password(self.cleaned_data.get("password1"))
        return super().try_save(request)

    @transaction.atomic
    def save(self, request: HttpRequest) -> User:
        addresses.withdraw_changes_to(self.cleaned_data["email"])
        user: User = super().save(request)
        return user


class CodeForm(RequestLoginCodeForm):  # type: ignore[misc]
    def clean_email(self) -> str:
        email: str = super().clean_email()
        self._user = addresses.active_holder_of(email)
        return email


class ResetForm(ResetPasswordForm):  # type: ignore[misc]
    def clean_email(self) -> str:
        email: str = super().clean_email()
        holder = addresses.active_holder_of(email)
        self.users = [holder] if holder else []
        return email


class EndsPrograms(forms.Form):
    """A new password, and with it an end to tokens and agents unless the person says no."""

    user: User

    end_programs = forms.BooleanField(
        label="Also revoke all personal tokens and disconnect all agents",
        required=False,
        initial=True,
        help_text="Leave this selected if someone else may have used your account.",
    )

    def save(self) -> None:
        super().save()  # type: ignore[misc]
        if self.cleaned_data["end_programs"]:
            access.end_programs(self.user)


class NewPasswordForm(EndsPrograms, ChangePasswordForm):  # type: ignore[misc]
    field_order = ("oldpassword", "password1", "password2", "end_programs")


class FirstPasswordForm(EndsPrograms, SetPasswordForm):  # type: ignore[misc]
    field_order = ("password1", "password2", "end_programs")


class ResetKeyForm(EndsPrograms, ResetPasswordKeyForm):  # type: ignore[misc]
    field_order = ("password1", "password2", "end_programs")
