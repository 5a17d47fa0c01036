"""A local_blaxel to measure, and a program that runs in it and beside it."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.local_blaxel import Server

# Longer than local_blaxel takes to have its pool of started agents full again.
PAUSE = 3.0
AWAKE = "3600"
# Of a client whose 50 creations are under way on a busy machine.
TIMEOUT = 120.0


@contextmanager
def running(standby_after: str = AWAKE) -> Iterator[Server]:
    """A server of its own, with its pool full; in the end nothing of it is left."""
    server = Server(LOCAL_BLAXEL_STANDBY_AFTER=standby_after)
    server.http.timeout = TIMEOUT
    try:
        time.sleep(PAUSE)
        yield server
    finally:
        server.clear_away()


def create(server: Server, name: str) -> None:
    """Create a sandbox and wait for the answer of its first command."""
    server.create(name)
    server.run(name, "true")


def command_directly() -> None:
    """Run a shell to its end, as a sandbox does for a command, but without a sandbox."""
    subprocess.run(["sh", "-c", "true"], capture_output=True, check=True)
