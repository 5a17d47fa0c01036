"""Processes in a sandbox."""

from typing import Any
from urllib.parse import quote

from sandboxes import errors
from sandboxes.dataplane.client import expect_success, request


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


def run(url: str, command: str, timeout: int) -> str:
    """Run a shell command to its end; returns what it wrote to stdout.

    Raises ProviderUnavailable when it has not ended after timeout seconds.
    """
    process = {"command": command, "waitForCompletion": True, "timeout": timeout}
    response = request("POST", f"{url}/process", json=process)
    if response.status_code == 422:
        raise errors.ProviderUnavailable("A command in your sandbox did not end in time.")
    expect_success(response, "run a command")
    return str(response.json().get("stdout") or "")
