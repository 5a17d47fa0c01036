"""Forgetting what was recorded longer ago than it is to be kept."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from sandboxes.models import SandboxEvent, ToolCall

logger = logging.getLogger(__name__)

# In small batches, so that no other query waits for a lock.
_BATCH = 1000
# The most that one turn takes away: the next one goes on.
_BATCHES = 100


def forget_old_events() -> int:
    """Delete events past settings.AUDIT_RETENTION (zero: keep all); returns how many."""
    return _forget(SandboxEvent, settings.AUDIT_RETENTION)


def forget_old_calls() -> int:
    """The same with agents' calls, past settings.CALLS_RETENTION."""
    return _forget(ToolCall, settings.CALLS_RETENTION)


def _forget(model: type[SandboxEvent | ToolCall], kept: timedelta) -> int:
    """Harmless when several workers do it at once."""
    if not kept:
        return 0
    before = timezone.now() - kept
    forgotten = 0
    for _ in range(_BATCHES):
        batch = model.objects.forget_before(before, at_most=_BATCH)
        forgotten += batch
        if batch < _BATCH:
            break
    if forgotten:
        logger.info(
            "Forgot %d %ss older than %s", forgotten, model._meta.verbose_name, before.date()
        )
    return forgotten
