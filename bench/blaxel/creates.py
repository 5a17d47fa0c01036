"""Time from the request for a sandbox to the answer of its first command."""

import time
from concurrent.futures import ThreadPoolExecutor

from bench.blaxel.running import PAUSE, create, running
from bench.report import Table
from bench.timing import milliseconds, repeated, spread, table
from tests.support.local_blaxel import Server

AT_ONCE = 50


def measure() -> list[Table]:
    with running() as server:
        return [
            table(
                spread("From the pool", _from_the_pool(server), "p95 < 100 ms"),
                spread("One right after the other", _in_a_row(server)),
            ),
            _all_at_once(server),
        ]


def _from_the_pool(server: Server, times: int = 8) -> list[float]:
    taken = []
    for number in range(times):
        time.sleep(PAUSE)
        taken.append(milliseconds(lambda name=f"pool-{number}": create(server, name)))
    server.empty()
    return taken


def _in_a_row(server: Server, times: int = 10) -> list[float]:
    time.sleep(PAUSE)
    names = iter([f"row-{number}" for number in range(times)])
    taken = repeated(lambda: create(server, next(names)), times)
    server.empty()
    return taken


def _all_at_once(server: Server) -> Table:
    """Measure many creations at once, and the answers of another sandbox meanwhile."""
    create(server, "meanwhile")
    time.sleep(PAUSE)
    names = [f"at-once-{number}" for number in range(AT_ONCE)]
    commands = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        started = time.perf_counter()
        creations = [threads.submit(_seconds_of_a_creation, server, name) for name in names]
        while not all(creation.done() for creation in creations):
            commands.append(milliseconds(lambda: server.run("meanwhile", "true")))
        total = time.perf_counter() - started
    taken = [creation.result() for creation in creations]
    rows = [
        ("Succeeded", str(len(taken))),
        ("All of them", f"{total:.1f} s"),
        ("The slowest", f"{max(taken):.1f} s"),
        ("A command in another sandbox meanwhile, slowest", f"{max(commands):.0f} ms"),
    ]
    return Table((f"{AT_ONCE} at once", ""), rows)


def _seconds_of_a_creation(server: Server, name: str) -> float:
    return milliseconds(lambda: create(server, name)) / 1000
