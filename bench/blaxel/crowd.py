"""Memory of sleeping sandboxes, and the processor time that all of them use."""

import time

from bench.blaxel.running import PAUSE, create, running
from bench.processes import Weight, cpu_seconds, trees
from bench.report import Table
from tests.support.local_blaxel import Server
from tests.support.waiting import wait_until

SANDBOXES = 100
SECONDS = 10.0
AIM_MIB, AIM_CPU = "< 3,072 MiB in all", "< 2 %"


def measure() -> list[Table]:
    with running(standby_after="1") as server:
        for number in range(SANDBOXES):
            create(server, f"idle-{number}")
        wait_until(lambda: server.http.get("/health").json()["awake"] == 0, 60)
        time.sleep(PAUSE)
        return [_memory(server), _processor(server)]


def _memory(server: Server) -> Table:
    below = [pid for tree in trees(server.process.pid) for pid in tree]
    weights = {
        "the server": Weight.of(server.process.pid),
        f"{SANDBOXES} sandboxes, and the pool": Weight.of(*below),
        "all of it": Weight.of(server.process.pid, *below),
    }
    rows = [
        (name, *(f"{mib:,.0f} MiB" for mib in (weight.pss, weight.uss, weight.rss)), aim)
        for (name, weight), aim in zip(weights.items(), ("", "", AIM_MIB), strict=True)
    ]
    return Table(("Memory", "PSS", "USS", "RSS", "Aim (PSS)"), rows)


def _processor(server: Server) -> Table:
    below = [pid for tree in trees(server.process.pid) for pid in tree]
    groups = {"the server": [server.process.pid], f"{SANDBOXES} sandboxes, and the pool": below}
    groups["all of it"] = [server.process.pid, *below]
    before = {name: cpu_seconds(pids) for name, pids in groups.items()}
    time.sleep(SECONDS)
    rows = [
        (name, f"{(cpu_seconds(pids) - before[name]) / SECONDS:.2%}", aim)
        for (name, pids), aim in zip(groups.items(), ("", "", AIM_CPU), strict=True)
    ]
    return Table((f"Of one core, over {SECONDS:.0f} s", "", "Aim"), rows)
