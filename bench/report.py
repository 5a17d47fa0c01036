"""The tables, the conditions under which they were measured, and the page that shows them."""

import os
import platform
import re
import sqlite3
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Above it, what else runs is most of what is measured on a small machine.
MAX_LOAD = 1.5
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


class Arguments(ArgumentParser):
    """Arguments that each command of the benchmark takes; what it writes, a quiet machine took."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--write", action="store_true", help=f"into {PAGE.name}, too")
        self.add_argument("--busy", action="store_true", help="write at any load")

    def parse_args(self, *given: Any, **options: Any) -> Any:
        arguments = super().parse_args(*given, **options)
        load = os.getloadavg()[0]
        if arguments.write and not arguments.busy and load > MAX_LOAD:
            self.error(
                f"the load is {load:.1f}, and above {MAX_LOAD} figures say little: "
                "wait, or write them all the same with --busy"
            )
        return arguments


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


def publish(group: Group, conditions: str, *, write: bool) -> None:
    """Measure, print the tables, and write them where that is wanted."""
    text = section(group.title, conditions, group.measure())
    print(text, flush=True)
    if write:
        replace(group.title, text)


def replace(title: str, text: str) -> None:
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
