"""Many people who sign in within seconds, each with a browser of their own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from tests.support.make_accounts import email
from tests.support.visitor import Visitor


class Herd:
    def __init__(self, url: str, count: int) -> None:
        self._stack = ExitStack()
        self.people = [
            self._stack.enter_context(Visitor(url, email(number))) for number in range(count)
        ]
        self._pool = self._stack.enter_context(ThreadPoolExecutor(count))
        self._lock = threading.Lock()
        self.statuses: list[int] = []
        self.seconds: list[float] = []
        self.tried_again = 0

    def __enter__(self) -> "Herd":
        # Their sign-in pages are open already.
        list(self._pool.map(lambda person: person.http.get("/accounts/login/"), self.people))
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def arrive(self, *, within: float) -> list[Future[None]]:
        """Have them sign in one after the other, evenly, without waiting for each other."""
        start, gap = time.monotonic(), within / len(self.people)
        return [
            self._pool.submit(self._arrive, person, start + number * gap)
            for number, person in enumerate(self.people)
        ]

    def _arrive(self, person: Visitor, at: float) -> None:
        time.sleep(max(0.0, at - time.monotonic()))
        asked = time.monotonic()
        signed_in = self._insist(person.sign_in)
        page = self._insist(lambda: person.http.get("/workspace/"))
        with self._lock:
            self.statuses += [signed_in.status_code, page.status_code]
            self.seconds.append(time.monotonic() - asked)

    def _insist(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """Again when the connection broke, as whoever reads "connection lost" would."""
        while True:
            try:
                return request()
            except httpx.TransportError:
                with self._lock:
                    self.tried_again += 1
