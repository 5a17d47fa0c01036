"""One request to a preview: how it came, and what it shows to be let in."""

import re
from dataclasses import dataclass

from starlette.types import Scope

from local_blaxel.auth import Headers, drop_from_query, header, query_value

LINK_TOKEN = b"bl_preview_token"
COOKIE = "__Host-bl_preview_"

# What counts for a host on all of its ports: cookies, and what clears them.
OF_THE_HOST = (b"cookie", b"set-cookie", b"clear-site-data")
_DOMAIN = re.compile(rb";\s*domain\s*=[^;]*", re.IGNORECASE)


@dataclass(frozen=True)
class PreviewRequest:
    """`path` is raw, and below the preview's own root; `on_host` when it came by the host name."""

    preview_id: str
    path: bytes
    on_host: bool
    scope: Scope

    @property
    def navigates(self) -> bool:
        """A browser opens it as a page or in a frame."""
        return header(self.scope, b"sec-fetch-mode") == b"navigate"

    @property
    def comes_from_a_browser(self) -> bool:
        """Return whether a browser seems to send it, even one without fetch metadata."""
        # Node's own fetch sends a mode, too, and nothing else of these.
        if any(name in (b"sec-fetch-site", b"sec-fetch-dest") for name, _ in self.scope["headers"]):
            return True
        agent = header(self.scope, b"user-agent") or b""
        return agent.startswith((b"Mozilla/", b"Opera/")) or self.wants_page

    @property
    def wants_page(self) -> bool:
        if header(self.scope, b"sec-fetch-mode") is not None:
            return self.navigates
        return b"text/html" in (header(self.scope, b"accept") or b"")

    @property
    def reads(self) -> bool:
        return self.scope["type"] == "http" and self.scope["method"] in ("GET", "HEAD")

    @property
    def link_token(self) -> bytes | None:
        return query_value(self.scope, LINK_TOKEN)

    @property
    def query(self) -> bytes:
        return drop_from_query(self.scope["query_string"], LINK_TOKEN)

    def tokens(self) -> list[bytes]:
        """Every token the request shows, by header, link and cookie."""
        shown = [header(self.scope, b"x-blaxel-preview-token"), self.link_token]
        return [token for token in shown if token] + self._cookie_tokens()

    def _cookie_tokens(self) -> list[bytes]:
        if not self.on_host or not self._is_of_the_preview():
            return []
        name = f"{COOKIE}{self.preview_id}=".encode()
        parts = [
            part.strip()
            for key, value in self.scope["headers"]
            if key == b"cookie"
            for part in value.split(b";")
        ]
        return [part[len(name) :] for part in parts if part.startswith(name)]

    def _is_of_the_preview(self) -> bool:
        """False when a page of another origin uses the person's cookie behind their back.

        The cookie is SameSite=None, for frames: it goes along with what other sites ask for.
        """
        if self.scope["type"] == "websocket":
            origin = header(self.scope, b"origin")
            return origin in (None, b"http://" + (header(self.scope, b"host") or b""))
        site = header(self.scope, b"sec-fetch-site")
        return site in (None, b"none", b"same-origin") or (self.navigates and self.reads)


def without_our_cookies(headers: Headers) -> Headers:
    """The request's headers without any preview's cookie."""
    kept = []
    for name, value in headers:
        if name == b"cookie":
            value = b"; ".join(
                part.strip()
                for part in value.split(b";")
                if part.strip() and not part.strip().startswith(COOKIE.encode())
            )
            if not value:
                continue
        kept.append((name, value))
    return kept


def without_cookies(headers: Headers) -> Headers:
    """Remove the cookies for a preview on this server's host name, which other servers share.

    Cookies know no ports: Manta's come along, and one that is set there would be Manta's.
    """
    return [pair for pair in headers if pair[0].lower() not in OF_THE_HOST]


def confined(headers: Headers) -> Headers:
    """An answer's headers with every cookie confined to the preview's own host."""
    return [
        (name, _DOMAIN.sub(b"", value) if name.lower() == b"set-cookie" else value)
        for name, value in headers
        if not (name.lower() == b"set-cookie" and value.strip().startswith(COOKIE.encode()))
    ]
