"""Processes that tests find again by how long they sleep, and no other test's."""

import secrets
import subprocess


def unique_seconds() -> int:
    return 10**8 + secrets.randbelow(10**8)


def sleepers(seconds: int) -> list[str]:
    """The ids of the processes that were told to sleep so long."""
    found = subprocess.run(["pgrep", "-f", f"sleep {seconds}"], capture_output=True, text=True)
    return found.stdout.split()
