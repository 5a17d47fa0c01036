"""Description of a process's log in the API's document."""

from typing import Any

from sandboxes.streams.openapi import SESSION_OR_TOKEN, TEXT, answer, refusals
from sandboxes.streams.paths import PROCESS_LOGS

_DESCRIPTION = """\
Needs the scope `processes`. A line `[keepalive]` is a sign of life, and `[truncated] 123 lines`
says what is no longer kept: of a long log the newest 16 MB at least are.

With follow and `Accept: application/x-ndjson`, what the process writes comes as it is written,
unfinished lines too: JSON objects with `type` (`stdout`, `stderr`, `restart`, `truncated` with
`bytes`, or `keepalive`), `data`, and the `position` for `after`."""


_PARAMETERS = {
    "name": "The process.",
    "follow": "1: go on until it ends, each line after `stdout:` or `stderr:`. Else, a file.",
    "after": "With follow: leave out so many lines, which were read before; with JSON, bytes.",
}


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    result["paths"][PROCESS_LOGS] = {
        "get": {
            "operationId": "process_logs",
            "summary": "What a process says",
            "description": _DESCRIPTION,
            "tags": ["processes"],
            "parameters": [
                {
                    "name": name,
                    "in": "query",
                    "required": name == "name",
                    "schema": {"type": "string"},
                    "description": description,
                }
                for name, description in _PARAMETERS.items()
            ],
            "security": SESSION_OR_TOKEN,
            "responses": {
                "200": answer("Its output.", **{"text/plain": TEXT, "application/x-ndjson": TEXT}),
                **refusals(
                    {
                        "401": "Nobody is signed in.",
                        "403": "The token has another scope.",
                        "404": "There is no such process.",
                    }
                ),
            },
        }
    }
    return result
