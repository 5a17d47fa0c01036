"""WebSocket /ws/terminal: who may connect to which terminal, and why a connection ends.

Why it ended is its close code: 1000 the shell has ended, 1012 Manta restarts, 4000 plus the HTTP
status of an error, whose text was sent before.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from accounts.models import Scope
from manta.core import request_context
from manta.core.errors import UserFacingError
from sandboxes import data_plane, errors, services
from sandboxes.data_plane.terminals import note_refusal
from sandboxes.data_plane.web_sockets import AsyncWebSocket
from sandboxes.models.reach import Reach
from sandboxes.streams import auth
from sandboxes.streams.limits import NoPlace, PerUserLimit
from sandboxes.streams.revocation import revocation_watcher
from sandboxes.streams.tasks import until_first
from sandboxes.streams.terminal.relay import Relay, TooLarge

# Connections of one person to this process: some tabs, with all their terminals.
MAX_CONNECTIONS = 48
# What the screen had comes in one message: 100 KB, of which each character may be escaped.
_LARGEST_MESSAGE = 4 * 1024 * 1024
# Messages that wait for a slow page; behind them the shell itself waits.
_WAITING_MESSAGES = 4
_CONNECT_TIMEOUT = 20.0
_CLOSE_TIMEOUT = 2.0
_COLS, _ROWS, _MAX_SIZE = 80, 24, 1000

_connections = PerUserLimit(MAX_CONNECTIONS)


async def terminal(page: WebSocket) -> None:
    try:
        principal = await auth.authenticate(page, Scope.TERMINAL)
        with suppress(WebSocketDisconnect, OSError):
            await _allowed(page, principal)
    except auth.AccessDenied as refused:
        await _refuse(page, refused.response)


async def _allowed(page: WebSocket, principal: auth.Principal) -> None:
    auth.expect_parameters(page, "session", "cols", "rows", "acks", "taken")
    try:
        with _connections.hold(principal.user.pk):
            await _connected(page, principal)
    except NoPlace:
        full = errors.TooManyTerminals("Close some terminals first.")
        raise auth.AccessDenied(auth.refusal(full)) from None
    except TimeoutError:
        return  # it takes nothing any more


async def _connected(page: WebSocket, principal: auth.Principal) -> None:
    where = await _where(page, principal)
    await page.accept()
    async with revocation_watcher.watching(principal.credential) as ended:
        code, reason = await _relayed(page, principal, where, ended)
    if page.client_state is WebSocketState.CONNECTED:  # the page has not left by itself
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await page.close(code, reason)


async def _where(page: WebSocket, principal: auth.Principal) -> Reach:
    """Return the address of the terminal inside the sandbox. Raises auth.AccessDenied."""
    key, sandbox = page.query_params.get("session", ""), principal.sandbox

    def visit() -> None:
        services.terminals.visit_terminal(sandbox=sandbox, key=key, actor=principal.user)

    try:
        await principal.does(visit)
    except UserFacingError as exc:
        raise auth.AccessDenied(auth.refusal(exc)) from exc
    cols, rows = _number(page, "cols", _COLS), _number(page, "rows", _ROWS)
    return data_plane.terminals.terminal_reach(sandbox.reach, key, cols, rows)


async def _relayed(
    page: WebSocket, principal: auth.Principal, where: Reach, ended: asyncio.Event
) -> tuple[int, str]:
    """Carry until something ends it; with which code to close, and why."""
    relaying = asyncio.create_task(_relay(page, principal, where))
    await until_first(relaying, ended.wait())
    if not ended.is_set():
        return relaying.result()
    return (1012, "restarting") if revocation_watcher.is_stopping else (4401, "signed_out")


async def _relay(page: WebSocket, principal: auth.Principal, where: Reach) -> tuple[int, str]:
    try:
        async with _inside(where) as inside:
            code = await Relay(page, inside, principal).run()
    except TooLarge:
        return 1009, "too_large"
    except WebSocketDisconnect:
        return 1000, "left"
    except (OSError, WebSocketException) as exc:
        note_refusal(exc, where)
        return 4503, "lost"
    # The shell's exit closes its connection properly; nothing else does.
    return (1000, "ended") if code in (None, 1000, 1005) else (4503, "lost")


@asynccontextmanager
async def _inside(where: Reach) -> AsyncIterator[ClientConnection]:
    async with AsyncWebSocket(
        where.url,
        additional_headers={**where.headers, **request_context.headers()},
        compression=None,
        max_size=_LARGEST_MESSAGE,
        max_queue=_WAITING_MESSAGES,
        open_timeout=_CONNECT_TIMEOUT,
        close_timeout=_CLOSE_TIMEOUT,
    ) as connection:
        yield connection


async def _refuse(page: WebSocket, response: Response) -> None:
    """Deny access with a response; send other errors over the WebSocket, where a page sees them."""
    with suppress(WebSocketDisconnect, OSError):
        if response.status_code in (401, 403):
            await page.send_denial_response(response)
            return
        error = json.loads(bytes(response.body))
        await page.accept()
        await page.send_json({"type": "refused", **error})
        await page.close(4000 + response.status_code, error.get("code", ""))


def _number(page: WebSocket, name: str, usual: int) -> int:
    text = page.query_params.get(name, "")
    number = int(text[:9]) if text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= _MAX_SIZE else usual
