"""Manta as a whole: what a person waits for, what a process serves, and what it all weighs."""

import time

from bench import load
from bench.installation import running
from bench.load import Load
from bench.processes import Weight, trees
from bench.report import Group, Table
from bench.timing import milliseconds, percentile, repeated, spread, table
from tests.support.manta_process import Manta
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

CLIENTS = (1, 16, 64)
# Longer than local_blaxel takes to have its pool of started agents full again.
PAUSE = 3.0
# Of each load.
SECONDS = 2.0
CONTROL_PLANE_AIM = "≤ 350 MiB"


def measure() -> list[Table]:
    with running() as (manta, visitor):
        waits = table(*sign_ups(manta), sign_ins(visitor))
        return [waits, pages(manta, visitor), weights(manta)]


def sign_ups(manta: Manta, times: int = 6) -> list[tuple[str, ...]]:
    """Time from the form's POST until the API says that the sandbox is active."""
    posts, ready = [], []
    for _ in range(times):
        time.sleep(PAUSE)
        with Visitor(manta.url) as visitor:
            visitor.http.get("/accounts/signup/")
            started = time.perf_counter()
            posts.append(milliseconds(visitor.sign_up))
            wait_until(lambda visitor=visitor: visitor.sandbox()["status"] in ("active", "standby"))
            ready.append(1000 * (time.perf_counter() - started))
    return [
        spread("Sign-up: POST", posts),
        spread("Sign-up: POST until the sandbox is ready", ready),
    ]


def sign_ins(visitor: Visitor, times: int = 20) -> tuple[str, ...]:
    return spread("Sign-in: POST", repeated(visitor.sign_in, times))


def pages(manta: Manta, visitor: Visitor) -> Table:
    """Requests a second, beside what the same server does for a route that does nothing."""
    cookie = {"Cookie": f"sessionid={visitor.http.cookies['sessionid']}"}
    time.sleep(PAUSE)  # a sign-in has the sandbox looked at, which the panel shows
    version = visitor.panel().partition("/sandbox/panel/?v=")[2].partition('"')[0]
    paths = {
        "/healthz": ("/healthz", {}),
        "GET /api/sandbox/init": ("/api/sandbox/init", cookie),
        "panel, unchanged": (f"/sandbox/panel/?v={version}", cookie | {"HX-Request": "true"}),
        "panel, whole": ("/sandbox/panel/", cookie | {"HX-Request": "true"}),
    }
    rows = []
    for clients in CLIENTS:
        baseline = 0.0
        for name, (path, headers) in paths.items():
            result = load.measure(Load(manta.port, path, clients, SECONDS, headers))
            baseline = baseline or result.rate
            rows.append(_of_load(f"{name}, {clients} at a time", result, baseline))
    return Table(("What", "p50", "p99", "A second", "Of /healthz"), rows)


def _of_load(name: str, result: load.Result, baseline: float) -> tuple[str, ...]:
    times = (f"{percentile(result.taken, percent):.1f} ms" for percent in (50, 99))
    return (name, *times, f"{result.rate:,.0f}", f"{result.rate / baseline:.0%}")


def weights(manta: Manta) -> Table:
    kinds = {name: manta.pids(name) for name in ("web", "worker", "local_blaxel")}
    # The pool's agents run nothing yet, so a sandbox's tree is the largest.
    sandbox = max(trees(*kinds["local_blaxel"]), key=len)
    groups = {f"{name}, {len(pids)} process(es)": pids for name, pids in kinds.items()}
    groups["all of them"] = [pid for pids in kinds.values() for pid in pids]
    groups["one idle sandbox, its server included"] = sandbox
    rows = []
    for name, pids in groups.items():
        weight, aim = Weight.of(*pids), CONTROL_PLANE_AIM if name == "all of them" else ""
        rows.append((name, f"{weight.pss:.0f} MiB", f"{weight.rss:.0f} MiB", aim))
    return Table(("Memory", "PSS", "RSS", "Aim (PSS)"), rows)


GROUP = Group("Manta", measure)
