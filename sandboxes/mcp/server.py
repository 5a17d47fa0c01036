"""What is answered to an agent: the sandbox's tools and Manta's, and the calls of both."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, cast

import httpx2 as httpx
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from manta.request_id import bound
from sandboxes import errors
from sandboxes.mcp import limits, upstream
from sandboxes.mcp.caller import Caller
from sandboxes.mcp.capped import capped
from sandboxes.mcp.own_tools import TOOLS
from sandboxes.mcp.recorder import Outcome, recorder

# Files are written whole through here, escaped as JSON.
_LARGEST_MESSAGE = 16 * 2**20
_INSTRUCTIONS = (
    "One person's own Linux sandbox: its files, processes and ports. It falls asleep when idle and "
    "wakes when it is used. Its project is in /blaxel/app."
)
Context = ServerRequestContext[httpx.AsyncClient]
Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Answer]:
    """Yields the ASGI application; what it still answers at the end is broken off."""
    server: Server[httpx.AsyncClient] = Server(
        "manta",
        instructions=_INSTRUCTIONS,
        lifespan=lambda server: upstream.new_client(),
        # Without it the SDK lists the sandbox's tools before each call.
        get_tool_input_schema=lambda name: None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    manager = StreamableHTTPSessionManager(
        server, stateless=True, max_request_body_size=_LARGEST_MESSAGE
    )
    async with manager.run():
        yield manager.handle_request


async def list_tools(
    ctx: Context, params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    """The sandbox's own, whichever it has, and on the first page Manta's."""
    cursor = params.cursor if params else None
    try:
        result = await _ask(ctx, "tools/list", {"cursor": cursor} if cursor else {})
    except errors.SandboxError as exc:
        raise MCPError(types.INTERNAL_ERROR, f"{exc} ({exc.code})") from exc
    own = [] if cursor else [tool.described() for tool in TOOLS.values()]
    passport = _caller(ctx).grant.passport
    tools = [tool for tool in [*own, *result["tools"]] if limits.offers(passport, tool["name"])]
    return types.ListToolsResult.model_validate({**result, "tools": tools})


async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    grant = _caller(ctx).grant
    with bound(), recorder.flight(grant, params.name, params.arguments or {}) as flight:
        try:
            result = await _result_of(ctx, params)
            flight.ended(Outcome.ERROR if result.get("isError") else Outcome.OK)
        except errors.SandboxError as exc:
            refused = isinstance(exc, limits.NotInPassport)
            flight.ended(Outcome.REFUSED if refused else Outcome.ERROR, exc.code)
            result = {"content": [{"type": "text", "text": f"{exc} ({exc.code})"}], "isError": True}
        except MCPError as exc:
            flight.ended(Outcome.ERROR, str(exc.error.code))
            raise
        return types.CallToolResult.model_validate(result)


async def _result_of(ctx: Context, params: types.CallToolRequestParams) -> dict[str, Any]:
    caller, arguments = _caller(ctx), params.arguments or {}
    limits.check(caller.grant, params.name)
    if params.name in TOOLS:
        tool = TOOLS[params.name]
        sandbox = await caller.sandbox()
        return await caller.does(lambda: tool.result(sandbox, arguments))
    arguments = await limits.within_prefix(caller.grant, params.name, arguments, partial(_own, ctx))
    call: dict[str, Any] = {"name": params.name, "arguments": arguments}
    token = ctx.meta.get("progress_token") if ctx.meta else None
    if token is not None:
        call["_meta"] = {"progressToken": token}
    result: dict[str, Any] = capped(await _ask(ctx, "tools/call", call))
    return result


async def _own(ctx: Context, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What one of the sandbox's tools puts out for Manta itself."""
    result = await _ask(ctx, "tools/call", {"name": tool, "arguments": arguments})
    output: dict[str, Any] = result.get("structuredContent") or {}
    return output


def _caller(ctx: Context) -> Caller:
    return Caller(cast(Request, ctx.request).scope["grant"])


async def _ask(ctx: Context, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Ask the caller's sandbox; its own errors go through as they are."""
    sandbox = await _caller(ctx).sandbox()

    async def pass_on(message: dict[str, Any]) -> None:
        if message.get("method") == "notifications/progress":
            told = message.get("params") or {}
            await ctx.session.report_progress(
                told.get("progress", 0), told.get("total"), told.get("message")
            )

    try:
        return await upstream.ask(ctx.lifespan_context, sandbox.url, method, params, pass_on)
    except upstream.Refused as exc:
        code, message, data = exc.args
        raise MCPError(code, message, data) from exc
    except upstream.Unreachable as exc:
        raise errors.ProviderUnavailable(
            "The sandbox is not answering. Try again in some seconds."
        ) from exc
