"""Actions of people and programs on a sandbox."""

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
