"""Time from a key to its echo through Manta, beside the same shell asked for at local_blaxel."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect

from bench.installation import running
from bench.report import Group, Table
from bench.timing import by_turns, ratio, spread, table
from tests.support.blaxel_client import KEY
from tests.support.manta_process import Manta
from tests.support.visitor import Visitor

TIMES = 300
PROMPT = "ready>"


def measure() -> list[Table]:
    with (
        running() as (manta, visitor),
        through_manta(manta, visitor) as relayed,
        directly(visitor) as direct,
    ):
        taken, beside = by_turns(lambda: echo(relayed), lambda: echo(direct), TIMES)
    against = ratio(taken, beside, "without Manta")
    return [table(spread("Echo of a key", taken, aim="5 ms more, p50", beside=against))]


def echo(socket: ClientConnection) -> None:
    _type(socket, "x")
    while "x" not in json.loads(socket.recv(timeout=10))["data"]:
        pass


@contextmanager
def through_manta(manta: Manta, visitor: Visitor) -> Iterator[ClientConnection]:
    csrf = {"X-CSRFToken": visitor.http.cookies["csrftoken"]}
    added = visitor.http.post("/api/sandbox/terminals", json={}, headers=csrf).raise_for_status()
    address = f"{manta.url.replace('http', 'ws', 1)}/ws/terminal?session={added.json()['key']}"
    cookie = {"Cookie": f"sessionid={visitor.http.cookies['sessionid']}"}
    with connect(
        address, additional_headers=cookie, origin=manta.url, compression=None, proxy=None
    ) as socket:
        yield _ready(socket)


@contextmanager
def directly(visitor: Visitor) -> Iterator[ClientConnection]:
    address = str((visitor.sandbox() or {})["sandboxUrl"]).replace("http", "ws", 1)
    query = urlencode({"token": KEY, "sessionId": "bench"})
    with connect(f"{address}/terminal/ws?{query}", compression=None, proxy=None) as socket:
        yield _ready(socket)


def _ready(socket: ClientConnection) -> ClientConnection:
    _type(socket, "exec bash --norc --noprofile\rPS1=ready'>'\r")
    seen = ""
    while PROMPT not in seen:
        seen += json.loads(socket.recv(timeout=10))["data"]
    return socket


def _type(socket: ClientConnection, text: str) -> None:
    socket.send(json.dumps({"type": "input", "data": text}))


GROUP = Group("Terminals", measure)
