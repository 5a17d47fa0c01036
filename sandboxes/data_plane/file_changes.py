"""Changes among a sandbox's files, read from the lines of its watch."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sandboxes.data_plane import names

# Of these folders the insides are not told of: they churn, and no page shows them open.
IGNORED = (
    "/node_modules/",
    "/.git/",
    "/__pycache__/",
    "/site-packages/",
    "/.cache/",
    "/.npm/",
    "/.manta",
)
# More at once are told as "many": a page that shows files asks anew.
MAX_CHANGES = 200

_KINDS = {"CREATE": "created", "WRITE": "changed", "REMOVE": "deleted", "RENAME": "deleted"}


@dataclass(frozen=True)
class Change:
    path: str
    kind: str


class Burst:
    """Changes that wait to be told, one of each path, with how many it stands for."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._times: Counter[str] = Counter()
        self.many = False

    def __bool__(self) -> bool:
        return self.many or bool(self._kinds)

    def add(self, change: Change, times: int = 1) -> None:
        before = self._kinds.get(change.path)
        kind = change.kind
        if before == "created" and kind == "changed":
            kind = "created"
        elif before == "deleted" and kind == "created":
            kind = "changed"
        self._kinds[change.path] = kind
        self._times[change.path] += times
        self.many = self.many or len(self._kinds) > MAX_CHANGES
        if self.many:
            self.everything()

    def everything(self) -> None:
        """Note that it is not known what changed."""
        self.many = True
        self._kinds.clear()
        self._times.clear()

    def join(self, other: "Burst") -> None:
        if other.many:
            self.everything()
        for path, kind in other._kinds.items():
            self.add(Change(path, kind), other._times[path])

    def as_json(self) -> dict[str, Any]:
        if self.many:
            return {"many": True, "changes": []}
        return {
            "changes": [
                {"path": path, "kind": kind, "times": self._times[path]}
                for path, kind in self._kinds.items()
            ]
        }


def read(line: str) -> Change | None:
    """The change that a line tells of; None of a sign of life, or of rights alone.

    Raises ValueError when it is not known what changed: changes were lost, a folder can't be
    watched, a name can't be told in JSON, or the line makes no sense.
    """
    if not line.strip() or line.startswith("[keepalive]"):
        return None
    try:
        told = json.loads(line)
    except RecursionError as exc:
        raise ValueError("It is nested too deeply.") from exc
    if not isinstance(told, dict) or told.get("error"):
        raise ValueError(line)
    operations = str(told.get("op") or "").split("|")
    kind = next((_KINDS[each] for each in operations if each in _KINDS), None)
    path = f"{str(told.get('path') or '').rstrip('/')}/{told.get('name') or ''}".rstrip("/")
    if names.LOST in path:
        raise ValueError(line)
    return Change(names.told(path), kind) if kind and path else None
