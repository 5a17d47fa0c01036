"""Middleware that records when each session was last used and from where, for its owner."""

import hashlib
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse

from manta.core.client_ip import current_client_ip

# Not at each request, which would be a write a second for every open page.
_SECONDS = 300


class SessionActivityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if key and _is_news(key) and request.user.is_authenticated and current_client_ip():
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


def _is_news(session_key: str) -> bool:
    # Hashed: a process that can read the cache must not be able to sign in with it.
    digest = hashlib.sha256(session_key.encode(errors="replace")).hexdigest()
    return bool(caches["process"].add(f"session-seen:{digest}", True, _SECONDS))
