"""The WebSocket of a terminal: from a page to a shell in its sandbox, through Manta."""

from sandboxes.terminal.endpoint import PATH, terminal

__all__ = ["PATH", "terminal"]
