"""The tools that a sandbox offers over MCP."""

from typing import Any

from sandboxes import errors
from sandboxes.data_plane.client import (
    LONG_TIMEOUT,
    expect_success,
    object_of,
    objects_of,
    request,
    understood,
)
from sandboxes.models.reach import Reach


def mcp_tools(reach: Reach) -> list[str]:
    """The names of the tools that the sandbox offers over MCP."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "manta", "version": "1"},
    }
    _mcp(reach, {"id": 1, "method": "initialize", "params": hello})
    _mcp(reach, {"method": "notifications/initialized"})
    answer = _mcp(reach, {"id": 2, "method": "tools/list", "params": {}})
    with understood():
        return [str(tool["name"]) for tool in objects_of(answer["result"]["tools"])]


def _mcp(reach: Reach, message: dict[str, Any]) -> dict[str, Any]:
    accepted = {"Accept": "application/json, text/event-stream"}
    sent = {"jsonrpc": "2.0", **message}
    where = reach.at("/mcp")
    response = request("POST", where, json=sent, headers=accepted, timeout=LONG_TIMEOUT)
    expect_success(response, "speak MCP")
    if "id" not in message:
        return {}
    answer = object_of(response)
    if "result" not in answer:
        raise errors.ProviderRejected("The sandbox refused a request over MCP.")
    return answer
