"""Sessions: what the SDK calls a private preview of the sandbox's own API, with a token for it.

A token opens one sandbox and ends by itself. The server that receives it may have been replaced
from inside, so that the key of the workspace is never sent there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from sandboxes import errors
from sandboxes.control_plane.client import calling
from sandboxes.control_plane.previews import previews_of
from sandboxes.models.reach import LIFETIME, Reach, with_token

# Its name begins as the SDK's own do: no list of ports shows it.
_NAME, _SANDBOX_API = "session-manta", 443


@dataclass(frozen=True)
class Session:
    reach: Reach
    token: str
    until: datetime


def open_session(name: str, lifetime: timedelta = LIFETIME) -> Session:
    """Make a new token for one sandbox. Does not wake it. Raises a ProviderError."""
    until = timezone.now() + lifetime
    with calling():
        preview = previews_of(name).create_if_not_exists({"name": _NAME, "port": _SANDBOX_API})
        spec, token = preview.spec, preview.tokens.create(until).value
    is_private = spec is not None and spec.port == _SANDBOX_API and spec.public is False
    if not (is_private and preview.url and token):
        raise errors.ProviderRejected(
            "The sandbox provider created no private session for this sandbox, and Manta sends no "
            "other key to it. Ask your administrator."
        )
    return Session(with_token(preview.url, token), token, until)
