"""What listens in a sandbox now, from a census of its own."""

import time

from sandboxes import errors
from sandboxes.dataplane.client import expect_success, request
from sandboxes.inside import census
from sandboxes.inside.census import Listening

# Seconds that the look may take inside, and how long to wait while somebody else looks.
_TIMEOUT, _PATIENCE = 10, 10.0


def list_listening(url: str) -> list[Listening]:
    """What listens, by port, but for the sandbox's own server.

    Raises ProviderUnavailable or ProviderRejected.
    """
    _, now = census.latest(_look(url))
    if now is None:
        raise errors.ProviderUnavailable("Your sandbox did not say what listens in it.")
    return now.listening()


def _look(url: str) -> str:
    """Under one name, which no list shows: who comes second looks after the first."""
    process = {
        "name": census.ONCE_NAME,
        "command": census.ONCE_COMMAND,
        "workingDir": "/",
        "waitForCompletion": True,
        "timeout": _TIMEOUT,
    }
    ends_at = time.monotonic() + _PATIENCE
    while True:
        response = request("POST", f"{url}/process", json=process)
        if response.status_code < 400 or time.monotonic() > ends_at:
            break
        if "already exists" not in response.text:
            break
        time.sleep(0.1)
    if response.status_code == 422:
        raise errors.ProviderUnavailable("Your sandbox took too long to say what listens in it.")
    expect_success(response, "say what listens in it")
    return str(response.json().get("stdout") or "")
