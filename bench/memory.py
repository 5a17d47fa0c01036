"""What processes weigh, from Linux's /proc."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Weight:
    """In MiB; what several processes share counts in pss by its part, and in rss each time."""

    pss: float
    rss: float

    @classmethod
    def of(cls, *pids: int) -> "Weight":
        return cls(_total(pids, "Pss:"), _total(pids, "Rss:"))


def trees(pid: int) -> list[list[int]]:
    """The processes below one, a list for each of its children and all that these started."""
    children = _children()
    return [_tree(child, children) for child in children[pid]]


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


def _total(pids: tuple[int, ...], name: str) -> float:
    return sum(_kib(pid, name) for pid in pids) / 1024


def _kib(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
