"""Terminals in a sandbox. Blaxel's API opens one, and has no call that ends one."""

import json
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection

from manta.core import request_context
from sandboxes import errors
from sandboxes.data_plane import trusted
from sandboxes.data_plane.processes import run
from sandboxes.data_plane.shares import shares
from sandboxes.data_plane.web_sockets import WebSocket
from sandboxes.models.reach import Reach, gateway_code_in, note_answer

_OPEN_TIMEOUT = 5.0
_END_TIMEOUT = 5.0
_HANG_UP = trusted.read_script("hang_up.sh")


def terminal_reach(reach: Reach, session: str, cols: int, rows: int) -> Reach:
    """Return the address of a terminal's WebSocket; the first to open it starts the shell."""
    query = urlencode({"sessionId": f"manta-{session}", "cols": cols, "rows": rows})
    found = reach.at(f"/terminal/ws?{query}")
    return replace(found, url=found.url.replace("http", "ws", 1))


def note_refusal(exc: Exception, where: Reach) -> None:
    """Note a session by which no WebSocket was opened."""
    if isinstance(exc, InvalidStatus):
        code = gateway_code_in(bytes(exc.response.body))
        note_answer(exc.response.status_code, where.headers, code)


def hang_up(reach: Reach, session: str, *, force: bool) -> str:
    """End a terminal's shell; unless forced, only if nothing runs in it, else return what does."""
    cols, rows = (200 + secrets.randbelow(800) for _ in range(2))
    where = terminal_reach(reach, session, cols, rows)
    try:
        with (
            shares.place(reach),
            WebSocket(
                where.url,
                additional_headers={**where.headers, **request_context.headers()},
                compression=None,
                open_timeout=_OPEN_TIMEOUT,
                close_timeout=1,
            ) as socket,
        ):
            socket.send(json.dumps({"type": "resize", "cols": cols, "rows": rows}))
            values = {"ROWS": str(rows), "COLS": str(cols), "FORCE": "yes" if force else ""}
            program = run(reach, _HANG_UP, timeout=15, values=values).strip()
            if not program:
                _until_closed(socket)
            return program
    except (OSError, WebSocketException) as exc:
        note_refusal(exc, where)
        raise errors.ProviderUnavailable(
            f"Your sandbox is not answering. {errors.TRIES_AGAIN}"
        ) from exc


def _until_closed(socket: ClientConnection) -> None:
    deadline = time.monotonic() + _END_TIMEOUT
    with suppress(ConnectionClosed):
        while (left := deadline - time.monotonic()) > 0:
            socket.recv(timeout=left)
    if socket.close_code is None:
        raise errors.ProviderUnavailable("The terminal's shell did not end. Close it once more.")
