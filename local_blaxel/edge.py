"""The data plane: `/{workspace}/sandboxes/{name}/...` goes into the sandbox.

Paths are taken raw: `//tmp` and `%2Ftmp` mean something else than `/tmp` to the agent.
"""

import re
from collections.abc import Callable
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local_blaxel import errors, sandbox_api
from local_blaxel.auth import Gate, header
from local_blaxel.errors import ApiError, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.proxy import refuse_websocket
from local_blaxel.sessions import Sessions

_SANDBOX = re.compile(rb"/([^/]+)/sandboxes/([^/]+)(/.*)?", re.DOTALL)
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
}


class Edge:
    def __init__(self, fleet: Fleet, gate: Gate, sessions: Sessions) -> None:
        self._fleet = fleet
        self._gate = gate
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_preflight(scope):
            # A browser never sends a credential with it, and it must not wake anything.
            return await Response(status_code=204, headers=CORS)(scope, receive, send)
        try:
            await self._carry(scope, receive, send)
        except ApiError as error:
            await answer(error, scope, receive, send)

    async def _carry(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _SANDBOX.fullmatch(scope["raw_path"])
        if match is None:
            raise NotFound("There is nothing at this address.", code="ROUTE_NOT_FOUND")
        workspace, name, path = match.groups()
        is_mcp = sandbox_api.speaks_mcp(path, scope)
        session = self._sessions.shown(scope, name.decode()) if is_mcp else None
        if session is None:
            self._gate.check(scope)
        if workspace.decode() != self._gate.workspace:
            raise NotFound("There is no such workspace.", code="WORKSPACE_NOT_FOUND")
        sandbox = self._fleet.live(name.decode())
        headers = self._gate.without_credentials(scope["headers"])
        query = self._gate.without_key(scope["query_string"])
        work = partial(sandbox_api.carry, sandbox, path, query, headers, scope, receive)
        if session is None:
            return await work(send)
        await self._sessions.while_admitted(session, send, work)


def is_preflight(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and header(scope, b"access-control-request-method") is not None
        and header(scope, b"origin") is not None
    )


async def answer(
    error: ApiError,
    scope: Scope,
    receive: Receive,
    send: Send,
    render: Callable[[ApiError], Response] = errors.gateway,
) -> None:
    """Tell a client of either protocol what went wrong."""
    response = render(error)
    if scope["type"] == "websocket":
        return await refuse_websocket(send, response.status_code, bytes(response.body))
    await response(scope, receive, send)
