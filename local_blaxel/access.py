"""Take a request into a sandbox: to its agent, or to a port on which a program listens."""

from functools import partial

from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect, unix_connect

from local_blaxel.auth import Headers, header
from local_blaxel.proxy import Exchange, Outgoing, relay_websocket
from local_blaxel.sandbox import Sandbox

# A server inside that closes badly holds up nothing for longer than this.
_CLOSES_WITHIN = 0.5


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Leave it to the client of the server inside to follow."""
        return exc


async def agent(
    sandbox: Sandbox, outgoing: Outgoing, scope: Scope, receive: Receive, send: Send
) -> None:
    """The sandbox's own API; raises ApiError while nothing was answered yet."""
    async with sandbox.use() as use:
        receive, send = use.receiving(receive), use.sending(send)
        if scope["type"] == "websocket":
            dial = partial(unix_connect, sandbox.agent_path(), close_timeout=_CLOSES_WITHIN)
            return await relay_websocket(scope, receive, send, outgoing, dial)
        await Exchange(sandbox.agent, scope, receive, send).run(outgoing)


async def port(
    sandbox: Sandbox, number: int, outgoing: Outgoing, scope: Scope, receive: Receive, send: Send
) -> None:
    """A server inside the sandbox; BadGateway when none listens on the port."""
    async with sandbox.use() as use:
        receive, send = use.receiving(receive), use.sending(send)
        pool = sandbox.port(number)
        if scope["type"] == "websocket":
            pool.make_way()
            sock = await sandbox.dial(number)
            dial = partial(_Connect, sock=sock, close_timeout=_CLOSES_WITHIN)
            return await relay_websocket(scope, receive, send, outgoing, dial)
        await Exchange(pool, scope, receive, send).run(outgoing)


def forwarded(scope: Scope, headers: Headers) -> Headers:
    """Return the headers for an app inside; only this server adds the name it was reached by."""
    kept = [
        (name, value)
        for name, value in headers
        if name != b"forwarded" and not name.startswith(b"x-forwarded-")
    ]
    host = header(scope, b"host") or b""
    return [*kept, (b"x-forwarded-host", host), (b"x-forwarded-proto", b"http")]


def target(path: bytes, query: bytes) -> bytes:
    return (path or b"/") + (b"?" + query if query else b"")
