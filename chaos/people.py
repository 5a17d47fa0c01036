"""People, each of whom knows what must be in their sandbox."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from chaos.files import Files
from chaos.journal import Journal, Mismatch
from tests.support.manta_process import Parts
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

# Longer than any process is away, and than making a sandbox takes then.
TIMEOUT = 120.0
# What a page may answer while something is away; a 500 is a bug.
_EXCUSES = {502, 503}


class Person:
    def __init__(self, parts: Parts, journal: Journal, seed: int) -> None:
        self.visitor = Visitor(parts.url)
        self.visitor.http.event_hooks = {"response": [_refuse_bugs]}
        self.name = ""
        self._journal = journal
        self._dice = random.Random(seed)  # noqa: S311
        self.files = Files(parts, self._dice)

    def arrive(self) -> None:
        """Sign up; when the answer was lost, the account may be there, so sign in."""
        self._until_through(self.visitor.sign_up)
        self._sign_in()
        self.name = self._until_ready()
        self.files.move_in(self.name)

    def act(self) -> None:
        """Do one thing, and wait until its consequences are known."""
        actions: dict[Callable[[], None], int] = {
            self._write: 8,
            self._read: 5,
            self._sign_in_again: 2,
            self._restart: 2,
            self._extend: 2,
            self._open: 2,
            self._reset: 1,
            self._delete: 1,
        }
        [action] = self._dice.choices(list(actions), list(actions.values()))
        self._journal.count(action.__name__.strip("_").replace("_", " "))
        action()

    def _write(self) -> None:
        self.files.write()

    def _read(self) -> None:
        self.files.check()

    def _sign_in_again(self) -> None:
        with suppress(httpx.TransportError):
            self.visitor.sign_out()
        self.visitor.http.cookies.clear()
        self._sign_in()

    def _restart(self) -> None:
        self._press("/sandbox/restart/")
        self._until_ready()

    def _extend(self) -> None:
        self._press("/sandbox/extend/")

    def _open(self) -> None:
        self._press("/sandbox/open/3000/")

    def _reset(self) -> None:
        self.files.may_be_gone()
        self._confirm("/sandbox/reset/")
        self._until_ready()
        self.files.check()

    def _delete(self) -> None:
        """Delete the sandbox, and ask for a new one."""
        self.files.may_be_gone()
        self._confirm("/sandbox/delete/")
        wait_until(self._is_settled, TIMEOUT)
        wait_until(self._asks_for_a_sandbox, TIMEOUT)
        self._until_ready()
        self.files.check()

    def _asks_for_a_sandbox(self) -> bool:
        """Ask for a sandbox, unless the old one is being deleted."""
        answer = self._until_through(lambda: self.visitor.post("/sandbox/initialize/"))
        return answer.status_code != 409

    def _sign_in(self) -> None:
        self._until_through(self.visitor.sign_in)
        answer = self._until_through(lambda: self.visitor.http.get("/workspace/"))
        if answer.status_code != 200:
            raise Mismatch(f"{self.visitor.email} signed in, and is not: {answer.status_code}")

    def _press(self, path: str, **fields: str) -> None:
        """Press once: the result is seen later. It may be lost, and must not be half done."""
        with suppress(httpx.TransportError):
            self.visitor.post(path, **fields)

    def _confirm(self, path: str) -> None:
        with suppress(httpx.TransportError):
            page = self.visitor.http.get(path).text
            made = page.partition('name="made" value="')[2].partition('"')[0]
            self.visitor.post(path, confirm=self.name, made=made)

    def _until_through(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        """The first answer that comes, with the process that is away back again."""
        answers: list[httpx.Response] = []

        def comes_through() -> bool:
            answers.clear()
            with suppress(httpx.TransportError):
                answers.append(request())
            return bool(answers) and answers[-1].status_code not in _EXCUSES

        wait_until(comes_through, TIMEOUT)
        return answers[-1]

    def _sandbox(self) -> dict[str, Any] | None:
        answer = self._until_through(lambda: self.visitor.http.get("/api/sandbox/init"))
        found: dict[str, Any] | None = answer.json()["sandbox"]
        return found

    def _is_settled(self) -> bool:
        sandbox = self._sandbox()
        return sandbox is None or sandbox["status"] in ("active", "standby", "failed")

    def _until_ready(self) -> str:
        """The name of the sandbox; asks again for one that could not be made."""

        def ready() -> str | None:
            sandbox = self._sandbox() or {}
            if sandbox.get("status") == "failed":
                self._journal.count("retry")
                self._press("/sandbox/initialize/")
            is_there = sandbox.get("status") in ("active", "standby")
            return str(sandbox["sandboxId"]) if is_there else None

        name: str = wait_until(ready, TIMEOUT)
        return name


def _refuse_bugs(response: httpx.Response) -> None:
    if response.status_code >= 500 and response.status_code not in _EXCUSES:
        raise Mismatch(f"{response.request.url} answered {response.status_code}")


class Crowd:
    """All simulated people, each in a thread, until it is closed."""

    def __init__(self, parts: Parts, journal: Journal, count: int, seed: int) -> None:
        self.people = [Person(parts, journal, seed + number) for number in range(count)]
        self._going_home = threading.Event()
        self._complaint: Exception | None = None
        self._threads = [
            threading.Thread(target=self._live, args=(person,)) for person in self.people
        ]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._going_home.set()
        for thread in self._threads:
            thread.join()

    def complain(self) -> None:
        """Raise the first error that a person found, if any."""
        if self._complaint:
            raise self._complaint

    def _live(self, person: Person) -> None:
        try:
            person.arrive()
            while not self._going_home.wait(0.05):
                person.act()
        except Mismatch as mismatch:
            self._complaint = self._complaint or mismatch
        except Exception as exc:
            late = Mismatch(f"{person.visitor.email} ({person.name}): {exc!r}")
            self._complaint = self._complaint or late
