"""Each measurement, as rows of the report."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict

from bench import memory
from bench.load import Load, Result, percentile
from bench.report import Row
from tests.e2e.manta import Manta
from tests.e2e.visitor import Visitor
from tests.local_blaxel.running import until

CLIENTS = (1, 16, 64)
# Longer than local_blaxel takes to have its pool of started agents full again.
PAUSE = 3.0


def milliseconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - started)


def spread(name: str, taken: list[float], aim: str = "") -> Row:
    p50, p99 = statistics.median(taken), percentile(taken, 99)
    return Row(name, f"{p50:.0f} ms", f"{p99:.0f} ms", f"n = {len(taken)}", aim)


def sign_up(manta: Manta, times: int = 8) -> list[Row]:
    """From the form's POST until the API says that the sandbox is active."""
    posts, ready = [], []
    for _ in range(times):
        time.sleep(PAUSE)
        with Visitor(manta.url) as visitor:
            visitor.http.get("/accounts/signup/")
            started = time.perf_counter()
            posts.append(milliseconds(visitor.sign_up))
            until(lambda visitor=visitor: visitor.sandbox()["status"] in ("active", "standby"))
            ready.append(1000 * (time.perf_counter() - started))
    return [
        spread("Sign-up: POST", posts),
        spread("Sign-up: POST until the sandbox is ready", ready),
    ]


def sign_in(visitor: Visitor, times: int = 20) -> list[Row]:
    return [spread("Sign-in: POST", [milliseconds(visitor.sign_in) for _ in range(times)])]


def pages(manta: Manta, visitor: Visitor) -> list[Row]:
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
            result = load(Load(manta.port, path, clients, 3.0, headers))
            baseline = baseline or result.rate
            rows.append(_of_load(f"{name}, {clients} at a time", result, baseline))
    return rows


def load(load: Load) -> Result:
    command = [sys.executable, "-m", "bench.load"]
    answer = subprocess.run(  # noqa: S603 - our own module
        command, input=json.dumps(asdict(load)), stdout=subprocess.PIPE, text=True, check=True
    )
    return Result(**json.loads(answer.stdout))


def _of_load(name: str, result: Result, baseline: float) -> Row:
    ratio = f"{result.rate:,.0f}/s ({result.rate / baseline:.0%} of /healthz)"
    return Row(name, f"{result.p50_ms:.1f} ms", f"{result.p99_ms:.1f} ms", ratio)


def creates(manta: Manta, times: int = 8) -> list[Row]:
    """From the request for a sandbox to the answer of its first command."""
    with ExitStack() as stack:

        def create(name: str) -> float:
            body = {"metadata": {"name": name}, "spec": {}}
            stack.callback(manta.blaxel.delete, name)
            return milliseconds(
                lambda: (
                    manta.blaxel.http.post("/v0/sandboxes", json=body).raise_for_status(),
                    manta.blaxel.run(name, "true"),
                )
            )

        def after_a_pause(name: str) -> float:
            time.sleep(PAUSE)
            return create(name)

        one_by_one = [after_a_pause(f"bench-pause-{n}") for n in range(times)]
        time.sleep(PAUSE)
        in_a_row = [create(f"bench-row-{n}") for n in range(times)]
    return [
        spread("local_blaxel: create → first command", one_by_one, "< 250 ms"),
        spread("The same, one right after the other", in_a_row),
    ]


def wakes(manta: Manta, name: str, times: int = 100) -> list[Row]:
    """From a request to a sleeping sandbox to the answer of the server inside."""

    time.sleep(PAUSE)  # others may just be being deleted

    def wake() -> float:
        until(lambda: manta.blaxel.sleeps(name))
        time.sleep(0.2)  # so that falling asleep is over
        return milliseconds(lambda: manta.blaxel.get_port(name, 3000))

    return [spread("local_blaxel: wake → answer", [wake() for _ in range(times)], "p99 < 25 ms")]


def weights(manta: Manta) -> list[Row]:
    processes = manta.processes()
    found = {name: memory.Weight.of(pid) for name, pid in processes.items()}
    # The pool's agents run nothing yet, so a sandbox's tree is the largest.
    sandbox = max(memory.trees(processes["local_blaxel"]), key=len)
    found["one idle sandbox, its server included"] = memory.Weight.of(*sandbox)
    return [
        Row(f"Memory: {name}", f"{weight.pss:.0f} MiB", "", f"RSS {weight.rss:.0f} MiB")
        for name, weight in found.items()
    ]
