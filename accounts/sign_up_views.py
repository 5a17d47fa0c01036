"""Sign-ups that come at the same moment: one makes the account, the others are answered as later.

What a form has checked may no longer hold once it is saved; the database decides who was first.
"""

from typing import Any

from allauth.account.views import SignupView
from allauth.socialaccount.views import SignupView as SocialSignupView
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse


class CheckedAgain:
    """Checks the form once more when another request has made the account meanwhile."""

    _cached_form: Any

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().post(request, *args, **kwargs)  # type: ignore[misc, no-any-return]
        except IntegrityError:
            self._cached_form = None
            return super().post(request, *args, **kwargs)  # type: ignore[misc, no-any-return]


class SignUp(CheckedAgain, SignupView):  # type: ignore[misc]
    pass


class SocialSignUp(CheckedAgain, SocialSignupView):  # type: ignore[misc]
    pass
