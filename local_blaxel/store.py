"""Store of all records, in SQLite, so that they outlive any kill of the server.

One process at a time opens it (`__main__` holds the state directory's lock). WAL with
synchronous=NORMAL loses nothing when the process is killed at any instant. Only checkpoints wait
for the disk, tens of milliseconds: they are made in a thread, so that no request does.
"""

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_blaxel import record_store
from local_blaxel.record_store import RecordStore

Record = dict[str, Any]

CHECKPOINT_EVERY = 10.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sandboxes (
    name TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    phase TEXT NOT NULL,
    instance TEXT,
    asleep INTEGER NOT NULL,
    created_at REAL NOT NULL,
    used_at REAL NOT NULL,
    ended_at REAL
);
CREATE TABLE IF NOT EXISTS previews (
    id TEXT PRIMARY KEY,
    sandbox TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    UNIQUE (sandbox, name)
);
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY,
    preview TEXT NOT NULL REFERENCES previews (id) ON DELETE CASCADE,
    value TEXT NOT NULL,
    expires_at REAL NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS secret (key BLOB NOT NULL);
INSERT INTO secret SELECT randomblob(32) WHERE NOT EXISTS (SELECT * FROM secret);
CREATE INDEX IF NOT EXISTS tokens_preview ON tokens (preview);
PRAGMA user_version = 1;
"""


@dataclass
class SandboxRow:
    """One sandbox, alive or a tombstone; `record` holds its `metadata` and `spec`.

    `phase` is the status the API shows. `asleep` is true whenever its processes may be frozen:
    set before a freeze, cleared after a thaw. `restart_due` is true while it still runs with the
    environment it had before an update. `origin` is the snapshot, or the folder beside them, that
    holds the files it is made from; `archive` is what the API shows of one that is archived.
    """

    name: str
    record: Record
    phase: str
    created_at: float
    used_at: float
    instance: str | None = None
    asleep: bool = False
    restart_due: bool = False
    origin: str = ""
    archive: Record | None = None
    ended_at: float | None = None
    events: list[Record] = field(default_factory=list)


@dataclass
class PreviewRow:
    id: str
    sandbox: str
    name: str
    record: Record
    created_at: float
    expires_at: float | None = None


@dataclass(frozen=True)
class TokenRow:
    name: str
    preview: str
    value: str
    expires_at: float
    created_at: float


class Store:
    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint = 0")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(_SCHEMA + record_store.SCHEMA)
        self.snapshots = RecordStore(self._db, "snapshot")
        self.volumes = RecordStore(self._db, "volume")
        self.schedules = RecordStore(self._db, "schedule")
        self.executions = RecordStore(self._db, "execution")

    def close(self) -> None:
        self._db.close()

    def secret(self) -> bytes:
        """Secret that is made once, for names that cannot be guessed and that stay the same."""
        return bytes(self._db.execute("SELECT key FROM secret").fetchone()[0])

    async def keep_short(self) -> None:
        """Make checkpoints, again and again, until cancelled."""
        while True:
            await asyncio.sleep(CHECKPOINT_EVERY)
            await asyncio.to_thread(self.checkpoint)

    def checkpoint(self) -> None:
        """Move what the log holds into the database, so that the log starts anew."""
        with closing(sqlite3.connect(self._path)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def sandboxes(self) -> list[SandboxRow]:
        rows = self._db.execute("SELECT * FROM sandboxes")
        return [_sandbox(row) for row in rows]

    def ended_sandboxes(self) -> list[SandboxRow]:
        rows = self._db.execute("SELECT * FROM sandboxes WHERE ended_at IS NOT NULL")
        return [_sandbox(row) for row in rows]

    def sandbox(self, name: str) -> SandboxRow | None:
        query = "SELECT * FROM sandboxes WHERE name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        return row and _sandbox(row)

    def save_sandbox(self, row: SandboxRow) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO sandboxes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.name,
                json.dumps({**row.record, **_extras(row)}),
                row.phase,
                row.instance,
                row.asleep,
                row.created_at,
                row.used_at,
                row.ended_at,
            ),
        )

    def forget_sandbox(self, name: str) -> None:
        self._db.execute("DELETE FROM sandboxes WHERE name = ?", (name,))

    def forget_belongings(self, sandbox: str) -> None:
        """Drop what goes with a sandbox: its previews, and its schedules."""
        self._db.execute("DELETE FROM previews WHERE sandbox = ?", (sandbox,))
        self.schedules.forget_of(sandbox)
        self.executions.forget_of(sandbox)

    def previews(self, sandbox: str) -> list[PreviewRow]:
        query = "SELECT * FROM previews WHERE sandbox = ? ORDER BY created_at, id"
        return [_preview(row) for row in self._db.execute(query, (sandbox,))]

    def preview(self, sandbox: str, name: str) -> PreviewRow | None:
        query = "SELECT * FROM previews WHERE sandbox = ? AND name = ?"
        row = self._db.execute(query, (sandbox, name)).fetchone()
        return row and _preview(row)

    def preview_by_id(self, preview_id: str) -> PreviewRow | None:
        query = "SELECT * FROM previews WHERE id = ?"
        row = self._db.execute(query, (preview_id,)).fetchone()
        return row and _preview(row)

    def add_preview(self, row: PreviewRow) -> bool:
        """Add a preview, unless its sandbox has one of that name."""
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO previews VALUES (?, ?, ?, ?, ?, ?)",
            (
                row.id,
                row.sandbox,
                row.name,
                json.dumps(row.record),
                row.created_at,
                row.expires_at,
            ),
        )
        return cursor.rowcount == 1

    def change_preview(self, row: PreviewRow) -> None:
        self._db.execute(
            "UPDATE previews SET record = ?, expires_at = ? WHERE id = ?",
            (json.dumps(row.record), row.expires_at, row.id),
        )

    def forget_preview(self, preview_id: str) -> None:
        self._db.execute("DELETE FROM previews WHERE id = ?", (preview_id,))

    def forget_expired(self, now: float) -> None:
        """Drop previews whose time has passed, and tokens an hour after theirs."""
        self._db.execute("DELETE FROM previews WHERE expires_at <= ?", (now,))
        self._db.execute("DELETE FROM tokens WHERE expires_at <= ?", (now - 3600,))

    def tokens(self, preview_id: str) -> list[TokenRow]:
        query = "SELECT * FROM tokens WHERE preview = ? ORDER BY created_at, name"
        return [TokenRow(*row) for row in self._db.execute(query, (preview_id,))]

    def add_token(self, row: TokenRow) -> None:
        self._db.execute(
            "INSERT INTO tokens VALUES (?, ?, ?, ?, ?)",
            (row.name, row.preview, row.value, row.expires_at, row.created_at),
        )

    def forget_token(self, name: str) -> None:
        self._db.execute("DELETE FROM tokens WHERE name = ?", (name,))


def _extras(row: SandboxRow) -> Record:
    return {
        "events": row.events,
        "restartDue": row.restart_due,
        "origin": row.origin,
        "archive": row.archive,
    }


def _sandbox(row: tuple[Any, ...]) -> SandboxRow:
    name, text, phase, instance, asleep, created_at, used_at, ended_at = row
    record = json.loads(text)
    return SandboxRow(
        name=name,
        record=record,
        events=record.pop("events"),
        restart_due=record.pop("restartDue", False),
        origin=record.pop("origin", ""),
        archive=record.pop("archive", None),
        phase=phase,
        instance=instance,
        asleep=bool(asleep),
        created_at=created_at,
        used_at=used_at,
        ended_at=ended_at,
    )


def _preview(row: tuple[Any, ...]) -> PreviewRow:
    preview_id, sandbox, name, text, created_at, expires_at = row
    return PreviewRow(preview_id, sandbox, name, json.loads(text), created_at, expires_at)
