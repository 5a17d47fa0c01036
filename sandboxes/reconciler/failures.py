"""Handling of attempts that failed."""

import logging
import random
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from manta.core import metrics
from sandboxes import audit, errors
from sandboxes.models import Action, Phase, Sandbox, Step
from sandboxes.reconciler import leases

logger = logging.getLogger(__name__)

# Seconds: the first wait, and the longest.
_BACKOFF = (1.0, 30.0)
_GAVE_UP = "Manta has stopped trying: press Retry."


def note_failure(sandbox: Sandbox, exc: Exception) -> None:
    """Try again later, or give up: at once where trying again can't help, else at the deadline
    or after the last retry, whichever is first.
    """
    known = isinstance(exc, errors.SandboxError)
    fields: dict[str, Any] = {
        "attempts": sandbox.attempts + _was_made(exc),
        "error_code": exc.code if isinstance(exc, errors.SandboxError) else "internal",
        "error_message": str(exc) if known else "Something went wrong inside Manta.",
    }
    if sandbox.phase == Phase.PENDING:
        fields |= _again_or_not(sandbox, exc, fields["error_message"])
    elif sandbox.phase == Phase.DELETING:
        fields |= {"next_attempt_at": timezone.now() + _backoff(sandbox.attempts, exc)}
    elif isinstance(exc, errors.WrongOwner):
        fields |= {"phase": Phase.FAILED}
    metrics.RECONCILE_FAILURES.labels(fields["error_code"]).inc()
    with transaction.atomic():
        gave_up = leases.save(sandbox, **fields) and sandbox.phase == Phase.FAILED
        if gave_up:
            why = {"outcome": sandbox.error_code, "reason": sandbox.error_message}
            audit.record(sandbox, Action.GAVE_UP, **why)
    if gave_up:
        _tell_of_giving_up(sandbox)


def _tell_of_giving_up(sandbox: Sandbox) -> None:
    metrics.CREATES.labels("gave_up").inc()
    # Its code groups it with others of its kind in the admin.
    code = {"error_code": sandbox.error_code}
    logger.error("%s: gave up: %s", sandbox.name, sandbox.error_message, extra=code)


def _again_or_not(sandbox: Sandbox, exc: Exception, message: str) -> dict[str, Any]:
    retryable = exc.retryable if isinstance(exc, errors.SandboxError) else True
    spent = sandbox.attempts + _was_made(exc) > sandbox.retries
    now = timezone.now()
    # Given up on only after an attempt: a row that waited for a worker still gets its try.
    late = sandbox.provision_deadline is not None and now >= sandbox.provision_deadline
    if not retryable or spent or late:
        return {
            "phase": Phase.FAILED,
            "error_message": message.replace(errors.TRIES_AGAIN, _GAVE_UP),
        }
    again = now + _backoff(sandbox.attempts, exc)
    return {"step": Step.QUEUED, "next_attempt_at": min(again, sandbox.provision_deadline or again)}


def _was_made(exc: Exception) -> bool:
    """A provider that rests was not asked, so that was no attempt."""
    return not isinstance(exc, errors.CircuitOpen)


def _backoff(attempts: int, exc: Exception) -> timedelta:
    """Twice as long each time, with jitter; never sooner than the provider asks."""
    asked = getattr(exc, "retry_after", None) or 0
    if not _was_made(exc):
        return timedelta(seconds=asked + random.uniform(0, 1))  # noqa: S311
    first, longest = _BACKOFF
    wait = min(first * 2 ** min(attempts, 10), longest) * random.uniform(0.5, 1)  # noqa: S311
    return timedelta(seconds=max(wait, asked))
