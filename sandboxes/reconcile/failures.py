"""What happens when an attempt did not work."""

import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandboxes import errors, events, leases
from sandboxes.models import Action, Phase, Sandbox

# Seconds: the first wait, and the longest.
_BACKOFF = (0.5, 15.0)


def note_failure(sandbox: Sandbox, exc: Exception) -> None:
    """Try again later, or give up: at once where trying again can't help, else at the deadline."""
    known = isinstance(exc, errors.SandboxError)
    retryable = exc.retryable if isinstance(exc, errors.SandboxError) else True
    fields: dict[str, Any] = {
        "attempts": sandbox.attempts + 1,
        "error_code": exc.code if isinstance(exc, errors.SandboxError) else "internal",
        "error_message": str(exc) if known else "Something went wrong inside Manta.",
    }
    # Given up on only after an attempt: a row that waited for a worker still gets its try.
    in_time = sandbox.settle_by is None or timezone.now() < sandbox.settle_by
    if sandbox.phase == Phase.PENDING and not (retryable and in_time):
        fields |= {"phase": Phase.FAILED}
    elif sandbox.phase != Phase.READY:
        fields |= {"next_attempt_at": timezone.now() + _backoff(sandbox.attempts, exc)}
    elif isinstance(exc, errors.WrongOwner):
        fields |= {"phase": Phase.FAILED}
    if leases.save(sandbox, **fields) and sandbox.phase == Phase.FAILED:
        events.record(
            sandbox, Action.GAVE_UP, outcome=sandbox.error_code, reason=sandbox.error_message
        )


def _backoff(attempts: int, exc: Exception) -> timedelta:
    """Twice as long each time, with jitter; never sooner than the provider asks."""
    first, longest = _BACKOFF
    wait = min(first * 2**attempts, longest) * random.uniform(0.5, 1)  # noqa: S311
    asked = getattr(exc, "retry_after", None) or 0
    return timedelta(seconds=max(wait, asked))
