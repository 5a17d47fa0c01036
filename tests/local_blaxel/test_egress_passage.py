"""A connection through the proxy whose program inside goes away at the wrong moment."""

import asyncio

import pytest
import uvloop

from local_blaxel.egress import passage

CONNECT = b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
GET = b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n"


async def served(request, gone):
    """Serve a request; `gone` names the end that closes while the proxy connects."""
    outcome = asyncio.get_running_loop().create_future()

    async def answer(reader, writer):
        async def dial(demand):
            outside = await asyncio.open_connection("127.0.0.1", port)
            (writer if gone == "inside" else outside[1]).transport.abort()
            return outside

        try:
            await passage.serve((reader, writer), dial)
        except BaseException as exc:
            outcome.set_result(exc)
        finally:
            writer.transport.abort()

    async with (
        await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0) as there,
        await asyncio.start_server(answer, "127.0.0.1", 0) as proxy,
    ):
        port = there.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(*proxy.sockets[0].getsockname())
        writer.write(request)
        found = await outcome
        writer.transport.abort()
    return found


@pytest.mark.parametrize(("request_", "gone"), [(CONNECT, "inside"), (GET, "outside")])
def test_an_end_that_went_away_is_an_error_of_the_connection(request_, gone):
    found = uvloop.run(served(request_, gone))

    assert isinstance(found, ConnectionResetError), found
