"""Listening ports of a sandbox, from one process snapshot."""

import time

from sandboxes import errors
from sandboxes.data_plane import failures, process_snapshot, trusted
from sandboxes.data_plane.client import after, expect_success, object_of, request
from sandboxes.data_plane.process_snapshot import Listening
from sandboxes.data_plane.shares import shares
from sandboxes.models.reach import Reach

# Seconds that the look may take inside, and how long to wait while another look runs.
_SCRIPT_TIMEOUT, _TIMEOUT = 10, 10.0


def list_listening(reach: Reach) -> list[Listening]:
    """Return the listening ports, without that of the sandbox's server.

    Raises ProviderUnavailable or ProviderRejected.
    """
    with shares.place(reach):
        _, now = process_snapshot.latest(_look(reach))
    if now is None:
        raise errors.ProviderUnavailable("Your sandbox did not list its ports.")
    return now.listening()


def _look(reach: Reach) -> str:
    """Run a snapshot under one name, which no list shows; a second caller waits for the first."""
    process = {
        "name": process_snapshot.ONCE_NAME,
        **trusted.script(process_snapshot.ONCE_COMMAND),
        "workingDir": "/",
        "waitForCompletion": True,
        "timeout": _SCRIPT_TIMEOUT,
    }
    ends_at = time.monotonic() + _TIMEOUT
    while True:
        response = request(
            "POST", reach.at("/process"), json=process, timeout=after(_SCRIPT_TIMEOUT)
        )
        if response.status_code < 400 or time.monotonic() > ends_at:
            break
        if failures.process_code(response, process) != failures.ALREADY_RUNS:
            break
        time.sleep(0.1)
    if failures.process_code(response, process) == failures.TIMED_OUT:
        raise errors.ProviderUnavailable("Your sandbox took too long to list its ports.")
    expect_success(response, "list its ports")
    return str(object_of(response).get("stdout") or "")
