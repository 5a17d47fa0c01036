"""Hearing that the process is asked to end, while it still answers.

uvicorn waits for open responses before it ends the lifespan, so what streams must hear of it
from the signal itself: otherwise one open page kept the process alive until it was killed.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def when_stopping(action: Callable[[], None]) -> Iterator[None]:
    """Call the action on the running loop at SIGTERM or SIGINT, before other handlers of them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may: this is a server inside a test
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(action)
        before = handlers[signal.Signals(number)]
        if callable(before):
            before(number, frame)

    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, before in handlers.items():
            signal.signal(number, before)
