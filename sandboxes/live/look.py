"""What is new for those whose pages are open: a few indexed reads, however many they are.

Rows are compared with what they were, so that no writer has to remember to say something.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.sessions import SignIn, batches, ended
from sandboxes.live import messages
from sandboxes.live.cursor import Cursor
from sandboxes.models import WATCHED_FOR, Phase, Sandbox, SandboxEvent
from sandboxes.panel import Panel, Signs

# Longer than any transaction lasts that writes an event.
_SETTLED_AFTER = timedelta(seconds=10)
# A page that comes back gets so many events; the older ones are in the record.
_REPLAYED = 200
# They move by themselves, without anything to show.
_SILENT = {"checked_at", "watched_until", "lease_until", "lease_holder", "starter_checked_at"}
_SETTLED = {Phase.READY, Phase.FAILED, Phase.GONE}


@dataclass(frozen=True)
class State:
    """What a person's pages show, and the message that says so."""

    version: str
    written: bytes

    @classmethod
    def of(cls, panel: Panel) -> "State":
        data = messages.state(panel)
        return cls(data["version"], messages.message("state", data))


@dataclass(frozen=True)
class Opening:
    """What a new stream starts with."""

    state: State
    cursor: Cursor
    # What happened since the stream before it; oldest first.
    events: list[SandboxEvent]
    # No event up to this id can still appear.
    settled: int
    # There were more than are told again.
    missed: bool = False


@dataclass
class News:
    """By user. What has not changed is left out."""

    ended: set[SignIn] = field(default_factory=set)
    states: dict[int, State] = field(default_factory=dict)
    events: dict[int, list[SandboxEvent]] = field(default_factory=dict)
    checked: dict[int, datetime | None] = field(default_factory=dict)
    settled: int = 0


def opening(user: User, cursor: Cursor | None) -> Opening:
    """The state as it is now, and the events after a cursor; without one, only those to come."""
    state = State.of(Panel.of(Sandbox.objects.of(user)))
    settled = _settled()
    events = SandboxEvent.objects.filter(owner=user.pk)
    if cursor is None:
        # Those of the last seconds are old news, but one in between may still appear.
        recent = events.filter(pk__gt=settled).values_list("pk", flat=True)
        return Opening(state, Cursor(settled, frozenset(recent)), [], settled)
    # Not beyond it: ids start again from lower ones when a backup is restored.
    cursor = Cursor(min(cursor.through, settled), cursor.beyond)
    new = events.filter(pk__gt=cursor.through).exclude(pk__in=cursor.beyond)
    latest = list(new.order_by("-pk")[: _REPLAYED + 1])[::-1]
    if len(latest) <= _REPLAYED:
        return Opening(state, cursor, latest, settled)
    return Opening(state, Cursor(latest[0].pk), latest[1:], settled, missed=True)


class Look:
    """Looks again and again, on one thread, for all who have a stream in this process."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}
        self._settled = _settled()

    def again(self, sign_ins: set[SignIn], anew: set[int]) -> News:
        """What has changed since the last look; for some users, everything anew."""
        news = News(ended=ended(sign_ins), settled=_settled())
        users = {sign_in.user_id for sign_in in sign_ins - news.ended}
        rows = _rows(users)
        _keep_watched(rows.values())
        signs = Signs.now()
        news.checked = {user: row["checked_at"] if row else None for user, row in rows.items()}
        news.events = _events(users, self._settled)
        seen = {user: (signs, _compared(row)) for user, row in rows.items()}
        changed = {user for user in users if seen[user] != self._seen.get(user)}
        moving = {user for user, row in rows.items() if _moves(row)}
        # What an event was about may be shown without being in the row.
        told = anew & users | news.events.keys()
        news.states = _states(changed | moving | told, signs)
        self._seen, self._settled = seen, news.settled
        return news


def _rows(users: set[int]) -> dict[int, dict[str, Any]]:
    """The row of each user's own sandbox, empty where there is none."""
    rows: dict[int, dict[str, Any]] = {user: {} for user in users}
    for batch in batches(users):
        for row in Sandbox.objects.own_of(batch).values():
            rows[row["owner_id"]] = dict(row)
    return rows


def _compared(row: dict[str, Any]) -> list[Any]:
    return [value for name, value in row.items() if name not in _SILENT]


def _keep_watched(rows: Iterable[dict[str, Any]]) -> None:
    """Have the worker keep these rows fresh, because somebody is looking at them."""
    now = timezone.now()
    # Half the time is the limit, so that most looks write nothing.
    limit = now + WATCHED_FOR / 2
    fading = [r["id"] for r in rows if r and (r["watched_until"] or now) < limit]
    for batch in batches(fading):
        Sandbox.objects.filter(pk__in=batch).update(watched_until=now + WATCHED_FOR)


def _moves(row: dict[str, Any]) -> bool:
    """Whether what is shown of it changes with time alone: "attempt 2 in 8 s"."""
    return bool(row) and (row["phase"] not in _SETTLED or row["next_attempt_at"] is not None)


def _states(users: set[int], signs: Signs) -> dict[int, State]:
    rows: dict[int, Sandbox | None] = dict.fromkeys(users)
    for batch in batches(users):
        rows.update({row.owner_id: row for row in Sandbox.objects.own_of(batch)})  # type: ignore[misc]
    return {user: State.of(Panel.of(row, signs)) for user, row in rows.items()}


def _events(users: Iterable[int], after: int) -> dict[int, list[SandboxEvent]]:
    """The latest events of each, oldest first; a stream knows which of them it has had."""
    found: dict[int, list[SandboxEvent]] = defaultdict(list)
    for batch in batches(users):
        for event in SandboxEvent.objects.filter(owner__in=batch, pk__gt=after).order_by("pk"):
            found[event.owner_id].append(event)  # type: ignore[index]
    return dict(found)


def _settled() -> int:
    """The id up to which no event can still appear."""
    before = SandboxEvent.objects.filter(created_at__lte=timezone.now() - _SETTLED_AFTER)
    newest: int | None = before.order_by("-created_at").values_list("pk", flat=True).first()
    return newest or 0
