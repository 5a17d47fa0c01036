"""The tools that a sandbox offers over MCP."""

from typing import Any

from sandboxes import errors
from sandboxes.dataplane.client import expect_success, request


def mcp_tools(url: str) -> list[str]:
    """The names of the tools that the sandbox offers over MCP."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "manta", "version": "1"},
    }
    _mcp(url, {"id": 1, "method": "initialize", "params": hello})
    _mcp(url, {"method": "notifications/initialized"})
    answer = _mcp(url, {"id": 2, "method": "tools/list", "params": {}})
    return [str(tool["name"]) for tool in answer["result"]["tools"]]


def _mcp(url: str, message: dict[str, Any]) -> dict[str, Any]:
    accepted = {"Accept": "application/json, text/event-stream"}
    response = request("POST", f"{url}/mcp", json={"jsonrpc": "2.0", **message}, headers=accepted)
    expect_success(response, "speak MCP")
    if "id" not in message:
        return {}
    try:
        answer: dict[str, Any] = response.json()
    except ValueError as exc:
        raise errors.ProviderUnavailable("The sandbox's answer over MCP made no sense.") from exc
    if "result" not in answer:
        raise errors.ProviderRejected("The sandbox refused a request over MCP.")
    return answer
