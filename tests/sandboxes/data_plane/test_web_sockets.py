"""WebSockets to a hostile sandbox, which lead nowhere else."""

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from sandboxes import errors
from sandboxes.data_plane import terminals
from sandboxes.streams.terminal import endpoint
from tests.support.hostile_server import Hostile


@pytest.fixture
def elsewhere(hostile):
    """A server that the sandbox sends Manta to, and could not reach itself."""
    server = Hostile()
    address = server.url.replace("http", "ws")
    said = f"HTTP/1.1 302 Found\r\nLocation: {address}/secret\r\nContent-Length: 0\r\n\r\n"
    hostile.answer = lambda handler: handler.wfile.write(said.encode())
    yield server
    server.stop()


def test_a_terminal_that_is_closed_follows_no_redirect(hostile, elsewhere):
    with pytest.raises(errors.ProviderUnavailable):
        terminals.hang_up(hostile.reach, "key", force=True)

    assert len(hostile.asked) == 1
    assert elsewhere.asked == []


def test_a_terminal_that_is_shown_follows_no_redirect(hostile, elsewhere):
    where = terminals.terminal_reach(hostile.reach, "key", 80, 24)

    async def opened():
        async with endpoint._inside(where):
            pass

    with pytest.raises(InvalidStatus):
        asyncio.run(opened())

    assert len(hostile.asked) == 1
    assert elsewhere.asked == []
