"""Types of requests, as the middleware leaves them."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class SignedInRequest(HttpRequest):
    """A request behind login_required."""

    user: User
    htmx: HtmxDetails
