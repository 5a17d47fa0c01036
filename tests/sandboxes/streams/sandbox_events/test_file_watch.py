"""Following the files of a sandbox that can't watch them."""

import asyncio
from types import SimpleNamespace

from sandboxes.data_plane.async_client import close_streaming_client
from sandboxes.streams.sandbox_events import upstream
from sandboxes.streams.sandbox_events.page import Page
from sandboxes.streams.sandbox_events.upstream import Upstream


def test_where_files_can_not_be_watched_pages_ask_for_them_again_and_again(hostile, monkeypatch):
    monkeypatch.setattr(Upstream, "_works", lambda self: [])
    monkeypatch.setattr(upstream, "_ASK_EVERY", 0.01)
    refused = hostile.say(b'{"error": "watch /blaxel: permission denied"}', status=422)
    tries, page = [], Page(1)

    def answer(handler):
        tries.append(handler.path)
        # The third try finds that it is possible again.
        (refused if len(tries) < 3 else hostile.say(b""))(handler)

    async def follow():
        sandbox = SimpleNamespace(pk=1, name="user-1", url=hostile.url, reach=hostile.reach)
        following = Upstream(sandbox)
        following.join(page)
        try:
            await following._follow_files()
        finally:
            following.close()
            await close_streaming_client()

    hostile.answer = answer
    asyncio.run(follow())

    assert len(tries) == 3
    assert list(page._latest) == ["connected"]
