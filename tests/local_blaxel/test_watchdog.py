"""The watchdog of a sandbox's memory and watches, with processes that hide what they hold."""

import asyncio
import os

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


def look(dog, times=1):
    for _ in range(times):
        dog._look()


def test_a_hidden_process_is_not_killed_for_a_neighbours_watches(monkeypatch, sandbox, killed):
    dog = Watchdog(sandbox)

    for _ in range(3):
        look(dog, watchdog.LOOKS_BEFORE_HIDDEN - 1)
        with monkeypatch.context() as freed:
            freed.setattr(holdings, "are_watches_used_up", lambda: False)
            look(dog)

    assert killed == []


def test_a_hidden_process_is_killed_when_watches_stay_used_up(sandbox, killed):
    look(Watchdog(sandbox), watchdog.LOOKS_BEFORE_HIDDEN)

    assert killed == [HIDDEN]


def test_who_shows_too_many_watches_is_killed_at_once_and_alone(monkeypatch, sandbox, killed):
    monkeypatch.setattr(holdings, "watches", lambda polls, max_count: 101)
    dog = Watchdog(sandbox)

    look(dog)
    assert killed == [GREEDY]
    look(dog, watchdog.LOOKS_BEFORE_HIDDEN)
    assert set(killed) == {GREEDY}
