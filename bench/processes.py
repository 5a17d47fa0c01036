"""Memory and processor time of processes, from Linux's /proc."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Weight:
    """Memory in MiB: shared memory counts by its part (pss), each time (rss), or not (uss)."""

    pss: float
    rss: float
    uss: float

    @classmethod
    def of(cls, *pids: int) -> "Weight":
        totals = _totals(pids)
        uss = totals["Private_Clean"] + totals["Private_Dirty"]
        return cls(totals["Pss"] / 1024, totals["Rss"] / 1024, uss / 1024)


def trees(pid: int) -> list[list[int]]:
    """The processes below one, a list for each of its children and all that these started."""
    children = _children()
    return [_tree(child, children) for child in children[pid]]


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that all their threads have used so far."""
    used = 0
    for pid in pids:
        for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                used += int(schedstat.read_text().split()[0])
    return used / 1e9


def _tree(pid: int, children: dict[int, list[int]]) -> list[int]:
    return [pid, *(below for child in children[pid] for below in _tree(child, children))]


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the command's name, which may hold anything: state, then parent.
            parent = int(stat.read_text().rpartition(") ")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        found[parent].append(int(stat.parent.name))
    return found


def _totals(pids: Iterable[int]) -> dict[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _, rest = line.partition(":")
            totals[name] += int(rest.split()[0])
    return totals
