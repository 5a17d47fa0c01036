"""Actions of people and programs on a sandbox.

Nothing here but Open waits for the provider: a function marks the row, and the worker makes the row
and the real sandbox agree. What reaches inside waits for the sandbox, in threads of its own.
"""

from sandboxes.services import (
    deletion,
    expiry,
    file_moves,
    file_search,
    files,
    ports,
    processes,
    provisioning,
    quotas,
    restarts,
    row_updates,
    sessions,
    terminals,
)

__all__ = [
    "deletion",
    "expiry",
    "file_moves",
    "file_search",
    "files",
    "ports",
    "processes",
    "provisioning",
    "quotas",
    "restarts",
    "row_updates",
    "sessions",
    "terminals",
]
