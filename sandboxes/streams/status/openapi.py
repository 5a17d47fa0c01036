"""Description of the status stream in the API's document."""

from typing import Any

from sandboxes.streams.openapi import event_stream
from sandboxes.streams.paths import STATUS

_DESCRIPTION = """\
Server-sent events for as long as the session lasts; each carries a JSON object.

* `state`: the sandbox, at once and after each change: `state`, `word`, `step` (`number`, `count`,
  `label`) while it is being created, `next` (the next automatic retry after a failed attempt),
  `trouble`, `error` (`code`, `message`), `checkedAt`, `version` (a new one whenever its panel
  changes), and `sandbox` as `GET /api/sandbox/init` has it.
* `event`: a new line of the record, as `GET /api/sandbox/events` has it.
* `call`: an agent has used a tool; `id` is the newest in `GET /api/sandbox/calls`.
* `checked`: `at`, when the sandbox was last checked; every 10 s, to keep the stream alive.
* `missed`: more happened than is repeated; lines older than `before` are in the record.
* `end`: the last, with a `reason`: `signed out`, `limit` (a user has 10 streams; the oldest gives
  way), `slow` (the page did not read), or `stopping` (the server ends: come back).

A stream that sends the last `id` as `Last-Event-ID` continues where the previous one ended."""


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    resuming = [
        {"name": name, "in": place, "schema": {"type": "string"}, "description": description}
        for name, place, description in (
            ("Last-Event-ID", "header", "The last id of the stream before this one."),
            ("after", "query", "The same, for clients that can't set a header."),
        )
    ]
    result["paths"][STATUS] = {
        "get": event_stream(
            "sandbox_live",
            "Follow your sandbox's state and its activity",
            _DESCRIPTION,
            {"401": "Not signed in.", "503": "No room: see Retry-After."},
            parameters=resuming,
        )
    }
    return result
