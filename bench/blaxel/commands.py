"""Running `true` in a sandbox to its end, through HTTP."""

from bench.blaxel.running import command_directly, create, running
from bench.report import Table
from bench.timing import by_turns, ratio, spread, table


def measure() -> list[Table]:
    with running() as server:
        create(server, "bench")
        taken, direct = by_turns(lambda: server.run("bench", "true"), command_directly, 300)
    beside = ratio(taken, direct, "sh -c true here")
    return [table(spread("`true`", taken, "p95 < 10 ms", beside))]
