"""The page on which a person changes their e-mail address."""

from typing import Any

from allauth.account.views import EmailView
from django.http import HttpRequest


class AddressView(EmailView):  # type: ignore[misc]
    def _action_primary(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Do nothing: an address becomes the account's own when it is confirmed, and only then."""
