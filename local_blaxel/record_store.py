"""Records of one kind in the store: volumes, snapshots, schedules and their executions."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    record TEXT NOT NULL,
    created_at REAL NOT NULL,
    due_at REAL,
    PRIMARY KEY (kind, owner, id)
);
CREATE INDEX IF NOT EXISTS records_due ON records (kind, due_at) WHERE due_at IS NOT NULL;
"""


@dataclass
class StoredRecord:
    """One record. `owner` is the sandbox with which it goes, or empty."""

    id: str
    record: Record
    created_at: float
    owner: str = ""
    due_at: float | None = None


class RecordStore:
    def __init__(self, db: sqlite3.Connection, kind: str) -> None:
        self._db = db
        self._kind = kind

    def all(self, owner: str | None = None) -> list[StoredRecord]:
        """Every record, or those of one owner, the oldest first."""
        if owner is None:
            return self._select("1", ())
        return self._select("owner = ?", (owner,))

    def get(self, id: str, owner: str = "") -> StoredRecord | None:
        found = self._select("owner = ? AND id = ?", (owner, id))
        return found[0] if found else None

    def due(self, now: float) -> list[StoredRecord]:
        found = self._select("due_at <= ?", (now,))
        return sorted(found, key=lambda kept: kept.due_at or 0)

    def put(self, kept: StoredRecord) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._kind,
                kept.owner,
                kept.id,
                json.dumps(kept.record),
                kept.created_at,
                kept.due_at,
            ),
        )

    def forget(self, kept: StoredRecord) -> None:
        query = "DELETE FROM records WHERE kind = ? AND owner = ? AND id = ?"
        self._db.execute(query, (self._kind, kept.owner, kept.id))

    def forget_of(self, owner: str) -> None:
        query = "DELETE FROM records WHERE kind = ? AND owner = ?"
        self._db.execute(query, (self._kind, owner))

    @contextmanager
    def together(self) -> Iterator[None]:
        """All of what is written inside, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _select(self, condition: str, values: tuple[Any, ...]) -> list[StoredRecord]:
        query = (
            "SELECT id, record, created_at, owner, due_at FROM records"  # noqa: S608
            f" WHERE kind = ? AND {condition} ORDER BY created_at, id"
        )
        rows = self._db.execute(query, (self._kind, *values))
        return [StoredRecord(id, json.loads(text), *rest) for id, text, *rest in rows]
