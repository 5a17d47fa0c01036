"""Authentication by the workspace's API key, for requests that name this server as host.

The host is checked because a page of any site can have its own name resolve to 127.0.0.1 (DNS
rebinding), and would then be of the same origin as this server.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from local_blaxel.errors import ApiError, Forbidden, Unauthorized

Headers = list[tuple[bytes, bytes]]

_OWN_HOST = re.compile(rb"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
_PREVIEW_HOST = re.compile(rb"([a-z0-9-]{1,63})\.localhost(?::\d{1,5})?")


class MisdirectedHost(ApiError):
    status, code = 421, "ROUTE_NOT_FOUND"


def preview_of_host(scope: Scope) -> str | None:
    """The preview the Host header names, None for this server's own; MisdirectedHost otherwise."""
    hosts = [value.lower() for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1:
        if _OWN_HOST.fullmatch(hosts[0]):
            return None
        if preview := _PREVIEW_HOST.fullmatch(hosts[0]):
            return preview[1].decode()
    raise MisdirectedHost("This server answers to 127.0.0.1, localhost and *.localhost.")


@dataclass(frozen=True)
class Gate:
    workspace: str
    api_key: str

    def is_key(self, value: bytes) -> bool:
        return hmac.compare_digest(value, self.api_key.encode())

    def check(self, scope: Scope) -> None:
        """Accept requests with the key in X-Blaxel-Authorization, Authorization or ?token=."""
        offered = _bearer(scope) or query_value(scope, b"token")
        if not offered:
            raise Unauthorized("An API key is required.", code="AUTHENTICATION_REQUIRED")
        if not self.is_key(offered):
            raise Unauthorized("The API key is wrong.")
        workspace = header(scope, b"x-blaxel-workspace")
        if workspace is None and _bearer(scope) is None:
            workspace = query_value(scope, b"workspace")
        if workspace is not None and workspace != self.workspace.encode():
            raise Forbidden("The API key is not for that workspace.", code="UNAUTHORIZED_WORKSPACE")

    def without_credentials(self, headers: Headers) -> Headers:
        """The headers an app inside may see: none of Blaxel's, and no other header with the key."""
        return [
            (name, value)
            for name, value in headers
            if not name.startswith(b"x-blaxel-")
            and not (name == b"authorization" and self.is_key(value[7:].strip()))
        ]

    def without_key(self, query: bytes) -> bytes:
        """The query without `token=<the key>`; an app's own `token` stays."""
        return drop_from_query(query, b"token", self.is_key)


def _bearer(scope: Scope) -> bytes | None:
    for name in (b"x-blaxel-authorization", b"authorization"):
        value = header(scope, name)
        if value is not None and value[:7].lower() == b"bearer ":
            return value[7:].strip()
    return None


def header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def query_value(scope: Scope, name: bytes) -> bytes | None:
    for part in scope["query_string"].split(b"&"):
        key, _, value = part.partition(b"=")
        if key == name:
            return unquote_to_bytes(value)
    return None


def drop_from_query(
    query: bytes, name: bytes, unwanted: Callable[[bytes], bool] = lambda value: True
) -> bytes:
    """The query without the unwanted values of one name, the rest untouched."""
    kept = []
    for part in query.split(b"&"):
        key, _, value = part.partition(b"=")
        if key != name or not unwanted(unquote_to_bytes(value)):
            kept.append(part)
    return b"&".join(kept)
