"""Tool calls of agents, as their user reads them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from accounts.models import User
from sandboxes.models import ToolCall

PAGE = 50
# One argument in a line says what a call was about.
_TELLING = ("command", "path", "targetFile", "query", "relativeWorkspacePath", "identifier", "port")


@dataclass(frozen=True)
class CallEntry:
    call: ToolCall

    @property
    def day(self) -> date:
        return self.call.created_at.date()

    @property
    def about(self) -> str:
        """Return the call's main argument, in one line."""
        arguments = self.arguments
        found = (arguments.get(name) for name in _TELLING)
        told = next((str(value) for value in found if value), "")
        return told.replace("\n", " ")[:160]

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the arguments, or nothing if they were so long that their JSON was cut."""
        try:
            # A record from before may hold Infinity, which is no JSON: a text, then.
            read = json.loads(self.call.arguments or "{}", parse_constant=str)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def pretty(self) -> str:
        arguments = self.arguments
        if not arguments:
            return "" if self.call.arguments == "{}" else self.call.arguments
        return json.dumps(arguments, indent=2, ensure_ascii=False)

    @property
    def changed(self) -> list[str]:
        return self.call.changed.splitlines()

    def as_json(self) -> dict[str, Any]:
        call = self.call
        return {
            "id": call.pk,
            "at": call.created_at.isoformat().replace("+00:00", "Z"),
            "sandboxId": call.sandbox_name,
            "agent": call.agent_name,
            "agentKind": call.agent_kind,
            "tool": call.tool,
            "arguments": self.arguments or (call.arguments if call.arguments != "{}" else {}),
            "outcome": call.outcome,
            "code": call.code or None,
            "durationMs": call.duration_ms,
            "changed": self.changed,
            "requestId": call.request_id,
        }


@dataclass(frozen=True)
class Search:
    text: str = ""
    outcome: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Search":
        outcome = query.get("outcome", "")
        return cls(
            query.get("q", "").replace("\0", "")[:200],
            outcome if outcome in ToolCall.Outcome else "",
        )

    @property
    def query(self) -> str:
        """Return the filter as a URL's query."""
        return urlencode({k: v for k, v in (("q", self.text), ("outcome", self.outcome)) if v})


@dataclass(frozen=True)
class CallPage:
    """A page of calls, newest first, and where older ones begin; None when there are none."""

    entries: list[CallEntry]
    older: int | None

    @classmethod
    def of(cls, user: User, search: Search, *, before: int | None = None) -> "CallPage":
        calls = ToolCall.objects.for_user(user).matching(search.text, search.outcome)
        if before is not None:
            calls = calls.filter(pk__lt=before)
        found = list(calls[: PAGE + 1])
        older = found[PAGE - 1].pk if len(found) > PAGE else None
        return cls([CallEntry(call) for call in found[:PAGE]], older)


def json_lines(calls: Iterable[ToolCall]) -> Iterator[str]:
    """One JSON object a line, for an export."""
    for call in calls:
        yield json.dumps(CallEntry(call).as_json(), ensure_ascii=False) + "\n"
