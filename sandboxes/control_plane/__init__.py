"""Blaxel's control plane. The one package that imports the Blaxel SDK."""

from sandboxes.control_plane import (
    circuit_breaker,
    client,
    error_mapping,
    previews,
    sandboxes,
    sessions,
    types,
)

__all__ = [
    "circuit_breaker",
    "client",
    "error_mapping",
    "previews",
    "sandboxes",
    "sessions",
    "types",
]
