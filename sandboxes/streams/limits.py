"""Limits of each user in this process: what may be open at once, and what has to wait in line."""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Generic, Protocol, TypeVar


class NoPlace(Exception):
    """Raised when a user has as much open as they may."""


class PerUserLimit:
    """Places of each user; what is large takes several."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken: Counter[int] = Counter()

    def take(self, user: int, places: int = 1) -> None:
        """Take places. Raises NoPlace where so many are not free."""
        if self._taken[user] + places > self._places:
            raise NoPlace
        self._taken[user] += places

    def free(self, user: int, places: int = 1) -> None:
        self._taken[user] -= places
        if not self._taken[user]:
            del self._taken[user]

    @contextmanager
    def hold(self, user: int, places: int = 1) -> Iterator[None]:
        """Hold places while the block runs. Raises NoPlace."""
        self.take(user, places)
        try:
            yield
        finally:
            self.free(user, places)


class PerUserQueue:
    """Lets some works of each user run at once; their others wait, and hold nothing."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[int | None, asyncio.Semaphore] = {}
        self._in_line: Counter[int | None] = Counter()

    @asynccontextmanager
    async def turn(self, user: int | None) -> AsyncIterator[None]:
        line = self._lines.setdefault(user, asyncio.Semaphore(self._at_once))
        self._in_line[user] += 1
        try:
            async with line:
                yield
        finally:
            self._in_line[user] -= 1
            if not self._in_line[user]:
                del self._in_line[user], self._lines[user]


class _Ending(Protocol):
    @property
    def is_over(self) -> bool: ...

    def end(self, reason: str) -> None: ...


Stream = TypeVar("Stream", bound=_Ending)


class OpenStreams(Generic[Stream]):
    """Streams of all users in this process; a user's oldest gives way when they have too many."""

    def __init__(self, *, per_user: int, most: int, files_share: int) -> None:
        """Keep within this part of the files that the process may have open."""
        self._per_user = per_user
        self._capacity = min(most, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // files_share)
        self._by_user: dict[int, list[Stream]] = {}

    def __bool__(self) -> bool:
        # Asked from another thread, too.
        return bool(self._by_user)

    def __len__(self) -> int:
        return sum(map(len, self._by_user.values()))

    def __iter__(self) -> Iterator[tuple[int, list[Stream]]]:
        return iter(self._by_user.items())

    @property
    def users(self) -> set[int]:
        return set(self._by_user)

    @property
    def is_full(self) -> bool:
        return len(self) >= self._capacity

    def join(self, user: int, stream: Stream) -> None:
        own = self._by_user.setdefault(user, [])
        running = [each for each in own if not each.is_over]
        for oldest in running[: max(0, len(running) - self._per_user + 1)]:
            oldest.end("limit")
        own.append(stream)

    def leave(self, user: int, stream: Stream) -> None:
        own = self._by_user[user]
        own.remove(stream)
        if not own:
            del self._by_user[user]
