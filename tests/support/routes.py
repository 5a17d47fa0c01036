"""All routes, from the resolver and the ASGI application, so that a new one joins by itself."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView
from starlette.routing import Route, WebSocketRoute

from manta.asgi import application

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
# A person who is not signed in may see these, and nothing else. A new route joins by being closed.
OPEN = {
    "",
    ".well-known/oauth-authorization-server",
    ".well-known/oauth-protected-resource",
    ".well-known/oauth-protected-resource/mcp",
    "accounts/3rdparty/login/cancelled/",
    "accounts/confirm-email/",
    "accounts/confirm-email/x/",
    "accounts/github/login/",
    "accounts/google/login/",
    "accounts/inactive/",
    "accounts/login/",
    "accounts/login/code/",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/0-x/",
    "accounts/password/reset/key/done/",
    "accounts/signup/",
    "api/docs",
    "api/schema",
    "help/errors/",
    "readyz",
}
# Programs ask there, without a session: a code, a token or nothing at all is what they show.
WITHOUT_SESSION = {"oauth/register", "oauth/revoke", "oauth/token"}
SAMPLES = {
    "int": "3000",
    "str": "x",
    "path": "x",
    "slug": "x",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield _concrete(route), pattern
        else:
            yield from _patterns(pattern, route)


def _concrete(route: str) -> str:
    """An address that the route answers: of a regular expression, too."""
    route = route.replace("^", "").replace("$", "").replace(r"\Z", "")
    route = re.sub(r"\(\?P<(\w+)>(.*?)\)(?=[-/]|$)", _sample, route)
    route = re.sub(r"<(\w+):\w+>", lambda match: SAMPLES[match[1]], route)
    return re.sub(r"<\w+>", "x", route).replace("\\", "")


def _sample(group: re.Match[str]) -> str:
    name, expression = group.groups()
    if "|" in expression:
        return expression.split("|")[0]
    return "0" if "uid" in name else "x"


_FOUND = dict(_patterns(get_resolver()))
# Paths without their first slash.
ROUTES = sorted(_FOUND)
OURS = [route for route in ROUTES if not route.startswith(("admin/", "accounts/"))]
# The API's views, by route; what is open of it describes it.
API_VIEWS: dict[str, type[APIView]] = {
    route: pattern.callback.cls
    for route, pattern in _FOUND.items()
    if issubclass(getattr(pattern.callback, "cls", object), APIView)
}
API = sorted(set(API_VIEWS) - OPEN)
NOT_API = [route for route in ROUTES if route not in API]

# Routes beside Django. Who may read /metrics is a matter of its own: tests/operations.
RAW_ROUTES = [route.path for route in application.routes if isinstance(route, Route)]
OPEN_RAW_ROUTES = {"/healthz", "/metrics"}
_KINDS = {Route: "http", WebSocketRoute: "websocket"}
CLOSED_RAW_ROUTES = [
    (_KINDS[type(route)], route.path)
    for route in application.routes
    if type(route) in _KINDS and route.path not in OPEN_RAW_ROUTES
]
