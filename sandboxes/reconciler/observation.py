"""Observations of sandboxes at the provider, and the check that they are ours."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from sandboxes import audit, errors
from sandboxes.control_plane.types import ProviderSandbox
from sandboxes.models import Action, Sandbox, reminder_schedule, status
from sandboxes.models.transitions import no_session
from sandboxes.reconciler.drift import drift_of

# A sandbox older than its owner is not theirs, whatever its label says: ids can come back.
CLOCK_SKEW = timedelta(minutes=5)
COUNT_IS_ROUGH = timedelta(seconds=90)


def observe(sandbox: Sandbox, record: ProviderSandbox) -> dict[str, Any]:
    """Return the fields that describe the sandbox at the provider now."""
    expires_at = _steady(record.expires_at, sandbox.expires_at)
    observation = {
        "provider_status": record.status[:32],
        "provider_state": record.state[:32],
        "url": record.url,
        "provider_created_at": record.created_at,
        "last_used_at": record.last_used_at,
        "expires_at": expires_at,
        "checked_at": timezone.now(),
        "drift": drift_of(sandbox, record),
    }
    if record.created_at and sandbox.provider_created_at not in (None, record.created_at):
        # Another one of that name: the session was the former's.
        observation |= no_session()
    if expires_at != sandbox.expires_at:
        observation["remind_at"] = reminder_schedule.next_due(expires_at, sandbox.ttl)
    current = status.from_provider(record.status, record.state)
    if current is not status.Status.UNKNOWN:
        observation["known_status"] = current
    return observation


def note_drift(sandbox: Sandbox, observation: dict[str, Any]) -> None:
    """Put settings that newly differ on the record."""
    new = {name: value for name, value in observation["drift"].items() if name not in sandbox.drift}
    if new:
        reason = ", ".join(f"{name}: {value}" for name, value in new.items())
        audit.record(sandbox, Action.DRIFTED, reason=f"At the provider: {reason}.")


def _steady(reported: datetime | None, known: datetime | None) -> datetime | None:
    """The date as known, where the provider's count only differs by its own roughness: a date
    that moves arms its reminders again.
    """
    same = reported and known and abs(reported - known) < COUNT_IS_ROUGH
    return known if same else reported


def is_ours(sandbox: Sandbox, record: ProviderSandbox) -> bool:
    """Return whether it has our labels and the user's, and is not older than the user."""
    owner = record.labels.get("manta-owner")
    # One of before there were installation labels has none; the worker adds it.
    installation = record.labels.get("manta-installation")
    joined = sandbox.owner.date_joined if sandbox.owner else None
    too_old = joined and record.created_at and record.created_at < joined - CLOCK_SKEW
    return (
        record.name == sandbox.name
        and owner is not None
        and owner == sandbox.labels.get("manta-owner")
        and installation in (None, sandbox.labels.get("manta-installation"))
        and not too_old
    )


def check_owner(sandbox: Sandbox, record: ProviderSandbox) -> None:
    """Check that a sandbox is ours before it is touched, whatever its name.

    Raises WrongOwner.
    """
    if not is_ours(sandbox, record):
        raise errors.WrongOwner(
            f"The provider has a sandbox named {sandbox.name} that does not belong to this "
            "account. Manta has not changed it. Ask your administrator to remove or rename it."
        )
