"""The table, and the conditions under which it was measured."""

import os
import platform
import sqlite3
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

HEADINGS = ("What", "p50 (memory: PSS)", "p99", "", "Aim")


@dataclass(frozen=True)
class Row:
    what: str
    middle: str
    p99: str
    note: str = ""
    aim: str = ""

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.middle, self.p99, self.note, self.aim)


def conditions() -> str:
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores "
        f"({platform.machine()}, load {load:.1f} before the start), Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, one web process; "
        "clients, Manta and sandboxes share the cores."
    )


def markdown(rows: list[Row]) -> str:
    table = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(HEADINGS))]
    lines = [_line(cells, widths) for cells in table]
    lines.insert(1, _line(tuple("-" * width for width in widths), widths))
    return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return f"| {' | '.join(map(str.ljust, cells, widths))} |"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
