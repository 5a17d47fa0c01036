"""Who types in a terminal for hours uses the sandbox: it does not expire under their hands."""

import asyncio
import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from sandboxes.models import Sandbox
from sandboxes.streams.auth import Principal
from sandboxes.streams.terminal import relay

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"type": "input", "data": "x"}
RESIZE = {"type": "resize", "cols": 80, "rows": 24}


class Page:
    """Says each of these at its second, then leaves."""

    def __init__(self, *said):
        self.query_params = {}
        self.now = 0.0
        self._said = list(said)

    def monotonic(self):
        return self.now

    async def receive(self):
        if not self._said:
            return {"type": "websocket.disconnect"}
        self.now, message = self._said.pop(0)
        return {"type": "websocket.receive", "text": json.dumps(message)}


class Shell:
    """Takes everything, says nothing."""

    async def send(self, text):
        pass

    def __aiter__(self):
        return self

    async def __anext__(self):
        await asyncio.Event().wait()


@pytest.fixture
def opened(monkeypatch, alices_sandbox):
    """Open a terminal in a sandbox that was used two hours ago; when it was used afterwards."""
    used = timezone.now() - timedelta(hours=2)
    Sandbox.objects.update(used_at=used, next_attempt_at=None)

    async def open_terminal(*said):
        page = Page(*said)
        monkeypatch.setattr(relay, "time", SimpleNamespace(monotonic=page.monotonic))
        principal = Principal(alices_sandbox.owner, alices_sandbox, None, None)
        await relay.Relay(page, Shell(), principal).run()
        return await Sandbox.objects.aget()

    return open_terminal


async def test_a_key_after_an_hour_is_a_use_and_moves_the_expiry(opened):
    sandbox = await opened((10, KEY), (3601, KEY))

    assert timezone.now() - sandbox.used_at < timedelta(minutes=5)
    assert sandbox.next_attempt_at <= timezone.now()


@pytest.mark.parametrize(
    "said", [[(10, KEY), (3599, KEY)], [(3601, RESIZE)]], ids=["within the hour", "no key"]
)
async def test_a_key_within_the_hour_or_none_at_all_is_not(opened, said):
    sandbox = await opened(*said)

    assert timezone.now() - sandbox.used_at > timedelta(hours=1)
    assert sandbox.next_attempt_at is None
