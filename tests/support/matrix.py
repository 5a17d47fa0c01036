"""Matrices of requests: many in one test, each from the same rows; mismatches are collected."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.test import Client

from accounts.models import User


class Cell:
    """One request of a matrix; adds a line to the mismatches for each wrong thing in its answer."""

    def __init__(self, mismatches: list[str], request: str) -> None:
        self._mismatches, self._request = mismatches, request

    def note(self, expected: str, got: str) -> None:
        self._mismatches.append(f"{self._request}: expected {expected}, got {got}")

    def equal(self, what: str, got: Any, expected: Any) -> None:
        if got != expected:
            self.note(f"{what} {expected!r}", repr(got))

    def one_of(self, what: str, got: Any, expected: tuple[Any, ...]) -> None:
        if got not in expected:
            self.note(f"{what} in {expected!r}", repr(got))

    def lacks(self, what: str, text: str, secret: str) -> None:
        if secret in text:
            self.note(f"{what} without {secret!r}", f"it, {len(text)} characters long")


@contextmanager
def cell(
    mismatches: list[str], method: str, route: str, credential: str, *, undo: bool = True
) -> Iterator[Cell]:
    """Ask and compare within this; an exception is a mismatch, too.

    What the request did to the database is undone afterwards, so that the next one finds the same
    rows. Tests whose requests are answered in other threads commit, and pass `undo=False`.
    """
    current = Cell(mismatches, f"{method.upper()} /{route.removeprefix('/')} with {credential}")
    try:
        with _undone() if undo else nullcontext():
            yield current
    except Exception as exc:
        traceback.print_exc()  # pytest shows it beside the mismatches
        current.note("an answer", repr(exc))
    finally:
        cache.clear()


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def bearing(raw: str, **more: Any) -> Client:
    """A program: no cookie, nothing but its token."""
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {raw}"}, **more)


def signed_in(user: User, **options: Any) -> Callable[[], Client]:
    """Sign in once; what is returned makes new browsers that have this session."""
    first = Client()
    first.force_login(user)

    def browser() -> Client:
        client = Client(**options)
        client.cookies["sessionid"] = first.cookies["sessionid"].value
        return client

    return browser
