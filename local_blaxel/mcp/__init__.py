"""MCP for each sandbox: its tools over streamable HTTP at `/mcp`, and over WebSocket at its root.

The tools are rows of tables, by noun; each is a few calls of the sandbox's own HTTP API.
"""

from local_blaxel.mcp.endpoint import over_http, over_websocket

__all__ = ["over_http", "over_websocket"]
