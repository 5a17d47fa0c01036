"""Manta as a whole: what a person waits for, what a process serves, and what it all weighs."""

import time

from bench import load
from bench.load import Load
from bench.processes import Weight, trees
from bench.report import Group, Table
from bench.timing import by_turns, milliseconds, percentile, ratio, repeated, spread, table
from tests.support.manta_process import Manta
from tests.support.supervisor import new_state_dir
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

CLIENTS = (1, 16, 64)
# Longer than local_blaxel takes to have its pool of started agents full again.
PAUSE = 3.0


def measure() -> list[Table]:
    with new_state_dir() as state_dir, Manta(state_dir) as manta, Visitor(manta.url) as visitor:
        visitor.sign_up()
        visitor.until_ready()
        waits = table(*sign_ups(manta), sign_ins(visitor), opening_a_file(manta, visitor))
        return [waits, pages(manta, visitor), weights(manta)]


def sign_ups(manta: Manta, times: int = 8) -> list[tuple[str, ...]]:
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


def opening_a_file(manta: Manta, visitor: Visitor, times: int = 100) -> tuple[str, ...]:
    """Time a read through Manta, with a session, and one from the sandbox itself; both awake."""
    path = "/blaxel/app/public/index.html"
    address = f"/manta/sandboxes/{visitor.until_ready()}/filesystem/{path}"
    through, direct = by_turns(
        lambda: visitor.http.get("/api/sandbox/files", params={"path": path}).raise_for_status(),
        lambda: manta.blaxel.http.get(address).raise_for_status(),
        times,
    )
    beside = ratio(through, direct, "asking the sandbox itself")
    return spread("Open a file in the editor", through, beside=beside)


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
            result = load.measure(Load(manta.port, path, clients, 3.0, headers))
            baseline = baseline or result.rate
            rows.append(_of_load(f"{name}, {clients} at a time", result, baseline))
    return Table(("What", "p50", "p99", "A second", "Of /healthz"), rows)


def _of_load(name: str, result: load.Result, baseline: float) -> tuple[str, ...]:
    times = (f"{percentile(result.taken, percent):.1f} ms" for percent in (50, 99))
    return (name, *times, f"{result.rate:,.0f}", f"{result.rate / baseline:.0%}")


def weights(manta: Manta) -> Table:
    processes = manta.processes()
    found = {name: Weight.of(pid) for name, pid in processes.items()}
    # The pool's agents run nothing yet, so a sandbox's tree is the largest.
    sandbox = max(trees(processes["local_blaxel"]), key=len)
    found["one idle sandbox, its server included"] = Weight.of(*sandbox)
    rows = [
        (name, f"{weight.pss:.0f} MiB", f"{weight.rss:.0f} MiB") for name, weight in found.items()
    ]
    return Table(("Memory", "PSS", "RSS"), rows)


GROUP = Group("Manta", measure)
