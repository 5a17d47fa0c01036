"""Time from the last answer until nothing in the sandbox runs any more."""

import time
from pathlib import Path

from bench.blaxel.busy import ASLEEP, PROCESSES, fill, tick
from bench.blaxel.running import create, running
from bench.report import Table
from bench.timing import spread, table
from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

STANDBY_AFTER = 0.2
TIMES = 30


def measure() -> list[Table]:
    with running(standby_after=str(STANDBY_AFTER)) as server:
        create(server, "bench")
        fill(server, "bench")
        ticking = tick(server, "bench")
        taken = [_last_sign_of_life(server, ticking) for _ in range(TIMES)]
    name = f"Last answer → {PROCESSES} processes frozen"
    return [table(spread(name, taken, beside=f"standby after {1000 * STANDBY_AFTER:.0f} ms"))]


def _last_sign_of_life(server: Server, ticking: Path) -> float:
    server.run("bench", "true")
    answered = time.monotonic()
    wait_until(lambda: server.sleeps("bench"))
    time.sleep(ASLEEP)
    return 1000 * (float(ticking.read_text()) - answered)
