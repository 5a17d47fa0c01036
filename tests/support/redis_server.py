"""A Redis of the test's own, where this machine has one."""

import shutil
import signal
import subprocess

import pytest
from redis import Redis as Client
from redis.exceptions import RedisError

from tests.support.supervisor import free_port
from tests.support.waiting import wait_until


class Redis:
    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("There is no redis-server on the PATH.")
        self._program, self._port = program, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> "Redis":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait()

    def start(self) -> None:
        options = ("--port", str(self._port), "--save", "", "--appendonly", "no")
        self.process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def kill(self) -> None:
        """With everything in it: nothing of it was ever on a disk."""
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        with Client(port=self._port) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False
