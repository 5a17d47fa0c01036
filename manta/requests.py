"""Types of requests, as the middleware leaves them, and numbers in their addresses."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request behind login_required."""

    user: User
    htmx: HtmxDetails


def whole_number(text: str) -> int | None:
    """The number that a parameter says, which fits into a database; None for anything else.

    To read one of thousands of digits is an error of its own in Python.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
