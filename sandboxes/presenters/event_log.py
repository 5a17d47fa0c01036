"""Event log as its owner reads it: one sentence per line."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.models import User
from sandboxes.models import Action, SandboxEvent

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """An event, and who reads it: None for an administrator, who may read all of it."""

    event: SandboxEvent
    reader: User | None

    @property
    def subject(self) -> str:
        """Return who did it, in the reader's words; an administrator is named."""
        if self.event.actor_kind == SandboxEvent.Actor.JOB:
            return "Manta"
        if self.event.actor_kind == SandboxEvent.Actor.TOKEN:
            return f"Your token “{self.event.actor_name}”"
        if self.event.actor_kind == SandboxEvent.Actor.AGENT:
            return f"Your agent “{self.event.actor_name}”"
        if self._is_own:
            return "You"
        return f"{self.event.actor_name or 'Somebody'} (administrator)"

    @property
    def day(self) -> date:
        return self.event.created_at.date()

    @property
    def what(self) -> str:
        return Action(self.event.action).label if self.event.action in Action else self.event.action

    @property
    def failed(self) -> bool:
        return self.event.outcome != "ok"

    @property
    def _is_own(self) -> bool:
        return self.reader is not None and self.event.actor_id == self.reader.pk

    def as_json(self) -> dict[str, Any]:
        event = self.event
        return {
            "id": event.pk,
            "at": event.created_at.isoformat().replace("+00:00", "Z"),
            "sandboxId": event.sandbox_name,
            "actor": event.actor_kind,
            "actorName": event.actor_name or None,
            "action": event.action,
            "detail": event.detail,
            "outcome": event.outcome,
            "reason": event.reason,
            "requestId": event.request_id,
            "ip": event.ip if self._is_own or self.reader is None else None,
        }


@dataclass(frozen=True)
class Page:
    """A page of entries, newest first, and where older ones begin; None when there are none."""

    entries: list[Entry]
    older: int | None

    @classmethod
    def of(cls, user: User, *, before: int | None = None) -> "Page":
        events = SandboxEvent.objects.visible_to(user).order_by("-pk")
        if before is not None:
            events = events.filter(pk__lt=before)
        found = list(events[: PAGE + 1])
        older = found[PAGE - 1].pk if len(found) > PAGE else None
        return cls([Entry(event, user) for event in found[:PAGE]], older)


def json_lines(events: Iterable[SandboxEvent], reader: User | None = None) -> Iterator[str]:
    """One JSON object a line, for an export."""
    for event in events:
        line = Entry(event, reader).as_json()
        if reader is None:
            line["owner"] = event.owner.email if event.owner else None
        yield json.dumps(line, ensure_ascii=False) + "\n"
