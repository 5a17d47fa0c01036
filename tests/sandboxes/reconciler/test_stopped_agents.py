"""A sandbox whose own server was stopped is its person's trouble, and nobody else's."""

import json
import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from sandboxes.reconciler.reconcile import reconcile
from tests.support.factories import SandboxFactory, pending
from tests.support.waiting import wait_until
from tests.support.web_process import cookie_of

pytestmark = pytest.mark.data_plane

FOLDER = "/api/sandbox/files"


def agent_of(server, name):
    """The process that serves a sandbox; those of a test before may still be ending."""
    server.run(name, "touch /blaxel/stopped")
    (made,) = Path(server.state_dir).glob("sandboxes/[0-9a-f]*/disk/files/home/stopped")
    known = json.loads((made.parents[3] / "processes").read_text())
    return known["awake"][-1]


@pytest.fixture
def stopped(made, provider):
    """Alice's sandbox, whose server does not run on."""
    pid = agent_of(provider.server, made.name)
    os.kill(pid, signal.SIGSTOP)
    yield made
    os.kill(pid, signal.SIGCONT)


@pytest.fixture
def others(bob, provider, stopped):
    """Bob's sandbox, which is as it should be."""
    sandbox = SandboxFactory(owner=bob, **pending())
    reconcile(sandbox.pk)
    sandbox.refresh_from_db()
    return sandbox


def listing(web, cookie):
    query = {"path": "/blaxel"}
    headers = {"Cookie": cookie}
    where = web.url + FOLDER
    return httpx.get(where, params=query, headers=headers, trust_env=False, timeout=120)


@pytest.mark.exhaustive
@pytest.mark.process
def test_it_delays_nobody_else(web, stopped, others):
    alice, bob = cookie_of(stopped.owner), cookie_of(others.owner)
    assert listing(web, bob).status_code == 200
    answers = []
    asking = [
        threading.Thread(target=lambda: answers.append(listing(web, alice))) for _ in range(30)
    ]
    for each in asking:
        each.start()
    wait_until(lambda: answers)

    answer = listing(web, bob)
    given_up = [each for each in answers if "not answering" in each.text]

    assert answer.status_code == 200
    assert given_up == []  # those that ask her sandbox still wait, and the others were refused
    for each in asking:
        each.join()
    assert {each.status_code for each in answers} == {503}
