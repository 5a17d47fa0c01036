"""The WebSocket of a terminal: from a page to a shell in its sandbox, through Manta."""
