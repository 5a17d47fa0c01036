"""Files that a person has written into their sandbox, and that must be found in it."""

import random
from contextlib import suppress
from urllib.parse import quote

import httpx

from chaos.journal import Mismatch
from tests.support.manta_process import Parts
from tests.support.waiting import wait_until

_FOLDER = "/blaxel/app/kept"
_TIMEOUT = 60.0


class Files:
    def __init__(self, parts: Parts, dice: random.Random) -> None:
        self._blaxel, self._dice = parts.blaxel, dice
        self._sandbox = ""
        # By name, every content that it may have: a write whose answer was lost leaves two.
        self._may_have: dict[str, set[str | None]] = {}
        self._may_be_gone = False

    def move_in(self, sandbox: str) -> None:
        self._sandbox = sandbox

    def may_be_gone(self) -> None:
        """Expect from now on all files or none, until the next look says which."""
        self._may_be_gone = True

    def write(self) -> None:
        name, text = f"{self._dice.randrange(20)}.txt", f"{self._dice.random()}\n"
        before = self._may_have.get(name, {None})
        self._may_have[name] = before | {text}
        with suppress(httpx.HTTPError):
            address = self._address(name)
            self._blaxel.http.put(address, json={"content": text}).raise_for_status()
            self._may_have[name] = {text}

    def check(self) -> int:
        """Read everything; raise Mismatch for what is lost or changed. Returns how many."""
        found = {name: self._read(name) for name in self._may_have}
        if self._may_be_gone:
            if self._may_have and all(text is None for text in found.values()):
                self._may_have = {}
            self._may_be_gone = False
        for name, possible in self._may_have.items():
            if found[name] not in possible:
                raise Mismatch(f"{self._sandbox}: {name} is {found[name]!r}, not {possible}")
            self._may_have[name] = {found[name]}
        return len(self._may_have)

    def lose_one(self) -> None:
        """Plant a fault: a file that is gone behind its owner's back."""
        self.write()
        name = next(iter(self._may_have))
        self._blaxel.http.delete(self._address(name)).raise_for_status()

    def _read(self, name: str) -> str | None:
        answers: list[httpx.Response] = []

        def comes_through() -> bool:
            answers.clear()
            with suppress(httpx.TransportError):
                answers.append(self._blaxel.http.get(self._address(name)))
            return bool(answers) and answers[-1].status_code in (200, 404)

        wait_until(comes_through, _TIMEOUT)
        return str(answers[-1].json()["content"]) if answers[-1].status_code == 200 else None

    def _address(self, name: str) -> str:
        return f"/manta/sandboxes/{self._sandbox}/filesystem/{quote(f'{_FOLDER}/{name}')}"
