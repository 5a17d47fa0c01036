"""Everybody comes at once, on the first morning, and something breaks meanwhile (L14)."""

import os
import signal
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from tests.local_blaxel.running import until
from tests.serve.conftest import Team
from tests.serve.herd import Herd

PEOPLE = 200
# Of memory, for a local sandbox with the starter's server in it.
SANDBOX_MB = 45
# What one worker works on at once: WORKER_THREADS by its sweep, two by kicks.
AT_ONCE = 8 + 2


def people_that_fit() -> int:
    """As many as their sandboxes have memory for on this machine."""
    meminfo = Path("/proc/meminfo").read_text().split("MemAvailable:")[1]
    fit = int(meminfo.split()[0]) // 1024 // SANDBOX_MB
    if fit < PEOPLE:
        print(f"{fit} people instead of {PEOPLE}: their sandboxes would take too much memory.")
    return min(PEOPLE, fit)


def ready(team: Team) -> int:
    return team.postgres.ask("SELECT count(*) FROM sandboxes_sandbox WHERE phase = 'ready'")[0][0]


def kill(team: Team, name: str) -> int:
    victim = team.pids(name)[0]
    os.kill(victim, signal.SIGKILL)
    return victim


@pytest.mark.timeout(600)
def test_a_herd_gets_one_sandbox_each_while_a_web_and_a_worker_process_are_killed(team: Team):
    people = people_that_fit()
    team.make_people(people)
    with Herd(team.url, people) as herd:
        started = time.monotonic()
        arrivals = herd.arrive(within=10)
        until(lambda: len(herd.seconds) > people / 4, 120)
        killed = {"web": kill(team, "web")}
        until(lambda: ready(team) > people / 20, 120)
        killed["worker"] = kill(team, "worker")
        wait(arrivals)
        arrived = time.monotonic() - started
        until(lambda: ready(team) == people, 300)
        settled = time.monotonic() - started
        names = {person.until_ready() for person in herd.people}

    creates = team.blaxel.count("POST", "/sandboxes")
    print(
        f"\n{people} sign-ins in {arrived:.1f} s, the slowest in {max(herd.seconds):.2f} s, "
        f"{herd.tried_again} tried again; all ready after {settled:.0f} s, {creates} creates"
    )
    assert sorted(set(herd.statuses)) == [200, 302]
    assert len(names) == people
    assert team.blaxel.server.http.get("/health").json()["sandboxes"] == people
    assert set(team.blaxel.server.names()) == names
    # Again only for what the killed worker was making: whoever took over asked for it anew.
    assert people <= creates <= people + AT_ONCE
    for name, pid in killed.items():
        assert pid not in team.pids(name)
        assert len(team.pids(name)) == 2
