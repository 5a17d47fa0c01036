"""Processes in a sandbox."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from sandboxes import errors
from sandboxes.data_plane import failures, names, trusted
from sandboxes.data_plane.client import (
    after,
    client,
    expect_success,
    object_of,
    refuse_failures,
    request,
    translated,
    understood,
)
from sandboxes.data_plane.process_records import MAX_READ, ListReader
from sandboxes.data_plane.process_snapshot import OWN_PREFIX
from sandboxes.models.reach import Reach

# Bytes of a whole log: two streams of 4 MB, as JSON escapes them.
MAX_LOG = 32 * 2**20
# Neither dots alone, nor digits alone, nor a slash or a control character.
_ADDRESSABLE = re.compile(r"(?!\.+$)(?!\d+$)[^/\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class NotStarted:
    """The reason why a process was not started: a code, and the sandbox's own words."""

    code: str
    said: str


@dataclass(frozen=True)
class Ran:
    exit_code: int
    stdout: str
    stderr: str


def list_processes(reach: Reach) -> list[dict[str, Any]]:
    """Running and finished processes, as Blaxel's ProcessResponse, without their output."""
    reader, limit = ListReader(), {"most": MAX_READ}
    where = reach.at("/process").as_request()
    with translated(), client().stream("GET", **where, extensions=limit) as response:
        refuse_failures(response)
        expect_success(response, "list processes")
        with understood():
            for piece in response.iter_raw():
                reader.feed(piece)
    return reader.processes()


def find_process(reach: Reach, identifier: str) -> dict[str, Any] | None:
    """The latest process of that name, with the end of its output. None when there is none."""
    response = request("GET", reach.at(f"/process/{quote(identifier, safe='')}"))
    if response.status_code == 404:
        return None
    expect_success(response, "show a process")
    return object_of(response)


def read_log(reach: Reach, identifier: str) -> str:
    """The end of what a process wrote to stdout, of which find_process has less."""
    where = reach.at(f"/process/{quote(identifier, safe='')}/logs")
    response = request("GET", where, extensions={"most": MAX_LOG})
    if response.status_code == 404:
        return ""
    expect_success(response, "show a log")
    return names.text(object_of(response).get("stdout"))


def start_process(reach: Reach, process: dict[str, Any]) -> bool:
    """Start a process from the fields of Blaxel's POST /process.

    Returns whether the ports in waitForPorts listened before its timeout.
    """
    waits = after(process.get("timeout", 0) if process.get("waitForPorts") else 0)
    response = request("POST", reach.at("/process"), json=process, timeout=waits)
    if failures.process_code(response, process) == failures.TIMED_OUT:
        return False
    expect_success(response, "start a process")
    return True


def kill_process(reach: Reach, identifier: str) -> None:
    """End a process and its children at once. Raises ProcessNotFound."""
    response = request("DELETE", reach.at(f"/process/{quote(identifier, safe='')}/kill"))
    _expect_found(response, identifier)
    expect_success(response, "end a process")


def stop_process(reach: Reach, identifier: str) -> None:
    """Stop a process (SIGTERM). Raises ProcessNotFound, also for one that has ended."""
    response = request("DELETE", reach.at(f"/process/{quote(identifier, safe='')}"))
    _expect_found(response, identifier)
    expect_success(response, "stop a process")


def _expect_found(response: httpx.Response, identifier: str) -> None:
    if response.status_code == 404:
        raise errors.ProcessNotFound(f"The sandbox has no running process {identifier}.")


def identifier_of(process: Mapping[str, Any]) -> str:
    """The part of an address that means the process: its name, or its number where a name can't
    be such a part, or would be taken for a number.
    """
    name = str(process.get("name") or "")
    return name if can_be_addressed(name) else str(process.get("pid"))


def can_be_addressed(name: str) -> bool:
    """Return whether a name can be part of a URL, encoded, wherever URLs are decoded."""
    return _ADDRESSABLE.fullmatch(name) is not None


def why_not_started(reach: Reach, process: dict[str, Any]) -> NotStarted | None:
    """Start a process; None when it was, else why not."""
    # Bytes in its folder that are not UTF-8 are lone surrogates, which only an escape can tell.
    body, kind = json.dumps(process).encode(), {"Content-Type": "application/json"}
    response = request("POST", reach.at("/process"), headers=kind, content=body)
    if response.status_code not in (400, 422):
        expect_success(response, "start a process")
        return None
    said = failures.said_by(response) or "The sandbox refused."
    return NotStarted(failures.process_code(response, process), said)


def run(
    reach: Reach,
    command: str,
    timeout: int,
    *,
    name: str = "",
    values: dict[str, str] | None = None,
) -> str:
    """Run a shell command to its end; returns what it wrote to stdout.

    Raises ProviderUnavailable when it has not ended after timeout seconds.
    """
    process = {
        **trusted.script(command, values),
        "workingDir": "/",
        "waitForCompletion": True,
        "timeout": timeout,
    }
    if name:
        process["name"] = name
    response = request("POST", reach.at("/process"), json=process, timeout=after(timeout))
    if failures.process_code(response, process) == failures.TIMED_OUT:
        raise errors.ProviderUnavailable("A command in your sandbox did not end in time.")
    expect_success(response, "run a command")
    return str(object_of(response).get("stdout") or "")


def run_script(reach: Reach, script: str, values: dict[str, str], timeout: int) -> Ran:
    """Run a script of sh to its end. What is in names and paths goes into variables, never into it.

    Raises ProviderUnavailable when it has not ended after timeout seconds: it goes on then.
    """
    process = {
        "name": f"{OWN_PREFIX}{secrets.token_hex(6)}",
        **trusted.script(script, values),
        "workingDir": "/",
        "waitForCompletion": True,
        "timeout": timeout,
    }
    response = request("POST", reach.at("/process"), json=process, timeout=after(timeout))
    if failures.process_code(response, process) == failures.TIMED_OUT:
        raise errors.ProviderUnavailable(
            "This takes a long time in your sandbox: check again later."
        )
    expect_success(response, "run a command")
    answer = object_of(response)
    with understood():
        code, output, trouble = (answer.get(each) for each in ("exitCode", "stdout", "stderr"))
        return Ran(int(code or 0), names.text(output), names.text(trouble))
