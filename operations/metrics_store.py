"""The sums of what all processes have counted, in the database.

So a scrape answers the same whichever web process it reaches, also for what workers did, also on
several machines, and a restart loses nothing but the last seconds.
"""

import json
import os
import socket
import threading
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from prometheus_client.metrics_core import Metric

from manta.core.metrics import REGISTRY
from operations.models import Sample

# A gauge of a process that has not written it for this long is not counted: it was killed.
STALE_AFTER = timedelta(seconds=30)
PROCESS = f"{socket.gethostname()}:{os.getpid()}"[:100]

Key = tuple[str, str]
_written: dict[Key, float] = {}
_flushing = threading.Lock()


def keyed(metric: Metric) -> dict[Key, float]:
    """A metric's samples by name and labels, without the times at which counting began."""
    return {
        (sample.name, json.dumps(sample.labels, sort_keys=True)): sample.value
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


def flush() -> None:
    """Add what this process has counted since its last flush to the sums of all."""
    with _flushing:
        counts: dict[Key, float] = {}
        gauges: dict[Key, float] = {}
        for metric in REGISTRY.collect():
            (gauges if metric.type == "gauge" else counts).update(keyed(metric))
        grown = {key: value for key, value in counts.items() if value != _written.get(key, 0)}
        if grown:
            _add({key: value - _written.get(key, 0) for key, value in grown.items()})
            _written.update(grown)
        shown = {key: value for key, value in gauges.items() if value or _written.get(key)}
        if shown:
            _set(shown)
            _written.update(shown)


def _add(counts: dict[Key, float]) -> None:
    now = timezone.now()
    with transaction.atomic():
        Sample.objects.bulk_create(
            [
                Sample(name=name, labels=labels, updated_at=now)
                for name, labels in counts
                if (name, labels) not in _written
            ],
            ignore_conflicts=True,
        )
        # In one order, so that no two processes wait for each other.
        for (name, labels), count in sorted(counts.items()):
            Sample.objects.filter(name=name, labels=labels, process="").update(
                value=F("value") + count, updated_at=now
            )


def _set(gauges: dict[Key, float]) -> None:
    now = timezone.now()
    Sample.objects.bulk_create(
        [
            Sample(name=name, labels=labels, process=PROCESS, value=value, updated_at=now)
            for (name, labels), value in gauges.items()
        ],
        update_conflicts=True,
        unique_fields=["name", "labels", "process"],
        update_fields=["value", "updated_at"],
    )
    Sample.objects.exclude(process="").filter(updated_at__lt=now - 10 * STALE_AFTER).delete()
