"""Pulls the plug on Manta's processes."""

import random
import signal
import time

from chaos.journal import Journal
from tests.support.manta_process import Parts


class Killer:
    def __init__(self, parts: Parts, journal: Journal, dice: random.Random) -> None:
        self._parts, self._journal, self._dice = parts, journal, dice

    def strike(self) -> None:
        """Let it run for some seconds; then kill, or hold up, one or two processes for a while."""
        time.sleep(self._dice.uniform(1, 8))
        victims = self._dice.sample(list(Parts.COMMANDS), self._dice.choice([1, 1, 1, 2]))
        if self._dice.random() < 0.75:
            self._kill(victims)
        else:
            self._hold_up(victims)
        self._parts.mend()

    def _kill(self, victims: list[str]) -> None:
        for name in victims:
            self._parts.kill(name)
            self._journal.count(f"kill -9 of {name}")
        time.sleep(self._dice.uniform(0, 3))

    def _hold_up(self, victims: list[str]) -> None:
        for name in victims:
            self._parts.signal(name, signal.SIGSTOP)
            self._journal.count(f"SIGSTOP of {name}")
        time.sleep(self._dice.uniform(0.5, 4))
