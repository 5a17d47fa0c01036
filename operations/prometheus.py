"""The text of /metrics: the sums that processes have written, and what the rows say now."""

import json
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from manta.core import metrics
from operations import health, metrics_store
from operations.models import Sample
from sandboxes.models import Breaker, Heartbeat, Phase, Sandbox

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def render() -> bytes:
    """Return the metrics in Prometheus' text format; without the database, only that it is down."""
    registry = CollectorRegistry()
    working = health.checks()
    registry.register(_Parts(working))
    if working["database"]:
        metrics_store.flush()
        registry.register(_Counted())
        registry.register(_Rows())
    return generate_latest(registry)


class _Parts(Collector):
    def __init__(self, working: dict[str, bool]) -> None:
        self._working = working

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("manta_up", "Whether a part answers (1).", labels=["part"])
        for part, works in self._working.items():
            up.add_metric([part], works)
        yield up


class _Counted(Collector):
    """Collector of all processes' counters, under the names and texts of metrics.REGISTRY."""

    def collect(self) -> Iterator[Metric]:
        sums: dict[metrics_store.Key, float] = {}
        fresh = Q(process="") | Q(updated_at__gt=timezone.now() - metrics_store.STALE_AFTER)
        for sample in Sample.objects.filter(fresh):
            key = (sample.name, sample.labels)
            sums[key] = sums.get(key, 0) + sample.value
        for own in metrics.REGISTRY.collect():
            names = [own.name + suffix for suffix in _SUFFIXES[own.type]]
            found = {key: value for key, value in sums.items() if key[0] in names}
            shown = dict.fromkeys(metrics_store.keyed(own), 0.0) | found
            family = Metric(own.name, own.documentation, own.type)
            for (name, labels), value in sorted(shown.items(), key=_in_order):
                family.add_sample(name, json.loads(labels), value)
            yield family


def _in_order(item: tuple[metrics_store.Key, float]) -> tuple[str, float, str]:
    """Sort by labels; the buckets of one histogram from the smallest to the largest."""
    (name, labels), _ = item
    read = json.loads(labels)
    bound = float(read.pop("le", "inf"))
    return json.dumps(read), bound if name.endswith("_bucket") else float("inf"), name


class _Rows(Collector):
    """Collector of sandboxes' rows: a few grouped reads, and no call to the provider."""

    def collect(self) -> Iterator[Metric]:
        yield self._sandboxes()
        yield self._queue()
        yield from self._heartbeats()
        yield self._breaker()

    def _sandboxes(self) -> Metric:
        family = GaugeMetricFamily(
            "manta_sandboxes", "Sandboxes, as last seen.", labels=["phase", "status"]
        )
        groups = Sandbox.objects.order_by().values_list("phase", "known_status")
        for phase, status, number in groups.annotate(number=Count("pk")):
            family.add_metric([phase, status or "none"], number)
        return family

    def _queue(self) -> Metric:
        family = GaugeMetricFamily(
            "manta_queue_rows", "Rows that a worker should look at, or is at.", labels=["state"]
        )
        waiting = Q(phase__in=[Phase.PENDING, Phase.DELETING])
        working = Q(lease_until__gt=timezone.now())
        counted = Sandbox.objects.aggregate(
            unsettled=Count("pk", filter=waiting), working=Count("pk", filter=working)
        )
        family.add_metric(["due"], Sandbox.objects.due().count())
        for state, number in counted.items():
            family.add_metric([state], number)
        return family

    def _heartbeats(self) -> Iterator[Metric]:
        worker = Heartbeat.of(Heartbeat.Subject.WORKER)
        provider = Heartbeat.of(Heartbeat.Subject.PROVIDER)
        yield GaugeMetricFamily(
            "manta_worker_beat_timestamp_seconds",
            "When a worker last gave a sign of life.",
            value=_seconds(worker.ok_at),
        )
        yield GaugeMetricFamily(
            "manta_provider_success_timestamp_seconds",
            "When the provider last answered the worker.",
            value=_seconds(provider.ok_at),
        )
        yield GaugeMetricFamily(
            "manta_provider_failing", "Whether it did not, since (1).", value=provider.is_failing
        )

    def _breaker(self) -> Metric:
        family = GaugeMetricFamily(
            "manta_breaker_state", "Whether the provider is called at all (1).", labels=["state"]
        )
        current = Breaker.current().state
        for state in ("closed", "half-open", "open"):
            family.add_metric([state], state == current)
        return family


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0
