"""The list of sandboxes: filtered, sorted and cut into pages."""

import base64
import json
import time
from dataclasses import dataclass

from starlette.requests import Request

from local_blaxel import fields
from local_blaxel.errors import Invalid
from local_blaxel.store import Record

STATUSES = frozenset(
    {"UPLOADING", "BUILDING", "BUILT", "DEPLOYING", "DEPLOYED", "FAILED", "DEACTIVATING"}
    | {"DEACTIVATED", "DELETING", "TERMINATED", "ARCHIVING", "ARCHIVED", "UNARCHIVING"}
)
SORTS = ("createdAt:desc", "createdAt:asc", "name:asc", "name:desc")
PAGED_SINCE = "2026-04-28"
_CURSOR_LIVES = 24 * 3600


@dataclass(frozen=True)
class Query:
    search: str
    sort: str
    limit: int
    statuses: frozenset[str]
    cursor: str

    @classmethod
    def of(cls, request: Request) -> "Query":
        asked = request.query_params
        sort = asked.get("sort", SORTS[0])
        if sort not in SORTS:
            raise Invalid(f"sort must be one of {', '.join(SORTS)}.")
        search = asked.get("q", "").lower()
        if len(search) > 200:
            raise Invalid("q must be at most 200 characters.")
        return cls(
            search=search if len(search) >= 2 else "",
            sort=sort,
            limit=fields.a_query_number(request, "limit", 50, 1, 200),
            statuses=_statuses(request),
            cursor=asked.get("cursor", ""),
        )

    def page(self, records: list[Record]) -> Record:
        """The page of these records that the query asks for, with its `meta`."""
        key, _, order = self.sort.partition(":")
        chosen = [record for record in records if self._matches(record)]
        chosen.sort(key=lambda r: (r["metadata"][key], r["metadata"]["name"]))
        if order == "desc":
            chosen.reverse()
        start = self._start(chosen, key)
        page = chosen[start : start + self.limit]
        more = start + self.limit < len(chosen)
        last = page[-1]["metadata"] if more else {}
        return {
            "data": page,
            "meta": {
                "hasMore": more,
                "nextCursor": self._write_cursor(last[key], last["name"]) if more else "",
                "total": sum(record["status"] != "TERMINATED" for record in records),
                "totalIsPartial": False,
            },
        }

    def _matches(self, record: Record) -> bool:
        metadata = record["metadata"]
        labels = metadata.get("labels", {})
        texts = [metadata["name"], metadata.get("displayName", ""), *labels, *labels.values()]
        found = any(self.search in text.lower() for text in texts)
        return found and record["status"] in self.statuses

    def _start(self, chosen: list[Record], key: str) -> int:
        if not self.cursor:
            return 0
        last = self._read_cursor()
        descending = self.sort.endswith("desc")
        places = ([record["metadata"][key], record["metadata"]["name"]] for record in chosen)
        return sum(place >= last if descending else place <= last for place in places)

    def _fingerprint(self) -> str:
        return f"{self.search}|{self.sort}|{sorted(self.statuses)}"

    def _write_cursor(self, value: str, name: str) -> str:
        parts = [self._fingerprint(), int(time.time()), value, name]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    def _read_cursor(self) -> list[str]:
        try:
            parts = json.loads(base64.urlsafe_b64decode(self.cursor))
            fingerprint, written_at, value, name = parts
            fits = fingerprint == self._fingerprint() and time.time() - written_at < _CURSOR_LIVES
        except (ValueError, TypeError) as exc:
            raise Invalid("cursor is not one of this server's.") from exc
        if not fits:
            raise Invalid("cursor belongs to another query, or is older than a day.")
        return [str(value), str(name)]


def _statuses(request: Request) -> frozenset[str]:
    text = request.query_params.get("status", "")
    wanted = frozenset(part.strip().upper() for part in text.split(",") if part.strip())
    if unknown := wanted - STATUSES:
        raise Invalid(f"status: {', '.join(sorted(unknown))} is not a status.")
    if wanted:
        return wanted
    shown = fields.a_query_flag(request, "showTerminated")
    return STATUSES if shown else STATUSES - {"TERMINATED"}
