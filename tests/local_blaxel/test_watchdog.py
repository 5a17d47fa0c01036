"""The watchdog of a sandbox's memory and watches, with processes that hide what they hold."""

import asyncio
import os

import pytest

from local_blaxel.agent import holdings, watchdog
from local_blaxel.agent.sandbox import Sandbox
from local_blaxel.agent.watchdog import Watchdog

OWN = os.getpid()
HIDDEN = 2


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
