"""One open page, and what it has still to be told."""

from collections.abc import Iterable

from accounts.sessions import SignIn
from sandboxes.models import SandboxEvent
from sandboxes.streams import sse
from sandboxes.streams.status import messages
from sandboxes.streams.status.poller import Opening, State

# Events that may wait for a reader.
_MAX_WAITING = 500


class Stream(sse.EventStream):
    """Queue for one page: a slow reader holds the latest state and a bounded number of events."""

    def __init__(self, sign_in: SignIn, opening: Opening) -> None:
        super().__init__()
        self.sign_in = sign_in
        self._cursor = opening.cursor
        self._version = opening.state.version
        first = sse.retry() + f"id: {opening.cursor}\n".encode() + opening.state.written
        if opening.missed:
            first += sse.message("missed", {"before": opening.events[0].pk})
        # Apart from the state, which a newer one replaces: the id in it must not be lost.
        self._first, self._state, self._events, self._beat = first, b"", b"", b""
        self._call = b""
        self._waiting = 0
        self.record(opening.events, opening.settled)
        self._wake.set()

    def show(self, state: State) -> None:
        if state.version != self._version:
            self._version, self._state = state.version, state.written
            self._wake.set()

    def record(self, events: Iterable[SandboxEvent], settled: int) -> None:
        """Tell of those events that it has not been told of. None can still appear up to an id."""
        for event in events:
            if self._cursor.has(event.pk) or self.is_over:
                continue
            self._cursor = self._cursor.after(event.pk).settled(min(event.pk, settled))
            self._events += sse.message("event", messages.event(event), self._cursor)
            self._waiting += 1
            self._wake.set()
        self._cursor = self._cursor.settled(settled)
        if self._waiting > _MAX_WAITING:
            self.end("slow")

    def call(self, newest: int) -> None:
        """An agent has done something: the page asks what, where it shows that."""
        self._call = sse.message("call", {"id": newest})
        self._wake.set()

    def beat(self, said: bytes) -> None:
        self._beat = said
        self._wake.set()

    def _take(self) -> bytes:
        said = self._first + self._state + self._events + self._call + self._beat
        self._first = self._state = self._events = self._call = self._beat = b""
        self._waiting = 0
        return said
