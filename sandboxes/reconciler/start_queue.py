"""Queue of sandboxes to be made, and the limit on how many are made at once.

One limit for all workers together: what it spares is the provider, whose limits they share, and
there is one queue in which a person can be told their place.
"""

from django.conf import settings
from django.utils import timezone

from manta.core.metrics import THROTTLED_STARTS
from sandboxes.models import Phase, Sandbox


def startable_ids() -> list[int]:
    """The rows whose turn it is, oldest first: as many as there are free places."""
    queue = Sandbox.objects.queue()[: settings.SANDBOX_STARTS_AT_ONCE]
    waiting = list(queue.values_list("pk", flat=True))
    return waiting[: _free_places()] if waiting else []


def note_throttled() -> None:
    """Count, once each, the rows that wait although they could be tried."""
    new = Sandbox.objects.queue().filter(queued_since=None).order_by()
    if new.exists() and not _free_places():
        THROTTLED_STARTS.inc(new.update(queued_since=timezone.now()))


def _free_places() -> int:
    at_work = Sandbox.objects.filter(phase=Phase.PENDING, lease_until__gt=timezone.now()).count()
    return max(0, settings.SANDBOX_STARTS_AT_ONCE - at_work)
