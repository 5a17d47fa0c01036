"""The stream in the API's description, by hand: it is no view of Django's."""

from typing import Any

from sandboxes.streams.paths import PROCESS_LOGS, SANDBOX_EVENTS

_DESCRIPTION = """\
Server-sent events for as long as the session lasts, for Manta's own pages; each carries a JSON
object. While one is open, the sandbox stays awake.

* `connected`: changes of files are told from now on.
* `trouble`: the sandbox does not answer, with a `message`; it is tried again.
* `files`: `changes`, each with `path` and `kind` (`created`, `changed`, `deleted`); or `many`, when
  anything may have changed.
* `processes`: `version` (another one whenever something else changes than how busy they are), and
  `processes` as `GET /api/sandbox/processes` has them.
* `ports`: `ports`, each with `port`, `address`, `loopbackOnly`, `process` and `pid`.
* `end`: the last, with a `reason`: `over` (signed out, or the server ends), `limit` (a user has 10
  streams; the oldest gives way), `slow`, or `gone` (there is no sandbox to follow any more)."""

_LOG_DESCRIPTION = """\
Needs the scope `processes`. A line `[keepalive]` is a sign of life, and `[truncated] 123 lines`
says what is no longer kept: of a long log the newest 16 MB at least are.

With follow and `Accept: application/x-ndjson`, what the process writes comes as it is written,
unfinished lines too: JSON objects with `type` (`stdout`, `stderr`, `restart`, `truncated` with
`bytes`, or `keepalive`), `data`, and the `position` for `after`."""


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
    refusals = {
        "401": "Nobody is signed in.",
        "404": "There is no sandbox.",
        "409": "It is being made.",
        "503": "No room: see Retry-After.",
    }
    result["paths"][SANDBOX_EVENTS] = {
        "get": {
            "operationId": "sandbox_inside_live",
            "summary": "What happens inside your sandbox, live",
            "description": _DESCRIPTION,
            "tags": ["live"],
            "security": [{"cookieAuth": []}],
            "responses": {
                "200": {
                    "description": "The stream.",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                **{
                    status: {"description": why, "content": error}
                    for status, why in refusals.items()
                },
            },
        }
    }
    result["paths"][PROCESS_LOGS] = {"get": _logs(error)}
    return result


def _logs(error: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        "name": "The process.",
        "follow": "1: go on until it ends, each line after `stdout:` or `stderr:`. Else, a file.",
        "after": "With follow: leave out so many lines, which were read before; with JSON, bytes.",
    }
    text = {"schema": {"type": "string"}}
    kinds = {"text/plain": text, "application/x-ndjson": text}
    return {
        "operationId": "process_logs",
        "summary": "What a process says",
        "description": _LOG_DESCRIPTION,
        "tags": ["processes"],
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name == "name",
                "schema": {"type": "string"},
                "description": description,
            }
            for name, description in parameters.items()
        ],
        "security": [{"cookieAuth": []}, {"personalToken": []}],
        "responses": {
            "200": {"description": "Its output.", "content": kinds},
            "401": {"description": "Nobody is signed in.", "content": error},
            "403": {"description": "The token has another scope.", "content": error},
            "404": {"description": "There is no such process.", "content": error},
        },
    }
