"""Allowed redirect addresses of a sign-in: web pages by https, this machine, and known apps."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings

# Printable ASCII, and nothing that ends a header, a policy or an attribute.
_URI = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&()*+=%-]{1,500}")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# All of an authority with an IPv6 address: urlsplit passes over what follows its bracket.
_BRACKETED = re.compile(r"\[::1\](:[0-9]*)?")


@dataclass(frozen=True)
class Redirect:
    """A redirect URI that is allowed, in its parts."""

    scheme: str
    host: str
    port: int | None
    # The path, and the query.
    rest: tuple[str, str]

    @property
    def is_loopback(self) -> bool:
        return self.scheme == "http"

    @property
    def is_app(self) -> bool:
        return self.scheme not in ("http", "https")

    @property
    def place(self) -> str:
        """Return the address as a person reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" if self.is_app else _with_port(host, self.port)

    @property
    def csp_source(self) -> str:
        """Return the CSP source of the redirect: browsers limit a form's redirect to its origin."""
        if self.is_app:
            return f"{self.scheme}:"
        # A policy can't name an IPv6 address.
        host = "*" if ":" in self.host else self.host
        return f"{self.scheme}://{_with_port(host, self.port)}"


def parse(uri: str) -> Redirect | None:
    """The parts of a redirect URI; None for one that nothing may be sent to."""
    if not _URI.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    rest = (parts.path, parts.query)
    found = Redirect(parts.scheme, host, port, rest)
    if "@" in parts.netloc:
        return None
    if "[" in parts.netloc and not _BRACKETED.fullmatch(parts.netloc):
        return None
    if parts.scheme == "https":
        return found if _HOST.fullmatch(host) else None
    if parts.scheme == "http":
        return found if host in _LOOPBACK else None
    return found if parts.scheme in settings.AGENT_SCHEMES else None


def matches(asked: str, registered: list[str]) -> bool:
    """Return whether an address equals a registered one; on loopback, any port does (RFC 8252)."""
    wanted = parse(asked)
    if wanted is None:
        return False
    return asked in registered or (
        wanted.is_loopback
        and any(_without_port(parse(uri)) == _without_port(wanted) for uri in registered)
    )


def _without_port(redirect: Redirect | None) -> Redirect | None:
    return replace(redirect, port=None) if redirect else None


def _with_port(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"
