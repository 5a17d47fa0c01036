"""MCP server for agents: lists the tools of the sandbox and of Manta, and runs their calls."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, cast

import httpx2 as httpx
import mcp_types as types
from django.http import HttpRequest
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from manta.core.computing import in_thread
from sandboxes import errors, services
from sandboxes.data_plane.client import objects_of, understood
from sandboxes.data_plane.process_snapshot import is_own
from sandboxes.mcp import direct, file_names, permissions, upstream
from sandboxes.mcp.call_log import Outcome, tool_call_log
from sandboxes.mcp.caller import Caller
from sandboxes.mcp.intake import MAX_BODY, replayed, whole
from sandboxes.mcp.tools import TOOLS
from sandboxes.mcp.truncation import truncated
from sandboxes.streams.provider_calls import ask_provider, ensure_session

_INSTRUCTIONS = (
    "One user's own Linux sandbox: its files, processes and ports. It sleeps when it is idle and "
    "wakes when it is used. Its project is in /blaxel/app."
)
_JSON, _STREAM = "application/json", "text/event-stream"
_NOT_JSON = {
    "error": f"Send JSON, with the Content-Type {_JSON}.",
    "code": "unsupported_media_type",
}
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
    streaming, plain = (
        StreamableHTTPSessionManager(
            server, json_response=is_plain, stateless=True, max_request_body_size=MAX_BODY
        )
        for is_plain in (False, True)
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = MutableHeaders(scope=scope)
        # Media types are the same in any case, and the SDK compares letters.
        if headers.get("Content-Type", "").partition(";")[0].strip().lower() != _JSON:
            return await JSONResponse(_NOT_JSON, 415)(scope, receive, send)
        headers["Content-Type"] = _JSON
        # Several headers are one list, and an empty one says as little as none (RFC 9110, 5.3).
        accept = ", ".join(filter(str.strip, headers.getlist("Accept"))) or "*/*"
        if accepts_stream(accept):
            headers["Accept"] = f"{_JSON}, {_STREAM}"
            body = await whole(receive)
            message = direct.request_in(body, headers)
            if message is not None:
                return await direct.answer(server, state, message, scope, receive, send)
            return await streaming.handle_request(scope, replayed(body, receive), send)
        headers["Accept"] = accept
        await plain.handle_request(scope, receive, send)

    async with streaming.run(), plain.run(), server.lifespan(server) as state:
        yield answer


def accepts_stream(header: str) -> bool:
    """Return whether a client takes events; one that does not is told nothing of progress."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = header
    try:
        return request.accepts(_STREAM)
    except ValueError:
        return False


async def list_tools(
    ctx: Context, params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    """The sandbox's own, whichever it has, and on the first page Manta's."""
    cursor = params.cursor if params else None
    own = [] if cursor else [tool.described() for tool in TOOLS.values()]
    granted = _caller(ctx).grant.permissions
    try:
        result = await _ask(ctx, "tools/list", {"cursor": cursor} if cursor else {})
        with understood():
            tools = [*own, *objects_of(result.get("tools"))]
            offered = [tool for tool in tools if permissions.offers(granted, str(tool["name"]))]
            return types.ListToolsResult.model_validate({**result, "tools": offered})
    except errors.SandboxError as exc:
        raise MCPError(types.INTERNAL_ERROR, f"{exc} ({exc.code})") from exc


async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    grant = _caller(ctx).grant
    with tool_call_log.recording(grant, params.name, params.arguments or {}) as call:
        try:
            told = await _result_of(ctx, params)
            with understood():
                result = types.CallToolResult.model_validate(told)
            call.ended(Outcome.ERROR if result.is_error else Outcome.OK)
            return result
        except errors.SandboxError as exc:
            refused = isinstance(exc, permissions.PermissionDenied)
            call.ended(Outcome.REFUSED if refused else Outcome.ERROR, exc.code)
            why = types.TextContent(type="text", text=f"{exc} ({exc.code})")
            return types.CallToolResult(content=[why], is_error=True)
        except MCPError as exc:
            call.ended(Outcome.ERROR, str(exc.error.code))
            raise


async def _result_of(ctx: Context, params: types.CallToolRequestParams) -> dict[str, Any]:
    caller, arguments = _caller(ctx), params.arguments or {}
    permissions.check(caller.grant, params.name)
    if (odd := permissions.misspelt(params.name, arguments)) is not None:
        text = f"There is no argument “{odd[:64]}”. Spell it as the tool's description does."
        raise MCPError(types.INVALID_PARAMS, text)
    _refuse_own_names(params.name, arguments)
    if params.name in TOOLS:
        tool = TOOLS[params.name]
        sandbox = await caller.sandbox()
        run = partial(tool.result, sandbox, arguments)
        return await (ask_provider(sandbox, run) if tool.asks_provider else caller.does(run))
    own = partial(_own, ctx)
    with understood():
        arguments = await permissions.within_prefix(caller.grant, params.name, arguments, own)
    arguments = file_names.raw(params.name, arguments)
    call: dict[str, Any] = {"name": params.name, "arguments": arguments}
    token = ctx.meta.get("progress_token") if ctx.meta else None
    meta: dict[str, Any] = dict(permissions.meta(caller.grant))
    if token is not None:
        meta["progressToken"] = token
    if meta:
        call["_meta"] = meta
    told = await _ask(ctx, "tools/call", call)
    with understood():
        permissions.expect_within(caller.grant, told)
    told = await file_names.told(params.name, told)
    return cast(dict[str, Any], await in_thread(truncated, told))


def _refuse_own_names(tool: str, arguments: dict[str, Any]) -> None:
    """Manta tells its own processes by their names, and believes what they say. Raises."""
    names = (arguments.get(each) for each in ("name", "identifier"))
    if tool.startswith("process") and any(map(is_own, names)):
        raise errors.ProcessRefused(
            "Names that begin with “manta-” are reserved. Use another name."
        )
    name = arguments.get("name")
    if tool == "processExecute" and isinstance(name, str) and name:
        services.processes.check_process_name(name)


async def _own(
    ctx: Context, tool: str, arguments: dict[str, Any], meta: dict[str, str]
) -> dict[str, Any]:
    """The result of one of the sandbox's tools, for Manta itself."""
    call: dict[str, Any] = {"name": tool, "arguments": arguments}
    if meta:
        call["_meta"] = meta
    return await _ask(ctx, "tools/call", call)


def _number(told: Any) -> float | None:
    return told if isinstance(told, int | float) and abs(told) < 2**63 else None


def _caller(ctx: Context) -> Caller:
    scope = cast(Request, ctx.request).scope
    caller: Caller = scope.setdefault("caller", Caller(scope["grant"]))
    return caller


async def _ask(ctx: Context, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Ask the caller's sandbox; its own errors go through as they are."""
    caller = _caller(ctx)
    sandbox = await caller.sandbox()
    await ensure_session(sandbox)

    async def pass_on(message: dict[str, Any]) -> None:
        told = message.get("params")
        if message.get("method") == "notifications/progress" and isinstance(told, dict):
            progress, total = (_number(told.get(name)) for name in ("progress", "total"))
            text = told.get("message")
            shown = text if isinstance(text, str) else None
            await ctx.session.report_progress(progress or 0, total, shown)

    try:
        return await upstream.ask(ctx.lifespan_context, sandbox.reach, method, params, pass_on)
    except upstream.Refused as exc:
        code, message, data = exc.args
        raise MCPError(code, message, data) from exc
    except upstream.Unreachable as exc:
        raise errors.ProviderUnavailable(
            "The sandbox is not answering. Try again in a few seconds."
        ) from exc
