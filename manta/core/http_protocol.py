"""uvicorn's HTTP protocol with limits for requests that never end and responses never read.

uvicorn has no such limits: a client that opens connections and never ends a head, or never reads a
response, holds a file and memory for each of them forever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Seconds in which a request's line and headers have to come, and the bytes that they may have.
HEAD_WITHIN = 10.0
MAX_HEAD = 64 * 1024
# Seconds in which a client has to take some of what waits for it.
TAKEN_WITHIN = 120.0
_REFUSAL = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class HttpProtocol(HttpToolsProtocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_deadline: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._is_in_body = False
        self._taking_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_expecting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        # Closing would wait for all that was written to be taken.
        self._stop_expecting()
        self._taking_deadline = self.loop.call_later(TAKEN_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        self._stop_expecting()
        super().resume_writing()

    def _stop_expecting(self) -> None:
        if self._taking_deadline is not None:
            self._taking_deadline.cancel()
            self._taking_deadline = None

    def data_received(self, data: bytes) -> None:
        # Also for what a parser passes over, such as empty lines before a request. A body may go on
        # after its answer.
        is_answered = self.cycle is None or self.cycle.response_complete
        if is_answered and not self._is_in_body:
            self._await_head()
        has_waited = self._head_deadline is not None
        super().data_received(data)
        # The parser tells of no header before it has the whole of it.
        if has_waited and self._head_deadline is not None:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._is_in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_body = False
        super().on_message_complete()

    def _await_head(self) -> None:
        if self._head_deadline is None:
            self._head_size = 0
            self._head_deadline = self.loop.call_later(HEAD_WITHIN, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _give_up(self) -> None:
        self._head_deadline = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._await_head()  # an answer is under way on the same connection
            return
        self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(_REFUSAL % status)
            self.transport.close()
