"""Signs, common to all sandboxes, that rows may be out of date."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone

from manta.core.prepared import Prepared
from sandboxes.models import Heartbeat, Phase, Sandbox, Step

# A worker's sign of life is believed this long.
_ALIVE = timedelta(seconds=15)
_beats: Prepared[Heartbeat] = Prepared(Heartbeat.objects.all)
# A place in the queue beyond this is not told.
_MAX_QUEUE = 1000


@dataclass(frozen=True)
class Signs:
    worker_missing: bool
    provider_failing: bool

    @classmethod
    def now(cls) -> "Signs":
        """One read of two rows."""
        beats = {beat.subject: beat for beat in _beats.all()}
        provider = beats.get(Heartbeat.Subject.PROVIDER)
        worker = beats.get(Heartbeat.Subject.WORKER)
        return cls(
            worker_missing=worker is None or worker.ok_at is None or age(worker.ok_at) > _ALIVE,
            provider_failing=provider is not None and provider.is_failing,
        )

    @cached_property
    def _queue(self) -> dict[int, int]:
        """The place of each row that waits to be made; one read for all panels."""
        waiting = Sandbox.objects.queue().values_list("pk", flat=True)[:_MAX_QUEUE]
        return {pk: place for place, pk in enumerate(waiting, start=1)}

    def place_of(self, sandbox: Sandbox) -> int | None:
        queued = sandbox.phase == Phase.PENDING and sandbox.step == Step.QUEUED
        return self._queue.get(sandbox.pk) if queued else None


def age(moment: datetime) -> timedelta:
    return timezone.now() - moment
