"""Asking what answers beside Django, and a place where a sandbox would be."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

from manta.asgi import application
from sandboxes import data_plane

TIMEOUT = 60


class Answer:
    """What one request was answered; of a stream, its beginning."""

    def __init__(self) -> None:
        self.status = 0
        self.text = ""


def ask(kind: str, path: str, query: dict[str, str], cookie: str, method: str = "GET") -> Answer:
    """One "http" or "websocket" request of a browser, which leaves once it has heard something."""
    return asyncio.run(asyncio.wait_for(_ask(kind, path, query, cookie, method), TIMEOUT))


async def _ask(kind: str, path: str, query: dict[str, str], cookie: str, method: str) -> Answer:
    answer, heard, coming = Answer(), asyncio.Event(), [_FIRST[kind]]
    headers = {"host": "localhost", "origin": "http://localhost", "cookie": cookie}
    scope = {
        "type": kind,
        "http_version": "1.1",
        "scheme": kind.replace("websocket", "ws"),
        "path": path,
        "query_string": urlencode(query).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "extensions": {"websocket.http.response": {}},
    } | ({"method": method} if kind == "http" else {})

    async def receive() -> dict[str, object]:
        if coming:
            return coming.pop()
        await heard.wait()
        return {"type": f"{kind}.disconnect"}

    async def send(message: dict[str, object]) -> None:
        answer.status = message.get("status", 0) or message.get("code", 0) or answer.status
        told = message.get("body", b"").decode() or message.get("text", "")
        answer.text += told
        if told or message["type"] == "websocket.close":
            heard.set()

    try:
        await application(scope, receive, send)
    finally:
        await data_plane.async_client.close_streaming_client()
    return answer


_FIRST: dict[str, dict[str, object]] = {
    "http": {"type": "http.request", "body": b"", "more_body": False},
    "websocket": {"type": "websocket.connect"},
}


class Machine:
    """Notes who asks it for something, and has nothing."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []


@contextmanager
def machine() -> Iterator[Machine]:
    class Handler(BaseHTTPRequestHandler):
        def _refuse(self) -> None:
            found.asked.append(self.path)
            self.send_error(404)

        do_GET = do_POST = do_PUT = do_DELETE = _refuse

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Machine(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()
