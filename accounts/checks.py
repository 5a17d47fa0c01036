"""Mistakes in how accounts are set up, found at start."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@register(Tags.security)
def confirmed_addresses(**kwargs: Any) -> list[CheckMessage]:
    on_loopback = urlsplit(settings.MANTA_URL).hostname in _LOOPBACK
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" or on_loopback:
        return []
    return [
        Warning(
            "People can sign up with an e-mail address that they have not confirmed.",
            hint=(
                "Set ACCOUNT_EMAIL_VERIFICATION=mandatory, with EMAIL_HOST, unless only people "
                "you know can reach MANTA_URL."
            ),
            id="accounts.W001",
        )
    ]
