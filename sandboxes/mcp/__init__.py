"""/mcp: a person's sandbox for their AI agents, over MCP's streamable HTTP, without sessions.

Blaxel's own MCP takes only the workspace key, which never leaves Manta: here an agent shows a
token of the person's, and its calls are forwarded to that person's sandbox and to no other.
"""

from sandboxes.mcp.endpoint import PATH, PATHS, endpoint

__all__ = ["PATH", "PATHS", "endpoint"]
