"""The raw form of a file that changes while it is sent."""

import asyncio

import pytest
from starlette.requests import Request

from local_blaxel.agent.files import FileApi
from local_blaxel.agent.sandbox import Sandbox

SIZE = 300_000


def download(path, meanwhile, headers=()):
    """The response's headers, and its content when the file has changed since it began."""
    said = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "http.response.start":
            meanwhile()
        said.append(message)

    async def work():
        raw = f"/filesystem/{path}".encode()
        scope = {"type": "http", "method": "GET", "path": raw.decode(), "raw_path": raw}
        scope |= {"query_string": b"download=true", "headers": list(headers)}
        api = FileApi(Sandbox("test", "/", "none", {}))
        response = await api.read(Request(scope, receive))
        await response(scope, receive, send)

    asyncio.run(work())
    start, *parts = said
    return dict(start["headers"]), b"".join(part.get("body", b"") for part in parts)


@pytest.mark.parametrize("headers", [[], [(b"range", b"bytes=0-")]], ids=["whole", "range"])
def test_as_much_is_sent_of_a_growing_file_as_there_was(tmp_path, headers):
    file = tmp_path / "log"
    file.write_bytes(b"a" * SIZE)

    def grow():
        with file.open("ab") as more:
            more.write(b"b" * SIZE)

    told, content = download(file, grow, headers)

    assert int(told[b"content-length"]) == SIZE
    assert content == b"a" * SIZE
