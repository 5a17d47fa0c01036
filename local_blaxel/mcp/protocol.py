"""JSON-RPC as MCP speaks it, without a transport: one message in, at most one answer out."""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from local_blaxel.mcp import codegen_tools, file_tools, process_tools
from local_blaxel.mcp.agent import CALL_SECONDS, Agent, OutOfReach, ToolError
from local_blaxel.mcp.tool import Tool, given

logger = logging.getLogger(__name__)

Message = dict[str, Any]

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
SERVER = {"name": "Sandbox API Server", "version": "1.0.0"}

# In a call's _meta: the folder that its paths must not leave, however they are linked. It is
# percent-encoded, as its name may be of any bytes.
BENEATH = "local_blaxel/beneath"
_ENCODED_PATH = re.compile("/[!-~]*")
# A byte of a file's name that is not UTF-8.
_BYTE = re.compile("[\udc80-\udcff]")

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR = -32602, -32603


class RpcError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def answer(message: Any, agent: Agent) -> Message | None:
    """Answer a message; None for a notification, or for an answer of the client's."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return failure(None, INVALID_REQUEST, 'A message is an object with "jsonrpc": "2.0".')
    if "method" not in message and ("result" in message or "error" in message):
        return None
    is_request = "id" in message
    identity = message.get("id")
    if is_request and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        return failure(None, INVALID_REQUEST, "An id is a string or a whole number.")
    if not isinstance(message.get("method"), str):
        return failure(identity, INVALID_REQUEST, "A method is a string.")
    if not is_request:
        return None
    try:
        result = await _perform(message, agent)
    except RpcError as error:
        return failure(identity, error.code, error.message)
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def failure(identity: str | int | None, code: int, message: str) -> Message:
    return {"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": message}}


async def _perform(message: Message, agent: Agent) -> Message:
    params = message.get("params")
    params = {} if params is None else params
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "params must be an object.")
    method = _METHODS.get(message["method"])
    if method is None:
        raise RpcError(METHOD_NOT_FOUND, f"There is no method {message['method'][:100]!r}.")
    return await method(params, agent)


async def _initialize(params: Message, agent: Agent) -> Message:
    wanted = params.get("protocolVersion")
    return {
        # A client that asks for another one is told the newest known here, and may accept it.
        "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[-1],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": SERVER,
    }


async def _ping(params: Message, agent: Agent) -> Message:
    return {}


async def _list_tools(params: Message, agent: Agent) -> Message:
    return {"tools": [tool.listed() for tool in _tools(agent).values()]}


async def _call_tool(params: Message, agent: Agent) -> Message:
    name, arguments = params.get("name"), params.get("arguments")
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise RpcError(INVALID_PARAMS, "arguments must be an object.")
    tool = _tools(agent).get(name) if isinstance(name, str) else None
    if tool is None:
        raise RpcError(INVALID_PARAMS, f"unknown tool {str(name)[:100]!r}")
    beneath = _beneath(params)
    agent = Agent(agent.sandbox, beneath)
    try:
        output = await tool.run(agent, given(tool, arguments))
    except OutOfReach as exc:
        return _content(_said(exc)) | {"isError": True, "_meta": {BENEATH: "refused"}}
    except (ToolError, ValueError) as exc:
        return _content(_said(exc)) | {"isError": True}
    except TimeoutError:
        message = f"{tool.name} took longer than {CALL_SECONDS:g} seconds"
        return _content(message) | {"isError": True}
    text = json.dumps(output, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    result = _content(text) | {"structuredContent": output}
    return result | ({"_meta": {BENEATH: beneath}} if beneath else {})


def _beneath(params: Message) -> str:
    """The folder that the caller holds this call to; the answer repeats it."""
    meta = params.get("_meta")
    beneath = meta.get(BENEATH) if isinstance(meta, dict) else None
    if beneath is None:
        return ""
    if not isinstance(beneath, str) or not _ENCODED_PATH.fullmatch(beneath):
        raise RpcError(INVALID_PARAMS, f"_meta {BENEATH} must be an absolute path, percent-encoded")
    return beneath


def _said(exc: Exception) -> str:
    """Return an error's text; bytes of a name that are not UTF-8 are percent-encoded in it."""
    return _BYTE.sub(lambda found: f"%{ord(found[0]) - 0xDC00:02X}", str(exc))


def _content(text: str) -> Message:
    return {"content": [{"type": "text", "text": text}]}


def _tools(agent: Agent) -> dict[str, Tool]:
    with_key = codegen_tools.TOOLS_WITH_KEY if codegen_tools.has_key(agent) else ()
    tools = (*process_tools.TOOLS, *file_tools.TOOLS, *codegen_tools.TOOLS, *with_key)
    return {tool.name: tool for tool in tools}


_METHODS: dict[str, Callable[[Message, Agent], Awaitable[Message]]] = {
    "initialize": _initialize,
    "ping": _ping,
    "tools/list": _list_tools,
    "tools/call": _call_tool,
}
