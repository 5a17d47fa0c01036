"""Clients of a sandbox's terminal."""

import json
import re
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from tests.support.local_blaxel import KEY, TIMEOUT


class Terminal:
    """One client of a terminal, and all that it was shown."""

    def __init__(self, socket):
        self.socket = socket
        self.shown = ""
        self.errors = []

    def send(self, **message):
        self.socket.send(json.dumps(message))

    def type(self, text):
        self.send(type="input", data=text)

    def hear(self):
        message = json.loads(self.socket.recv(timeout=TIMEOUT))
        if message["type"] == "error":
            self.errors.append(message["data"])
        else:
            self.shown += message["data"]

    def see(self, pattern):
        """Hear until what was shown matches, and return the match."""
        while not (match := re.search(pattern, self.shown)):
            self.hear()
        return match

    def hear_all(self):
        """Hear until the socket is closed in good order."""
        with pytest.raises(ConnectionClosedOK):
            while True:
                self.hear()


@contextmanager
def opened(server, name, query=""):
    address = f"{server.url}{server.inside(name, '/terminal/ws')}".replace("http", "ws", 1)
    with connect(f"{address}?token={KEY}&{query}", proxy=None) as socket:
        yield Terminal(socket)
