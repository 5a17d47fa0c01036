"""Schedule of the reminders of a sandbox's expiry: 72 h, 24 h and 1 h before.

A reminder that would come in the first half of the TTL is left out. A date that moves has
reminders of its own.
"""

from datetime import datetime, timedelta

from django.utils import timezone

LEADS = (timedelta(hours=72), timedelta(hours=24), timedelta(hours=1))


def leads_of(ttl: timedelta) -> list[timedelta]:
    """Longest first."""
    return [lead for lead in LEADS if lead <= ttl / 2]


def current(expires_at: datetime | None, ttl: timedelta) -> timedelta | None:
    """The reminder whose time has come: the shortest lead that has begun, until the expiry."""
    if expires_at is None or expires_at <= timezone.now():
        return None
    begun = [lead for lead in leads_of(ttl) if expires_at - lead <= timezone.now()]
    return min(begun, default=None)


def next_due(expires_at: datetime | None, ttl: timedelta) -> datetime | None:
    """Return when the next reminder is due: now, if its lead has begun already."""
    if expires_at is None or expires_at <= timezone.now() or not leads_of(ttl):
        return None
    return timezone.now() if current(expires_at, ttl) else expires_at - leads_of(ttl)[0]


def next_after(expires_at: datetime, ttl: timedelta, lead: timedelta | None) -> datetime | None:
    """Return when the reminder after a lead is due, or None after the last."""
    left = [shorter for shorter in leads_of(ttl) if lead is None or shorter < lead]
    return expires_at - left[0] if left else None
