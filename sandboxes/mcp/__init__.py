"""/mcp: a person's sandbox for their AI agents, over MCP's streamable HTTP, without sessions."""
