"""Expiry of a sandbox, and the latest date that it could be extended to."""

from datetime import datetime

from django.utils import timezone

from sandboxes.models.sandbox import Sandbox


def expiry_of(sandbox: Sandbox) -> datetime:
    """Return when it should expire: its TTL after its last use, or a later extension."""
    by_use: datetime = sandbox.used_at + sandbox.ttl
    return max(by_use, sandbox.extended_until) if sandbox.extended_until else by_use


def extension_of(sandbox: Sandbox) -> datetime:
    """Return the date to which Extend would move it now: one TTL later, to the second."""
    until: datetime = timezone.now() + sandbox.ttl
    return until.replace(microsecond=0)
