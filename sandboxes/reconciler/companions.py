"""Threads that other apps run beside the worker's loop, in each worker process."""

from collections.abc import Callable
from typing import Protocol


class Companion(Protocol):
    def start(self) -> None: ...

    def stop(self, timeout: float) -> None:
        """Finish what is under way; give up after this many seconds."""


_makers: list[Callable[[], Companion]] = []


def register(make: Callable[[], Companion]) -> None:
    """Have each worker start one. Apps do this in their AppConfig.ready()."""
    _makers.append(make)


def make_all() -> list[Companion]:
    return [make() for make in _makers]
