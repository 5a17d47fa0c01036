"""Processes in a sandbox."""

import secrets
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandboxes import errors
from sandboxes.dataplane.client import expect_success, request

# How the names begin of the processes that Manta itself runs for a moment.
OWN_PREFIX = "manta-"


@dataclass(frozen=True)
class Ran:
    exit_code: int
    stdout: str
    stderr: str


def list_processes(url: str) -> list[dict[str, Any]]:
    """Running and finished processes, as Blaxel's ProcessResponse."""
    response = request("GET", f"{url}/process")
    expect_success(response, "list processes")
    found: list[dict[str, Any]] = response.json()
    return found


def start_process(url: str, process: dict[str, Any]) -> bool:
    """Start a process from the fields of Blaxel's POST /process.

    Returns whether the ports in waitForPorts listened before its timeout.
    """
    response = request("POST", f"{url}/process", json=process)
    if response.status_code == 422 and "waiting for ports" in response.text:
        return False
    expect_success(response, "start a process")
    return True


def kill_process(url: str, identifier: str) -> None:
    """End a process and its children at once; nothing happens when it has ended."""
    response = request("DELETE", f"{url}/process/{quote(identifier, safe='')}/kill")
    if response.status_code != 404:
        expect_success(response, "end a process")


def stop_process(url: str, identifier: str) -> None:
    """Ask a process to end; nothing happens when it has ended."""
    response = request("DELETE", f"{url}/process/{quote(identifier, safe='')}")
    if response.status_code != 404:
        expect_success(response, "stop a process")


def why_not_started(url: str, process: dict[str, Any]) -> str:
    """Start a process; "" when it was, else why not, in the sandbox's own words."""
    response = request("POST", f"{url}/process", json=process)
    if response.status_code not in (400, 422):
        expect_success(response, "start a process")
        return ""
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return "The sandbox refused it."


def run(url: str, command: str, timeout: int, *, name: str = "") -> str:
    """Run a shell command to its end; returns what it wrote to stdout.

    Raises ProviderUnavailable when it has not ended after timeout seconds.
    """
    process = {"command": command, "waitForCompletion": True, "timeout": timeout}
    if name:
        process["name"] = name
    response = request("POST", f"{url}/process", json=process)
    if response.status_code == 422:
        raise errors.ProviderUnavailable("A command in your sandbox did not end in time.")
    expect_success(response, "run a command")
    return str(response.json().get("stdout") or "")


def run_script(url: str, script: str, values: dict[str, str], timeout: int) -> Ran:
    """Run a script of sh to its end. What is in names and paths goes into variables, never into it.

    Raises ProviderUnavailable when it has not ended after timeout seconds: it goes on then.
    """
    process = {
        "name": f"{OWN_PREFIX}{secrets.token_hex(6)}",
        "command": f"exec sh -c {shlex.quote(script)}",
        "env": {**values, "LC_ALL": "C"},
        "workingDir": "/",
        "waitForCompletion": True,
        "timeout": timeout,
    }
    response = request("POST", f"{url}/process", json=process)
    if response.status_code == 422 and "timed out" in response.text:
        raise errors.ProviderUnavailable("This takes long in your sandbox: look again later.")
    expect_success(response, "run a command")
    answer = response.json()
    return Ran(
        int(answer.get("exitCode") or 0), answer.get("stdout") or "", answer.get("stderr") or ""
    )
