"""The address of a sandbox's own API together with what opens it: every call to it takes one."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from manta.core import json_values

TOKEN = "X-Blaxel-Preview-Token"  # noqa: S105 (a header's name)
# The gateway's code for a sandbox or a preview that is not there.
NOT_FOUND = "WORKLOAD_NOT_FOUND"
# Of the token of a session; a new one is made at half of it.
LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class Reach:
    """The headers never leave the server, and are in no representation of it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def at(self, path: str) -> "Reach":
        """An address below this one, opened by the same headers."""
        return replace(self, url=f"{self.url}{path}")

    def as_request(self, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The arguments for a request of httpx's, with further headers."""
        return {"url": self.url, "headers": {**(headers or {}), **self.headers}}


def with_token(url: str, token: str) -> Reach:
    """Reach one sandbox by a session of its own."""
    return Reach(url, {TOKEN: token})


# Tokens that an address did not take: the provider may have ended the session.
_refused: deque[str] = deque(maxlen=1000)


def note_answer(status: int, headers: Mapping[str, str], code: str | None = None) -> None:
    """Note a token that was not taken, so that another is made.

    `code` is of the provider's gateway, which says "not found" where the preview was deleted.
    """
    is_refused = status == 401 or code == NOT_FOUND
    token = headers.get(TOKEN)
    if is_refused and token and token not in _refused:
        _refused.append(token)


def gateway_code(body: Any) -> str | None:
    """The code of an error in the words of the provider's gateway; None for all other answers."""
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("code") or "") if isinstance(error, dict) else None


def gateway_code_in(text: bytes) -> str | None:
    """The same of an answer that was not parsed."""
    try:
        return gateway_code(json_values.loads(text))
    except (ValueError, RecursionError):
        return None


def is_refused(token: str) -> bool:
    return token in _refused
