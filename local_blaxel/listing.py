"""Lists: searched, sorted and cut into pages."""

import base64
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.requests import Request

from local_blaxel import fields
from local_blaxel.errors import Invalid
from local_blaxel.store import Record

STATUSES = frozenset(
    {"UPLOADING", "BUILDING", "BUILT", "DEPLOYING", "DEPLOYED", "FAILED", "DEACTIVATING"}
    | {"DEACTIVATED", "DELETING", "TERMINATED", "ARCHIVING", "ARCHIVED", "UNARCHIVING"}
)
BY_DATE = ("createdAt:desc", "createdAt:asc")
SORTS = (*BY_DATE, "name:asc", "name:desc")
PAGED_SINCE = "2026-04-28"
_CURSOR_LIVES = 24 * 3600
_MOVES_ONLY = ("cursor", "limit", "anchor")


def named(record: Record) -> Record:
    """Return the part in which most records keep what they are sorted and searched by."""
    metadata: Record = record["metadata"]
    return metadata


def flat(record: Record) -> Record:
    return record


def _texts(keys: Record) -> list[str]:
    labels = keys.get("labels", {})
    return [keys["name"], keys.get("displayName", ""), *labels, *labels.values()]


@dataclass(frozen=True)
class Query:
    search: str
    sort: str
    limit: int
    cursor: str
    from_end: bool
    # A cursor goes on with the query that it came from, and with no other.
    fingerprint: str

    @classmethod
    def of(cls, request: Request, *, sorts: tuple[str, ...] = SORTS, limit: int = 50) -> "Query":
        asked = request.query_params
        sort = asked.get("sort", sorts[0])
        if sort not in sorts:
            raise Invalid(f"sort must be one of {', '.join(sorts)}.")
        search = asked.get("q", "").lower()
        if len(search) > 200:
            raise Invalid("q must be at most 200 characters.")
        if asked.get("anchor", "end") not in ("start", "end"):
            raise Invalid("anchor must be start or end.")
        narrowing = sorted(pair for pair in asked.multi_items() if pair[0] not in _MOVES_ONLY)
        return cls(
            search=search if len(search) >= 2 else "",
            sort=sort,
            limit=fields.a_query_number(request, "limit", limit, 1, 200),
            cursor=asked.get("cursor", ""),
            from_end=asked.get("anchor") == "end",
            fingerprint=f"{request.url.path}?{narrowing}",
        )

    def page(
        self,
        records: Iterable[Record],
        total: int,
        *,
        keys: Callable[[Record], Record] = named,
        texts: Callable[[Record], list[str]] = _texts,
    ) -> Record:
        """The page of these records that the query asks for, with its `meta`.

        `keys` says where a record has `name`, which tells apart those of one moment, and
        `createdAt`; `texts` what a search looks at.
        """
        key, _, order = self.sort.partition(":")
        chosen = [record for record in records if self._is_found(texts(keys(record)))]
        places = {id(each): [keys(each)[key], keys(each)["name"]] for each in chosen}
        chosen.sort(key=lambda record: places[id(record)], reverse=order == "desc")
        start = self._start([places[id(record)] for record in chosen])
        page = chosen[start : start + self.limit]
        more = start + self.limit < len(chosen)
        return {
            "data": page,
            "meta": {
                "hasMore": more,
                "nextCursor": self._write_cursor(places[id(page[-1])]) if more else "",
                "total": total,
                "totalIsPartial": False,
            },
        }

    def _is_found(self, texts: list[str]) -> bool:
        return any(self.search in text.lower() for text in texts)

    def _start(self, places: list[list[str]]) -> int:
        if self.from_end:
            return max(0, (len(places) - 1) // self.limit * self.limit)
        if not self.cursor:
            return 0
        last = self._read_cursor()
        descending = self.sort.endswith("desc")
        return sum(place >= last if descending else place <= last for place in places)

    def _write_cursor(self, place: list[str]) -> str:
        parts = [self.fingerprint, int(time.time()), *place]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    def _read_cursor(self) -> list[str]:
        try:
            parts = json.loads(base64.urlsafe_b64decode(self.cursor))
            fingerprint, written_at, value, name = parts
            fits = fingerprint == self.fingerprint and time.time() - written_at < _CURSOR_LIVES
        except (ValueError, TypeError) as exc:
            raise Invalid("cursor is not one of this server's.") from exc
        if not fits:
            raise Invalid("cursor belongs to another query, or is older than a day.")
        return [str(value), str(name)]


def statuses(request: Request) -> frozenset[str]:
    """The statuses that a list of sandboxes asks for."""
    text = request.query_params.get("status", "")
    wanted = frozenset(part.strip().upper() for part in text.split(",") if part.strip())
    if unknown := wanted - STATUSES:
        raise Invalid(f"status: {', '.join(sorted(unknown))} is not a status.")
    if wanted:
        return wanted
    shown = fields.a_query_flag(request, "showTerminated")
    return STATUSES if shown else STATUSES - {"TERMINATED"}
