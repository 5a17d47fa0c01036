"""The watchdog of a sandbox's memory and watches, with processes that hide what they hold."""

import asyncio
import os
import threading

import pytest

from local_blaxel.agent import holdings, watchdog
from local_blaxel.agent.sandbox import Sandbox
from local_blaxel.agent.watchdog import Watchdog

OWN = os.getpid()
HIDDEN, GREEDY = 2, 3


@pytest.fixture
def sandbox(monkeypatch):
    monkeypatch.setattr(watchdog, "others", lambda: [HIDDEN, OWN])
    return Sandbox(instance="x", home="/blaxel", isolation="bubblewrap", environ={})


@pytest.fixture
def file_of_memory():
    descriptor = os.memfd_create("x")
    os.write(descriptor, bytes(2**20))
    yield
    os.close(descriptor)


def test_who_hides_its_files_keeps_no_others_from_being_counted(monkeypatch, file_of_memory):
    listdir = os.listdir

    def refusing(path):
        if path == f"/proc/{HIDDEN}/task":
            raise PermissionError(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refusing)

    held = holdings.memory_files([HIDDEN, OWN])

    assert held[HIDDEN] == 0
    assert held[OWN] >= 2**20


async def test_a_look_that_fails_is_logged_and_not_the_last(monkeypatch, sandbox, caplog):
    looks = []
    is_over = asyncio.Event()

    def fail():
        looks.append(1)
        if len(looks) == 3:
            is_over.set()
        raise PermissionError("hidden")

    monkeypatch.setattr(watchdog, "INTERVAL_SECONDS", 0)
    monkeypatch.setattr(holdings, "shared_memory_of_machine", fail)
    task = asyncio.create_task(Watchdog(sandbox).run())

    ended = asyncio.create_task(is_over.wait())
    await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED, timeout=90)
    task.cancel()
    ended.cancel()
    await asyncio.gather(task, ended, return_exceptions=True)

    assert len(looks) >= 3
    assert "PermissionError: hidden" in caplog.text


@pytest.fixture
def killed(monkeypatch):
    """Processes killed by looks while the user's watches, 800, are used up."""
    pids = []
    monkeypatch.setattr(watchdog, "others", lambda: [HIDDEN, GREEDY])
    monkeypatch.setattr(watchdog, "_kill", lambda pid, used_up: pids.append(pid))
    monkeypatch.setattr(holdings, "shared_memory_of_machine", lambda: 0)
    monkeypatch.setattr(holdings, "are_watches_used_up", lambda: True)
    monkeypatch.setattr(holdings, "max_watches", lambda: 800)
    monkeypatch.setattr(holdings, "polls", lambda pid: None if pid == HIDDEN else ["poll"])
    monkeypatch.setattr(holdings, "watches", lambda polls, max_count: 1)
    return pids


async def look(dog, times=1):
    for _ in range(times):
        await dog._look()


async def test_a_hidden_process_is_not_killed_for_a_neighbours_watches(
    monkeypatch, sandbox, killed
):
    dog = Watchdog(sandbox)

    for _ in range(3):
        await look(dog, watchdog.LOOKS_BEFORE_HIDDEN - 1)
        with monkeypatch.context() as freed:
            freed.setattr(holdings, "are_watches_used_up", lambda: False)
            await look(dog)

    assert killed == []


async def test_a_hidden_process_is_killed_when_watches_stay_used_up(sandbox, killed):
    await look(Watchdog(sandbox), watchdog.LOOKS_BEFORE_HIDDEN)

    assert killed == [HIDDEN]


async def test_who_shows_too_many_watches_is_killed_at_once_and_alone(monkeypatch, sandbox, killed):
    monkeypatch.setattr(holdings, "watches", lambda polls, max_count: 101)
    dog = Watchdog(sandbox)

    await look(dog)
    assert killed == [GREEDY]
    await look(dog, watchdog.LOOKS_BEFORE_HIDDEN)
    assert set(killed) == {GREEDY}


@pytest.mark.parametrize(
    ("taken", "stored", "count"),
    [(0, 2, 1), (0.8, 2, 3), (0, 3, 2)],
    ids=["far from the limit", "near the limit", "as much stored since"],
)
async def test_open_files_are_looked_at_when_there_is_reason_to(
    monkeypatch, sandbox, taken, stored, count
):
    limit = sandbox.memory_mb * 2**20
    shared = iter([2 * limit, stored * limit, stored * limit])
    threads = []

    def note(pids, limit):
        threads.append(threading.current_thread())
        return taken * limit

    monkeypatch.setattr(holdings, "shared_memory_of_machine", lambda: next(shared))
    monkeypatch.setattr(holdings, "are_watches_used_up", lambda: False)
    monkeypatch.setattr(watchdog, "DEEP_INTERVAL_SECONDS", 3600)
    monkeypatch.setattr(watchdog, "_resident", lambda pid: 0)
    monkeypatch.setattr(watchdog, "_look_deep", note)
    await look(Watchdog(sandbox), 3)

    assert len(threads) == count
    # The event loop answers requests meanwhile.
    assert threading.main_thread() not in threads
