"""Timing of calls, and tables of the results."""

import statistics
import time
from collections.abc import Callable

from bench.report import Table

HEADINGS = ("What", "p50", "p95", "p99", "n", "Beside", "Aim")


def milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started)


def repeated(action: Callable[[], object], times: int) -> list[float]:
    return [milliseconds(action) for _ in range(times)]


def by_turns(
    action: Callable[[], object], direct: Callable[[], object], times: int
) -> tuple[list[float], list[float]]:
    """Measure both in turn, so that what else this machine does meets both."""
    pairs = [(milliseconds(action), milliseconds(direct)) for _ in range(times)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def percentile(values: list[float], percent: float) -> float:
    """Return the smallest value that this percentage of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spread(name: str, taken: list[float], aim: str = "", beside: str = "") -> tuple[str, ...]:
    """A row of how the times, in milliseconds, are distributed."""
    measured = [_written(percentile(taken, percent)) for percent in (50, 95, 99)]
    return (name, *measured, str(len(taken)), beside, aim)


def ratio(taken: list[float], direct: list[float], what: str) -> str:
    """Return how many times as long as something direct it takes, by the medians."""
    base = statistics.median(direct)
    spread = f"{_written(base)}, p99 {_written(percentile(direct, 99))}"
    return f"{statistics.median(taken) / base:.1f} x {what} ({spread})"


def table(*rows: tuple[str, ...]) -> Table:
    return Table(HEADINGS, list(rows))


def _written(taken: float) -> str:
    return f"{taken:.2f} ms" if taken < 10 else f"{taken:.0f} ms"
