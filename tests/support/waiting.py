"""Waiting for a condition, never for seconds."""

import time
from collections.abc import Callable
from typing import Any

# Generous: a busy machine must not fail a test, and a condition that holds ends the wait.
TIMEOUT = 90.0


def wait_until(condition: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
    """Return the condition's first true result.

    Raises AssertionError after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout} s: {condition}")
        time.sleep(0.02)
    return result
