"""The tables, the conditions under which they were measured, and the page that shows them."""

import os
import platform
import re
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Table:
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def markdown(self) -> str:
        table = [self.headings, *self.rows]
        widths = [max(len(cells[column]) for cells in table) for column in range(len(table[0]))]
        lines = [_line(cells, widths) for cells in table]
        lines.insert(1, _line(tuple("-" * width for width in widths), widths))
        return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return f"| {' | '.join(map(str.ljust, cells, widths))} |"


@dataclass(frozen=True)
class Group:
    """Measurements that are made together, under a title of their own."""

    title: str
    measure: Callable[[], list[Table]]


def conditions() -> str:
    """Return date and machine; the load is that before the start, without this run's own."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores "
        f"({platform.machine()}, load {load:.1f} before the start), Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )


def section(title: str, conditions: str, tables: list[Table]) -> str:
    return "\n\n".join([f"## {title}", conditions, *(table.markdown() for table in tables)]) + "\n"


def write(title: str, text: str) -> None:
    """Put a section in the place of what the page says under that title, or at its end."""
    page = PAGE.read_text()
    old = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    if old is None:
        PAGE.write_text(f"{page}\n{text}")
    else:
        rest = page[old.end() :]
        PAGE.write_text(page[: old.start()] + text + (f"\n{rest}" if rest else ""))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
