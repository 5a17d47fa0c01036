"""Counters of one process; operations.metrics_store sums those of all processes.

No label may name a person or a sandbox.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "manta_http_requests",
    "Requests that Django answered.",
    ["method", "route", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "manta_http_request_seconds",
    "How long Django took to answer.",
    ["route"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
CREATES = Counter(
    "manta_sandbox_creates",
    "Sandboxes that were made (ready), or given up on.",
    ["outcome"],
    registry=REGISTRY,
)
CREATE_SECONDS = Histogram(
    "manta_sandbox_create_seconds",
    "From asking for a sandbox until it was ready.",
    buckets=(0.5, 1, 2, 4, 8, 15, 30, 60, 120),
    registry=REGISTRY,
)
RECONCILE_FAILURES = Counter(
    "manta_reconcile_failures",
    "Attempts of the worker that did not work, by error code.",
    ["code"],
    registry=REGISTRY,
)
THROTTLED_STARTS = Counter(
    "manta_throttled_starts",
    "Starts that had to wait, because enough others were under way.",
    registry=REGISTRY,
)
LOST_TOOL_CALLS = Counter(
    "manta_lost_tool_calls",
    "Agents' calls that could not be recorded: too many waited, or the process ended.",
    registry=REGISTRY,
)
STREAMS = Gauge("manta_open_streams", "Open live-update streams.", registry=REGISTRY)
