"""An MCP client that has nothing but an address, and the person who lets it in."""

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from playwright.sync_api import Page, expect


class Storage:
    """The client's own memory."""

    tokens: Any = None
    client_info: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client_info

    async def set_client_info(self, client_info: Any) -> None:
        self.client_info = client_info


class McpClient:
    """The `mcp` package's own client; the browser is somebody else's business."""

    def __init__(self, url: str, callback: "Callback") -> None:
        self.url, self.callback, self.storage = url, callback, Storage()
        self.asks: queue.Queue[str] = queue.Queue()
        self._thread = ThreadPoolExecutor(1)

    def starts(self, work: Callable[[Client], Awaitable[Any]]) -> Future[Any]:
        """Connect, sign in where that is needed, and do something."""
        return self._thread.submit(lambda: asyncio.run(self._connected(work)))

    def expire(self) -> None:
        """Have it believe that an hour has passed."""
        self._auth.context.token_expiry_time = 1

    async def _connected(self, work: Callable[[Client], Awaitable[Any]]) -> Any:
        self._auth = OAuthClientProvider(
            self.url,
            OAuthClientMetadata(
                client_name="The SDK", redirect_uris=[self.callback.url], scope=None
            ),
            self.storage,
            redirect_handler=self._redirect,
            callback_handler=self._answer,
        )
        async with (
            httpx2.AsyncClient(auth=self._auth, trust_env=False, timeout=90) as http,
            Client(streamable_http_client(self.url, http_client=http)) as client,
        ):
            return await work(client)

    async def _redirect(self, url: str) -> None:
        self.asks.put(url)

    async def _answer(self) -> AuthorizationCodeResult:
        query = await asyncio.to_thread(self.callback.answers.get, timeout=90)
        return AuthorizationCodeResult(**query)


class Callback:
    """The little server of a client on this machine, where the browser is sent back to."""

    def __init__(self) -> None:
        self.answers: queue.Queue[dict[str, str]] = queue.Queue()
        self.server = HTTPServer(("127.0.0.1", 0), _handler(self.answers))
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"


@contextmanager
def listening() -> Iterator[Callback]:
    callback = Callback()
    threading.Thread(target=callback.server.serve_forever, daemon=True).start()
    yield callback
    callback.server.shutdown()
    callback.server.server_close()


def _handler(answers: "queue.Queue[dict[str, str]]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/callback":
                answers.put({name: value for name, (value,) in parse_qs(parts.query).items()})
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><link rel=icon href=data:,><h1>Back at the agent")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def allow(page: Page, url: str, name: str) -> None:
    """What a person does who started it."""
    page.goto(url)
    expect(page.get_by_role("heading", name=f"Allow “{name}” to use your sandbox?")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
