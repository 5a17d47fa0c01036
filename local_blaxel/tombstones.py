"""Records of ended sandboxes, which stay readable until their retention is over."""

import time

from local_blaxel import expiry
from local_blaxel.store import SandboxRow, Store


class Tombstones:
    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, name: str) -> SandboxRow | None:
        row = self._store.sandbox(name)
        return row if row is not None and _is_readable(row) else None

    def all(self) -> list[SandboxRow]:
        return [row for row in self._store.ended_sandboxes() if _is_readable(row)]

    def forget_old(self) -> None:
        for row in self._store.ended_sandboxes():
            if not _is_readable(row):
                self._store.forget_sandbox(row.name)


def _is_readable(row: SandboxRow) -> bool:
    if row.ended_at is None:
        return False
    return time.time() < row.ended_at + expiry.retention(row.record["spec"])
