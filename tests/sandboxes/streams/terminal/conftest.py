"""A real web process, alice's real sandbox, and what a page says to its terminals."""

import json
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sandboxes import services
from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, pending
from tests.support.web_process import TIMEOUT, Web, cookie_of


@pytest.fixture
def made(transactional_db, provider, alice):
    """Alice's sandbox, which is really there."""
    sandbox = SandboxFactory(owner=alice, **pending())
    reconcile(sandbox.pk)
    sandbox.refresh_from_db()
    return sandbox


@pytest.fixture
def key(made):
    return services.terminals.add_terminal(sandbox=made).key


class Page:
    def __init__(self, socket) -> None:
        self.socket = socket
        self.seen = ""
        self.taken = 0

    def types(self, text: str) -> None:
        self.socket.send(json.dumps({"type": "input", "data": text}))

    def hears(self) -> dict:
        return json.loads(self.socket.recv(timeout=TIMEOUT))

    def sees(self, text: str) -> str:
        """Wait until it is on the screen."""
        deadline = time.monotonic() + TIMEOUT
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen[-500:]
            heard = self.hears()
            self.seen += heard.get("data", "")
            self.taken += heard.get("messages", 0)
        return self.seen

    def ends(self) -> tuple[int, str]:
        """Wait for the end; its code and reason."""
        with suppress(ConnectionClosed):
            while True:
                self.hears()
        return self.socket.close_code, self.socket.close_reason


@dataclass
class Connecting:
    web: Web
    cookie: str
    open: ExitStack

    def __call__(self, key: str, origin: str | None = "", **query) -> Page:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        return self.with_headers(key, headers, origin, **query)

    def with_headers(self, key, headers, origin="", **query) -> Page:
        address = f"{self.web.url.replace('http', 'ws')}/ws/terminal?"
        connecting = connect(
            address + urlencode({"session": key, **query}),
            additional_headers=headers,
            origin=self.web.url if origin == "" else origin,
            proxy=None,
            max_size=None,
            max_queue=1,
            # What a test left unread would keep the closing handshake waiting.
            close_timeout=0.5,
        )
        return Page(self.open.enter_context(connecting))


@pytest.fixture
def connected(web, made):
    """Connect to a terminal as a page of alice's."""
    with ExitStack() as sockets:
        yield Connecting(web, cookie_of(made.owner), sockets)
