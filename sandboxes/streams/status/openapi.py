"""The stream in the API's description, by hand: it is no view of Django's."""

from typing import Any

from sandboxes.streams.paths import STATUS

_DESCRIPTION = """\
Server-sent events for as long as the session lasts; each carries a JSON object.

* `state`: the sandbox, at once and after each change: `state`, `word`, `step` (`number`, `count`,
  `label`) while it is being made, `next` (what happens by itself after a failed attempt),
  `trouble`, `error` (`code`, `message`), `checkedAt`, `version` (another one whenever its panel
  shows something else), and `sandbox` as `GET /api/sandbox/init` has it.
* `event`: a new line of the record, as `GET /api/sandbox/events` has it.
* `call`: an agent has used a tool; `id` is the newest in `GET /api/sandbox/calls`.
* `checked`: `at`, when the sandbox was last looked at; every 10 s, as a sign of life.
* `missed`: more happened than is told again; older lines than `before` are in the record.
* `end`: the last, with a `reason`: `signed out`, `limit` (a user has 10 streams; the oldest gives
  way), `slow` (the page did not read), or `stopping` (the server ends: come back).

A stream that sends the last `id` as `Last-Event-ID` goes on where the one before it ended."""


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    resuming = [
        {"name": name, "in": place, "schema": {"type": "string"}, "description": description}
        for name, place, description in (
            ("Last-Event-ID", "header", "The last id of the stream before this one."),
            ("after", "query", "The same, for who can't set a header."),
        )
    ]
    result["paths"][STATUS] = {
        "get": {
            "operationId": "sandbox_live",
            "summary": "Your sandbox and its record, live",
            "description": _DESCRIPTION,
            "tags": ["live"],
            "parameters": resuming,
            "security": [{"cookieAuth": []}],
            "responses": {
                "200": {
                    "description": "The stream.",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                "401": {"description": "Nobody is signed in.", "content": error},
                "503": {"description": "No room: see Retry-After.", "content": error},
            },
        }
    }
    return result
