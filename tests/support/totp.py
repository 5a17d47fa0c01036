"""An authenticator app."""

import base64
import hmac
import time


def code_of(secret: str, *, at: float | None = None) -> str:
    """What it shows (RFC 6238)."""
    counter = int((at or time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    shown = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{shown % 10**6:06}"
