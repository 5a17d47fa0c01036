"""The open streams of this process, and the one task that polls for all of them."""

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from accounts.sessions import SignIn
from manta.core.metrics import STREAMS
from sandboxes.streams import sse
from sandboxes.streams.limits import OpenStreams
from sandboxes.streams.status.poller import ChangePoller, Changes
from sandboxes.streams.status.stream import Stream

logger = logging.getLogger(__name__)

# Seconds
POLL_EVERY = 0.5
_BEAT_EVERY = 10.0
_PER_USER = 10
_MAX_STREAMS = 2000
# Milliseconds over which the pages of a process that ends spread their return.
_RETURN = (500, 3000)

Answer = TypeVar("Answer")


class Hub:
    def __init__(self) -> None:
        # Half of the files that the process may have open; the rest is for pages.
        self.streams: OpenStreams[Stream] = OpenStreams(
            per_user=_PER_USER, most=_MAX_STREAMS, files_share=2
        )
        self._newcomers: set[int] = set()
        # One thread, so one connection to the database, for however many streams.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._poller: asyncio.Task[None] | None = None
        self._stopping = False
        self._beat_at = 0.0

    @property
    def is_full(self) -> bool:
        return self._stopping or self.streams.is_full

    def join(self, stream: Stream) -> None:
        """Keep a stream told; a person's oldest gives way when they have too many."""
        user = stream.sign_in.user_id
        self.streams.join(user, stream)
        STREAMS.set(len(self.streams))
        self._newcomers.add(user)
        if self._stopping:
            self._send_away(stream)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())

    def leave(self, stream: Stream) -> None:
        self.streams.leave(stream.sign_in.user_id, stream)
        STREAMS.set(len(self.streams))

    def stop(self) -> None:
        """End all streams; their pages come back, to whichever process is there then."""
        self._stopping = True
        for _, own in self.streams:
            for stream in own:
                self._send_away(stream)

    async def read(self, work: Callable[[], Answer]) -> Answer:
        """Have the one thread read something from the database."""

        def with_a_usable_connection() -> Answer:
            close_old_connections()
            try:
                return work()
            finally:
                if not self.streams:
                    connections.close_all()

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, with_a_usable_connection)

    def _send_away(self, stream: Stream) -> None:
        stream.end("stopping", retry_after=random.randint(*_RETURN))  # noqa: S311 - not a secret

    async def _poll(self) -> None:
        """Poll as long as there is a stream."""
        poller: ChangePoller | None = None
        works = True
        while self.streams:
            try:
                if poller is None:
                    poller = await self.read(ChangePoller)
                beats = self._beats()
                # Some of what is shown changes with time alone: now and then, all is looked at.
                anew = self.streams.users if beats else self._newcomers
                self._newcomers = set()
                changes = await self.read(partial(poller.poll, self._sign_ins(), anew))
                self._tell(changes, beats=beats)
                works = True
            except DatabaseError as exc:
                if works:  # once an outage
                    logger.warning("Streams tell nothing new: %s", exc)
                works = False
            except Exception:
                logger.exception("A poll for the streams failed")
            await asyncio.sleep(POLL_EVERY)
        self._poller = None
        await self.read(lambda: None)  # which closes the connection

    def _sign_ins(self) -> set[SignIn]:
        return {stream.sign_in for _, own in self.streams for stream in own}

    def _beats(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._beat_at < _BEAT_EVERY:
            return False
        self._beat_at = now
        return True

    def _tell(self, changes: Changes, *, beats: bool) -> None:
        for user, own in self.streams:
            beat = _beat(changes, user) if beats else b""
            for stream in own:
                if stream.sign_in in changes.ended:
                    stream.end("signed out")
                    continue
                if user in changes.states:
                    stream.show(changes.states[user])
                stream.record(changes.events.get(user, ()), changes.settled)
                if user in changes.calls:
                    stream.call(changes.calls[user])
                if beat:
                    stream.beat(beat)


def _beat(changes: Changes, user: int) -> bytes:
    """A sign of life, so that no proxy finds the stream idle; with when the row was checked."""
    checked = changes.checked.get(user)
    return sse.message("checked", {"at": checked.isoformat()}) if checked else sse.comment()


hub = Hub()
