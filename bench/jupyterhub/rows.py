"""The rows of the comparison: what both are asked, and how the answers stand beside each other."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import median
from urllib.parse import urlencode, urlsplit

from websockets.sync.client import ClientConnection, connect

from bench import load, terminals
from bench.blaxel.terminals import Read, Write, echoes
from bench.jupyterhub import hub
from bench.jupyterhub.hub import Hub
from bench.load import Load
from bench.timing import milliseconds, percentile
from tests.support.blaxel_client import KEY
from tests.support.manta_process import Manta
from tests.support.visitor import PASSWORD, Visitor

HEADINGS = ("What", "JupyterHub", "Manta", "Directly", "Manta / JupyterHub", "Aim")
ROUNDS = 3
SECONDS = 2.0
ARRIVALS = 6
# Longer than local_blaxel takes to have its pool of started agents full again.
PAUSE = 3.0
KEYS = 100
LARGE = 10 * 2**20
# Of more requests at once to one sandbox, Manta refuses some.
MAX_IN_FLIGHT = 6
FILE = "/blaxel/small.txt"

Row = tuple[str, ...]
Terminal = tuple[Write, Read]


@dataclass(frozen=True)
class Product:
    """Requests that one of the two is sent, each for a row of the table."""

    status: Load
    sign_in_page: Load
    sign_in: Load
    file: Load
    # The address of a port's root: a server there answers with as many bytes as the path says.
    port: Load

    def body(self, size: int) -> Load:
        return replace(self.port, path=f"{self.port.path}/{size}")


def of_hub(running: Hub, port: int) -> Product:
    own, home = running.own_token(), f"/user/{hub.USER}"
    return Product(
        status=Load(running.port, f"/hub/api/users/{hub.USER}", 1, 0, own),
        sign_in_page=Load(running.port, "/hub/login", 1, 0),
        sign_in=running.sign_in(),
        file=Load(running.port, f"{home}/api/contents/{hub.FILE}", 1, 0, own),
        port=Load(running.port, f"{home}/proxy/{port}", 1, 0, own),
    )


def of_manta(manta: Manta, visitor: Visitor, token: str, port: int) -> Product:
    own = {"Authorization": f"Bearer {token}"}
    inside = urlsplit(str((visitor.sandbox() or {})["sandboxUrl"]))
    form = {"login": visitor.email, "password": PASSWORD}
    form["csrfmiddlewaretoken"] = csrf = visitor.http.cookies["csrftoken"]
    cookie = {"Cookie": f"csrftoken={csrf}"}
    return Product(
        status=Load(manta.port, "/api/sandbox/init", 1, 0, own),
        sign_in_page=Load(manta.port, "/accounts/login/", 1, 0),
        sign_in=Load(manta.port, "/accounts/login/", 1, 0, cookie, urlencode(form), (302,)),
        file=Load(manta.port, f"/api/sandbox/files?path={FILE}", 1, 0, own),
        port=Load(
            inside.port or 0,
            f"{inside.path}/port/{port}",
            1,
            0,
            {"X-Blaxel-Authorization": f"Bearer {KEY}"},
        ),
    )


def rates(theirs: Product, ours: Product) -> list[Row]:
    """Requests a second, by turns."""
    asked = {
        "Status by REST with a token": (theirs.status, ours.status, (1, 16, 64), "≥ 2 from 16"),
        "Sign-in page": (theirs.sign_in_page, ours.sign_in_page, (1, 16, 64), "≥ 1"),
        "Read a small file": (theirs.file, ours.file, (1, MAX_IN_FLIGHT), "≥ 0.6"),
        "Sign-in: POST": (theirs.sign_in, ours.sign_in, (16,), "≥ 15 a second"),
        "1 KB through a port": (theirs.body(1024), ours.body(1024), (1, 16, 64), "≥ 4"),
    }
    rows = []
    for name, (hubs, mantas, clients, aim) in asked.items():
        for number in clients:
            them, us = _by_turns(*(replace(each, clients=number) for each in (hubs, mantas)))
            cells = (_of_rate(them), _of_rate(us), "", f"{us[0] / them[0]:.2f}")
            rows.append((f"{name}, {number} at once", *cells, aim))
    return rows


def _by_turns(theirs: Load, ours: Load) -> list[tuple[float, float]]:
    """Return for each the medians of its rate and of its p50."""
    found = [
        [load.measure(replace(each, seconds=SECONDS)) for each in (theirs, ours)]
        for _ in range(ROUNDS)
    ]
    return [
        (
            median(result.rate for result in results),
            median(percentile(result.taken, 50) for result in results),
        )
        for results in zip(*found, strict=True)
    ]


def _of_rate(found: tuple[float, float]) -> str:
    return f"{found[0]:,.0f} / s ({found[1]:.1f} ms)"


def transfers(theirs: Product, ours: Product, direct: int) -> list[Row]:
    """A large body through a port, by turns, in MiB a second."""
    loads = [each.body(LARGE) for each in (theirs, ours)]
    loads.append(Load(direct, f"/{LARGE}", 1, 0))
    rows = []
    for clients in (1, 4):
        found = [[_transfer(each, clients) for each in loads] for _ in range(ROUNDS)]
        them, us, directly = (median(column) for column in zip(*found, strict=True))
        cells = (f"{rate:,.0f} MiB / s" for rate in (them, us, directly))
        share = f"{us / them:.2f}; {us / directly:.0%} of direct"
        rows.append((f"10 MiB through a port, {clients} at once", *cells, share, "≥ 60% of direct"))
    return rows


def _transfer(each: Load, clients: int, times: int = 5) -> float:
    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        list(pool.map(lambda _: load.download(each), range(times * clients)))
        return times * clients * LARGE / 2**20 / (time.perf_counter() - started)


def arrivals(running: Hub, manta: Manta) -> Row:
    """From a person's first sign-in to an answer of what is theirs, by turns."""
    them, us = [], []
    for number in range(ARRIVALS):
        time.sleep(PAUSE)
        them.append(milliseconds(lambda name=f"person-{number}": running.arrive(name)))
        time.sleep(PAUSE)
        with Visitor(manta.url) as visitor:
            us.append(milliseconds(lambda: _arrive(visitor)))
    theirs, ours = median(them) / 1000, median(us) / 1000
    ratio = f"{theirs / ours:.1f} x faster"
    return (
        f"First sign-in to an answer, p50 of {ARRIVALS}",
        f"{theirs:.2f} s",
        f"{ours:.2f} s",
        "",
        ratio,
        "≤ 0.35 s",
    )


def _arrive(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.until_ready()
    visitor.http.get("/api/sandbox/processes").raise_for_status()


def keys(running: Hub, manta: Manta, visitor: Visitor) -> Row:
    """From a key to its echo, by turns."""
    with (
        connect(
            running.new_terminal(),
            additional_headers={"Authorization": f"token {hub.KEY}"},
            compression=None,
            proxy=None,
        ) as hubs,
        terminals.through_manta(manta, visitor) as mantas,
        terminals.directly(visitor) as direct,
    ):
        ends = [_of_jupyter(hubs), _of_blaxel(mantas), _of_blaxel(direct)]
        found = [[_percentiles(end) for end in ends] for _ in range(ROUNDS)]
    cells = []
    for each in zip(*found, strict=True):
        p50, p99 = (median(column) for column in zip(*each, strict=True))
        cells.append((p50, f"{p50:.2f} ms (p99 {p99:.1f})"))
    ratio = f"{cells[0][0] / cells[1][0]:.2f}"
    written = (text for _, text in cells)
    return ("A key to its echo, p50", *written, ratio, "p50 ≤ direct + 0.3 ms")


def _percentiles(end: Terminal) -> tuple[float, float]:
    taken = echoes(*end, KEYS)
    return percentile(taken, 50), percentile(taken, 99)


def _of_jupyter(socket: ClientConnection) -> Terminal:
    return (
        lambda text: socket.send(json.dumps(["stdin", text])),
        lambda: str(json.loads(socket.recv(timeout=10))[1]),
    )


def _of_blaxel(socket: ClientConnection) -> Terminal:
    return (
        lambda text: socket.send(json.dumps({"type": "input", "data": text})),
        lambda: str(json.loads(socket.recv(timeout=10))["data"]),
    )
