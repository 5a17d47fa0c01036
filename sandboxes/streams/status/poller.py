"""Poller for changes of all users with open pages: a few indexed reads, whatever their number.

Rows are compared with what they were, so that no writer has to remember to say something.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from accounts.sessions import SignIn, batches, ended
from sandboxes.models import WATCHED_FOR, Phase, Sandbox, SandboxEvent, ToolCall
from sandboxes.presenters.panel import Panel
from sandboxes.presenters.signs import Signs
from sandboxes.streams import sse
from sandboxes.streams.status import messages
from sandboxes.streams.status.cursor import Cursor

# Longer than any transaction lasts that writes an event.
_SETTLED_AFTER = timedelta(seconds=10)
# A page that comes back gets this many events; the older ones are in the record.
_REPLAYED = 200
# They move by themselves, without anything to show.
_SILENT = {"checked_at", "watched_until", "lease_until", "lease_holder", "starter_checked_at"}
_FIRST = ["owner_id", "phase", "next_attempt_at"]
_COMPARED = _FIRST + [
    field.attname
    for field in Sandbox._meta.concrete_fields
    if field.attname not in _SILENT.union(_FIRST)
]
_SETTLED = {Phase.READY, Phase.FAILED, Phase.GONE}
_WATCH_EVERY = WATCHED_FOR / 3

RawRow = tuple[Any, ...]
Observed = tuple[Signs, RawRow]


@dataclass(frozen=True)
class State:
    """The state that a user's pages show, and its message for the stream."""

    version: str
    written: bytes

    @classmethod
    def of(cls, panel: Panel) -> "State":
        data = messages.state(panel)
        return cls(data["version"], sse.message("state", data))


@dataclass(frozen=True)
class Opening:
    """The first content of a new stream."""

    state: State
    cursor: Cursor
    # What happened since the stream before it; oldest first.
    events: list[SandboxEvent]
    # No event up to this id can still appear.
    settled: int
    # There were more than are told again.
    missed: bool = False


@dataclass
class Changes:
    """Changes by user, only for users with changes."""

    ended: set[SignIn] = field(default_factory=set)
    states: dict[int, State] = field(default_factory=dict)
    events: dict[int, list[SandboxEvent]] = field(default_factory=dict)
    checked: dict[int, datetime | None] = field(default_factory=dict)
    settled: int = 0
    # The newest call of an agent in their sandbox.
    calls: dict[int, int] = field(default_factory=dict)


def opening(user: User, cursor: Cursor | None) -> Opening:
    """The state as it is now, and the events after a cursor; without one, only those to come."""
    state = State.of(Panel.of(Sandbox.objects.get_for_user(user)))
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


class ChangePoller:
    """Poller of changes, on one thread, for all users with a stream in this process."""

    def __init__(self) -> None:
        self._seen: dict[int, Observed] = {}
        self._settled = _settled()
        self._watched_at = 0.0
        newest: int | None = ToolCall.objects.aggregate(newest=Max("pk"))["newest"]
        self._last_call = newest or 0

    def poll(self, sign_ins: set[SignIn], anew: set[int]) -> Changes:
        """Return the changes since the last poll; for users in `anew`, their whole state."""
        changes = Changes(ended=ended(sign_ins), settled=_settled())
        users = {sign_in.user_id for sign_in in sign_ins - changes.ended}
        self._keep_watched(users)
        signs = Signs.now()
        seen = {user: (signs, row) for user, row in _raw_rows(users).items()}
        changes.events = _events(users, self._settled)
        changes.calls = _calls(users, self._last_call)
        self._last_call = max([self._last_call, *changes.calls.values()])
        changed = {user for user in users if seen[user] != self._seen.get(user)}
        moving = {user for user, (_, row) in seen.items() if _moves(row)}
        # What an event was about may be shown without being in the row.
        for user, row in _rows(changed | moving | (anew & users) | changes.events.keys()).items():
            changes.states[user] = State.of(Panel.of(row, signs))
            changes.checked[user] = row.checked_at if row else None
        self._seen, self._settled = seen, changes.settled
        return changes

    def _keep_watched(self, users: set[int]) -> None:
        """Have the worker keep the rows of open pages fresh, with few writes."""
        now = time.monotonic()
        if now - self._watched_at < _WATCH_EVERY.total_seconds():
            return
        self._watched_at = now
        until = timezone.now() + WATCHED_FOR
        for batch in batches(users):
            own = Sandbox.objects.own_of(batch).values_list("pk", flat=True)
            Sandbox.objects.filter(pk__in=list(own)).update(watched_until=until)


def _raw_rows(users: set[int]) -> dict[int, RawRow]:
    """Return the compared columns of each user's sandbox; an empty row where there is none.

    They are as the database has them: parsing the dates took four fifths of a poll.
    """
    rows: dict[int, RawRow] = dict.fromkeys(users, ())
    for batch in batches(users):
        compared = Sandbox.objects.own_of(batch).values_list(*_COMPARED)
        with connection.cursor() as cursor:
            cursor.execute(*compared.query.sql_with_params())
            rows.update({row[0]: row for row in cursor.fetchall()})
    return rows


def _moves(row: RawRow) -> bool:
    """Return whether the state's text changes with time alone, as "retry 2 in 8 s" does."""
    return bool(row) and (row[1] not in _SETTLED or row[2] is not None)


def _rows(users: set[int]) -> dict[int, Sandbox | None]:
    rows: dict[int, Sandbox | None] = dict.fromkeys(users)
    for batch in batches(users):
        own = Sandbox.objects.own_of(batch).prefetch_related("public_ports")
        rows.update({row.owner_id: row for row in own})  # type: ignore[misc]
    return rows


def _events(users: Iterable[int], after: int) -> dict[int, list[SandboxEvent]]:
    """The latest events of each, oldest first; a stream knows which of them it has had."""
    found: dict[int, list[SandboxEvent]] = defaultdict(list)
    for batch in batches(users):
        for event in SandboxEvent.objects.filter(owner__in=batch, pk__gt=after).order_by("pk"):
            found[event.owner_id].append(event)  # type: ignore[index]
    return dict(found)


def _calls(users: Iterable[int], after: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for batch in batches(users):
        new = ToolCall.objects.filter(owner__in=batch, pk__gt=after).order_by()
        found.update(new.values_list("owner").annotate(newest=Max("pk")))
    return found


def _settled() -> int:
    """The id up to which no event can still appear."""
    before = SandboxEvent.objects.filter(created_at__lte=timezone.now() - _SETTLED_AFTER)
    newest: int | None = before.order_by("-created_at").values_list("pk", flat=True).first()
    return newest or 0
