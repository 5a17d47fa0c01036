"""Everybody comes at once, on the first morning, and something breaks meanwhile (L14)."""

import os
import re
import signal
import time
from concurrent.futures import wait
from pathlib import Path

import httpx
import pytest

from tests.support.herd import Herd
from tests.support.team import STARTS_AT_ONCE, Team
from tests.support.waiting import wait_until

pytestmark = pytest.mark.team
PEOPLE = 200
# Of memory, for a local sandbox with the starter's server in it.
SANDBOX_MB = 45


def people_that_fit() -> int:
    """As many as their sandboxes have memory for on this machine."""
    meminfo = Path("/proc/meminfo").read_text().split("MemAvailable:")[1]
    fit = int(meminfo.split()[0]) // 1024 // SANDBOX_MB
    if fit < PEOPLE:
        print(f"{fit} people instead of {PEOPLE}: their sandboxes would take too much memory.")
    return min(PEOPLE, fit)


def ready(team: Team) -> int:
    return team.postgres.ask("SELECT count(*) FROM sandboxes_sandbox WHERE phase = 'ready'")[0][0]


def throttled_starts(team: Team) -> int:
    text = httpx.get(f"{team.url}/metrics", trust_env=False, timeout=60).raise_for_status().text
    return int(float(re.findall(r"^manta_throttled_starts_total (\S+)", text, re.MULTILINE)[0]))


def kill(team: Team, name: str) -> int:
    victim = team.pids(name)[0]
    os.kill(victim, signal.SIGKILL)
    return victim


# Half a minute on a machine of one's own; the patience is for a busy one.
@pytest.mark.timeout(900)
def test_a_herd_gets_one_sandbox_each_while_a_web_and_a_worker_process_are_killed(team: Team):
    people = people_that_fit()
    team.make_people(people)
    with Herd(team.url, people) as herd:
        started = time.monotonic()
        arrivals = herd.arrive(within=10)
        wait_until(lambda: len(herd.seconds) > people / 4, 120)
        killed = {"web": kill(team, "web")}
        wait_until(lambda: ready(team) > people / 20, 120)
        killed["worker"] = kill(team, "worker")
        wait(arrivals)
        arrived = time.monotonic() - started
        assert any("in the queue" in person.panel() for person in herd.people[::10])
        wait_until(lambda: ready(team) == people, 600)
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
    assert people <= creates <= people + STARTS_AT_ONCE
    assert wait_until(lambda: throttled_starts(team))
    for name, pid in killed.items():
        assert pid not in team.pids(name)
        assert len(team.pids(name)) == 2
