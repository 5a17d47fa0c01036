"""Uses of a sandbox, which keep it awake: requests or connections, while data passes."""

import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Send

_ENDS = ("http.disconnect", "websocket.disconnect")


class Use:
    """One request or connection. A silent one may find its sandbox asleep when it goes on."""

    def __init__(self, wake: Callable[[], Awaitable[None]]) -> None:
        self._wake = wake
        self._passed_at = time.monotonic()

    def is_silent(self, seconds: float) -> bool:
        return time.monotonic() - self._passed_at >= seconds

    def receiving(self, receive: Receive) -> Receive:
        """Wrap `receive` so that the sandbox is awake before it gets what the client sends."""

        async def received() -> Message:
            message = await receive()
            if message["type"] not in _ENDS:
                self._passed_at = time.monotonic()
                await self._wake()
            return message

        return received

    def sending(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            self._passed_at = time.monotonic()
            await send(message)

        return sent
