"""Processes in a sandbox: what runs, starting something, and ending it."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from sandboxes import dataplane, errors, events
from sandboxes.inside import census
from sandboxes.inside.table import Fields, Table, slim, tabulate
from sandboxes.models import Action, Sandbox
from sandboxes.services.rows import require_ready, use

# How often one that fails is started again by the sandbox itself.
MOST_RESTARTS = 5
# Seconds
_CENSUS_PATIENCE, _STOP_PATIENCE = 2.0, 10.0
_NAME = re.compile(r"(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Wanted:
    """A process to start; without a name the sandbox gives it one."""

    command: str
    name: str = ""
    folder: str = ""
    env: dict[str, str] = field(default_factory=dict)
    keep_alive: bool = False
    restart_on_failure: bool = False

    def as_request(self) -> dict[str, Any]:
        given = {"name": self.name, "workingDir": self.folder, "env": self.env}
        return {
            "command": self.command,
            **{key: value for key, value in given.items() if value},
            "keepAlive": self.keep_alive,
            "restartOnFailure": self.restart_on_failure,
            "maxRestarts": MOST_RESTARTS if self.restart_on_failure else 0,
            # With keepAlive a process would otherwise be killed after ten minutes.
            "timeout": 0,
        }


def list_processes(*, sandbox: Sandbox) -> Table:
    """What runs, and what has ended, with load and ports. Wakes the sandbox.

    Raises SandboxGone, BeingDeleted, SandboxBusy, or a ProviderError.
    """
    require_ready(sandbox)
    use(sandbox)
    ends_at = time.monotonic() + _CENSUS_PATIENCE
    while True:
        listed = dataplane.list_processes(sandbox.url)
        before, now = census.latest(_census_output(listed))
        if now or time.monotonic() > ends_at:
            return tabulate([slim(each) for each in listed], now, before)
        dataplane.why_not_started(
            sandbox.url, {"name": census.NAME, "command": census.COMMAND, "workingDir": "/"}
        )
        time.sleep(0.2)


def _census_output(listed: list[dict[str, Any]]) -> str:
    """What the census says that runs; one that has ended tells of the past."""
    running = [
        each
        for each in listed
        if each.get("name") == census.NAME and each.get("status") == "running"
    ]
    return str(running[-1].get("stdout") or "") if running else ""


def start_process(*, sandbox: Sandbox, wanted: Wanted, actor: Any) -> None:
    """Raises ProcessRefused, ProcessExists, or what list_processes does."""
    require_ready(sandbox)
    if wanted.name and not _NAME.fullmatch(wanted.name):
        raise errors.ProcessRefused(
            "Use letters, digits, dots, dashes and underscores, and not only digits.", field="name"
        )
    if wanted.name == "logs" or wanted.name.startswith(census.OWN_PREFIX):
        raise errors.ProcessRefused("That name is Manta's own. Take another.", field="name")
    use(sandbox)
    _start(sandbox, wanted)
    detail = (wanted.name or wanted.command)[:255]
    events.record(sandbox, Action.PROCESS_STARTED, actor=actor, detail=detail)


def _start(sandbox: Sandbox, wanted: Wanted) -> None:
    why = dataplane.why_not_started(sandbox.url, wanted.as_request())
    if "already exists" in why:
        raise errors.ProcessExists(f"A process called {wanted.name} runs already.", field="name")
    if "folder" in why:
        raise errors.ProcessRefused(f"There is no folder {wanted.folder}.", field="folder")
    if why:
        raise errors.ProcessRefused(f"The sandbox can't start it: {why}")


def stop_process(*, sandbox: Sandbox, name: str, actor: Any) -> None:
    """Ask it to end. One that nobody started through the API goes by its number.

    Raises ProcessNotFound, SandboxGone, BeingDeleted, SandboxBusy, or a ProviderError.
    """
    found = _running(sandbox, name)
    if found["managed"]:
        dataplane.stop_process(sandbox.url, name)
    else:
        _signal(sandbox, found["name"], "TERM")
    events.record(sandbox, Action.PROCESS_STOPPED, actor=actor, detail=_called(found))


def kill_process(*, sandbox: Sandbox, name: str, actor: Any) -> None:
    """End it at once, whatever it does. Raises what stop_process does."""
    found = _running(sandbox, name)
    if found["managed"]:
        dataplane.kill_process(sandbox.url, name)
    else:
        _signal(sandbox, found["name"], "KILL")
    events.record(sandbox, Action.PROCESS_KILLED, actor=actor, detail=_called(found))


def restart_process(*, sandbox: Sandbox, name: str, actor: Any) -> None:
    """End it, and start the same command again; what has ended is only started.

    Its environment variables are not among what a sandbox tells of a process: it is started
    without them. Raises what start_process and stop_process do.
    """
    found = _find(sandbox, name)
    if not found["managed"]:
        raise errors.ProcessRefused("It was started in a terminal: start it again there.")
    if found["status"] == "running":
        _end(sandbox, name)
    wanted = Wanted(
        found["command"],
        name,
        found["workingDir"],
        keep_alive=found["keepAlive"],
        restart_on_failure=found["restartOnFailure"],
    )
    _start(sandbox, wanted)
    events.record(sandbox, Action.PROCESS_RESTARTED, actor=actor, detail=name[:255])


def _end(sandbox: Sandbox, name: str) -> None:
    """Stop it; one that takes too long is killed."""
    dataplane.stop_process(sandbox.url, name)
    ends_at = time.monotonic() + _STOP_PATIENCE
    while any(
        each.get("name") == name and each.get("status") == "running" and not each.get("completedAt")
        for each in dataplane.list_processes(sandbox.url)
    ):
        if time.monotonic() > ends_at:
            dataplane.kill_process(sandbox.url, name)
            return
        time.sleep(0.1)


def _find(sandbox: Sandbox, name: str) -> Fields:
    found = list_processes(sandbox=sandbox).find(name)
    if found is None:
        raise errors.ProcessNotFound(f"There is no process {name}.")
    return found


def _running(sandbox: Sandbox, name: str) -> Fields:
    found = _find(sandbox, name)
    if found["status"] != "running":
        raise errors.ProcessNotFound(f"{name} has ended already.")
    return found


def _called(found: Fields) -> str:
    return str(found["name"] if found["managed"] else found["command"])[:255]


def _signal(sandbox: Sandbox, group: str, signal: str) -> None:
    """To a job as a whole, as Ctrl-C in its terminal does."""
    command = f"kill -{signal} -- -{int(group)} 2>/dev/null || kill -{signal} {int(group)}"
    dataplane.run(sandbox.url, command, 5, name=f"{census.OWN_PREFIX}signal")
