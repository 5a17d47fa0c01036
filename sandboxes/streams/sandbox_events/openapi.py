"""Description of the events inside a sandbox in the API's document."""

from typing import Any

from sandboxes.streams.openapi import event_stream
from sandboxes.streams.paths import SANDBOX_EVENTS

_DESCRIPTION = """\
Server-sent events for as long as the session lasts, for Manta's own pages; each carries a JSON
object. While one is open, the sandbox stays awake.

* `connected`: changes of files are reported from now on.
* `trouble`: the sandbox does not respond, with a `message`; Manta retries.
* `files`: `changes`, each with `path`, `kind` (`created`, `changed`, `deleted`) and `times` (for
  how many changes of that path it stands); or `many`, when anything may have changed.
* `processes`: `version` (a new one whenever something other than their load changes), and
  `processes` as `GET /api/sandbox/processes` has them.
* `ports`: `ports`, each with `port`, `address`, `loopbackOnly`, `process` and `pid`.
* `end`: the last, with a `reason`: `over` (signed out, or the server ends), `limit` (a user has 10
  streams; the oldest gives way), `slow`, or `gone` (the sandbox no longer exists)."""


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    result["paths"][SANDBOX_EVENTS] = {
        "get": event_stream(
            "sandbox_inside_live",
            "Follow changes inside your sandbox",
            _DESCRIPTION,
            {
                "401": "Not signed in.",
                "404": "No sandbox.",
                "409": "The sandbox is being created.",
                "503": "No room: see Retry-After.",
            },
        )
    }
    return result
