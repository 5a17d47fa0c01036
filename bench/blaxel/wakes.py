"""Time from a request to a sleeping sandbox to the answer of the server inside."""

import time

from bench.blaxel.busy import ASLEEP, PROCESSES, fill
from bench.blaxel.running import create, running
from bench.report import Table
from bench.timing import milliseconds, ratio, spread, table
from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

TIMES = 80


def measure() -> list[Table]:
    with running(standby_after="0.1") as server:
        create(server, "bench")
        fill(server, "bench")
        pairs = [_asleep_and_awake(server) for _ in range(TIMES)]
    taken, awake = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    beside = ratio(taken, awake, "the next one, awake")
    return [table(spread(f"Wake, {PROCESSES} processes", taken, "p99 < 25 ms", beside))]


def _asleep_and_awake(server: Server) -> tuple[float, float]:
    wait_until(lambda: server.sleeps("bench"))
    time.sleep(ASLEEP)
    return milliseconds(lambda: _ask(server)), milliseconds(lambda: _ask(server))


def _ask(server: Server) -> None:
    server.http.get(server.inside("bench", "/port/3000/")).raise_for_status()
