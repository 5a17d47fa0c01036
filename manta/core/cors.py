"""CORS for clients that are web pages on other origins, such as the MCP inspector.

Only routes that ignore cookies are opened: their callers send a token, a code or nothing.
"""

from django.urls import reverse
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_OAUTH = ("resource", "mcp-resource", "server", "register", "token", "revoke")


class PublicCORS:
    """CORS for every origin on the routes that take no cookie."""

    def __init__(self, app: ASGIApp, mcp: tuple[str, ...]) -> None:
        self._paths = {*mcp, *(reverse(f"oauth:{name}") for name in _OAUTH)}
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            # It says where to sign in.
            expose_headers=["WWW-Authenticate"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] == "http" and scope["path"] in self._paths
        await (self._open if is_open else self._app)(scope, receive, send)
