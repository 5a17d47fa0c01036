"""Processes in a sandbox: what runs, starting something, and ending it."""

import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sandboxes import audit, data_plane, errors
from sandboxes.data_plane import failures, names, process_list, process_snapshot
from sandboxes.data_plane.process_list import Fields, Table, without_output
from sandboxes.data_plane.process_snapshot import ProcessSnapshot
from sandboxes.models import Action, Sandbox
from sandboxes.models.reach import Reach
from sandboxes.services.row_updates import touch
from sandboxes.services.sessions import require_reach

# How often one that fails is started again by the sandbox itself.
MAX_RESTARTS = 5
# Seconds
_SNAPSHOT_TIMEOUT, _STOP_TIMEOUT = 2.0, 10.0
_SIGNAL = 'kill -"$SIGNAL" -- -"$GROUP" 2>/dev/null || kill -"$SIGNAL" "$GROUP"'
_ENTER = 'cd -- "$FOLDER"'
_NAME = re.compile(r"(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Wanted:
    """A process to start; without a name the sandbox gives it one."""

    command: str
    name: str = ""
    working_dir: str = ""
    env: dict[str, str] = field(default_factory=dict)
    keep_alive: bool = False
    restart_on_failure: bool = False

    def as_request(self) -> dict[str, Any]:
        working_dir = names.raw(self.working_dir)
        given = {"name": self.name, "workingDir": working_dir, "env": self.env}
        return {
            "command": self.command,
            **{key: value for key, value in given.items() if value},
            "keepAlive": self.keep_alive,
            "restartOnFailure": self.restart_on_failure,
            "maxRestarts": MAX_RESTARTS if self.restart_on_failure else 0,
            # With keepAlive a process would otherwise be killed after ten minutes.
            "timeout": 0,
        }


def list_processes(*, sandbox: Sandbox) -> Table:
    """List running and ended processes, with load and ports. Wakes the sandbox.

    Raises SandboxGone, BeingDeleted, SandboxBusy, or a ProviderError.
    """
    require_reach(sandbox)
    touch(sandbox)
    with data_plane.shares.place(sandbox.reach):
        return _listed(sandbox)


def _listed(sandbox: Sandbox) -> Table:
    ends_at = time.monotonic() + _SNAPSHOT_TIMEOUT
    while True:
        before, now = _snapshots(sandbox.reach)
        if now or time.monotonic() > ends_at:
            listed = data_plane.processes.list_processes(sandbox.reach)
            return process_list.build([without_output(each) for each in listed], now, before)
        data_plane.processes.why_not_started(
            sandbox.reach,
            {
                "name": process_snapshot.NAME,
                **data_plane.trusted.script(process_snapshot.COMMAND),
                "workingDir": "/",
            },
        )
        time.sleep(0.2)


def _snapshots(reach: Reach) -> tuple[ProcessSnapshot | None, ProcessSnapshot | None]:
    """Return the last two snapshots of the script that runs, older first; none if it has ended."""
    found = data_plane.processes.find_process(reach, process_snapshot.NAME) or {}
    if found.get("status") != "running":
        return None, None
    before, now = process_snapshot.latest(names.text(found.get("stdout")))
    if now is None:  # one of very many processes is longer than the output that is listed
        return process_snapshot.latest(data_plane.processes.read_log(reach, process_snapshot.NAME))
    return before, now


def start_process(*, sandbox: Sandbox, wanted: Wanted, actor: Any) -> None:
    """Raises ProcessRefused, ProcessExists, or what list_processes does."""
    require_reach(sandbox)
    if wanted.name:
        check_process_name(wanted.name)
    touch(sandbox)
    _start(sandbox, wanted)
    detail = (wanted.name or wanted.command)[:255]
    audit.record(sandbox, Action.PROCESS_STARTED, actor=actor, detail=detail)


def check_process_name(name: str) -> None:
    """Raises ProcessRefused for a name that no new process may have."""
    if not _NAME.fullmatch(name):
        raise errors.ProcessRefused(
            "A name has 64 characters at most: letters, digits, dots, dashes and underscores. "
            "It begins with a letter or digit, and does not have digits alone.",
            field="name",
        )
    if name == "logs" or process_snapshot.is_own(name):
        raise errors.ProcessRefused("This name is reserved. Use another.", field="name")


def _start(sandbox: Sandbox, wanted: Wanted) -> None:
    why = data_plane.processes.why_not_started(sandbox.reach, wanted.as_request())
    if why is None:
        return
    if why.code == failures.ALREADY_RUNS:
        raise errors.ProcessExists(
            f"A process called {wanted.name} is already running.", field="name"
        )
    if why.code == failures.NO_FOLDER:
        missing = f"Folder not found: {wanted.working_dir}."
        raise errors.ProcessRefused(missing, field="working_dir")
    raise errors.ProcessRefused(f"The process could not be started: {why.said}")


def stop_process(*, sandbox: Sandbox, name: str, actor: Any) -> None:
    """Ask it to end. One that was not started through the API goes by its number.

    Raises ProcessNotFound, SandboxGone, BeingDeleted, SandboxBusy, or a ProviderError.
    """
    found = _running(sandbox, name)
    if found["managed"]:
        data_plane.processes.stop_process(sandbox.reach, data_plane.processes.identifier_of(found))
    else:
        _signal(sandbox, found["name"], "TERM")
    audit.record(sandbox, Action.PROCESS_STOPPED, actor=actor, detail=_called(found))


def kill_process(*, sandbox: Sandbox, name: str, actor: Any) -> None:
    """End it at once, whatever it does. Raises what stop_process does."""
    found = _running(sandbox, name)
    if found["managed"]:
        data_plane.processes.kill_process(sandbox.reach, data_plane.processes.identifier_of(found))
    else:
        _signal(sandbox, found["name"], "KILL")
    audit.record(sandbox, Action.PROCESS_KILLED, actor=actor, detail=_called(found))


def restart_process(*, sandbox: Sandbox, name: str, actor: Any) -> None:
    """End it, and start the same command again; what has ended is only started.

    Its environment variables are not among what a sandbox tells of a process: it is started
    without them. Raises what start_process and stop_process do.
    """
    found = _find(sandbox, name)
    if not found["managed"]:
        raise errors.ProcessRefused("This process was started in a terminal. Start it again there.")
    if found["status"] == "running":
        _expect_folder(sandbox, found)
        with data_plane.shares.place(sandbox.reach):
            _end(sandbox, found)
    wanted = Wanted(
        found["command"],
        found["name"],
        found["workingDir"],
        keep_alive=found["keepAlive"],
        restart_on_failure=found["restartOnFailure"],
    )
    _start(sandbox, wanted)
    audit.record(sandbox, Action.PROCESS_RESTARTED, actor=actor, detail=_called(found))


def _expect_folder(sandbox: Sandbox, found: Fields) -> None:
    """Raise ProcessRefused where a process could not be started in its folder again."""
    folder = found["workingDir"] or "/"
    values = {"FOLDER": names.raw(folder)}
    ran = data_plane.processes.run_script(sandbox.reach, _ENTER, values, 5)
    if ran.exit_code:
        raise errors.ProcessRefused(
            f"Its folder {folder} can't be entered any more, so it was not restarted. It still "
            "runs: make the folder again, or stop the process and start it in another one."
        )


def _end(sandbox: Sandbox, found: Fields) -> None:
    """Stop it; one that takes too long is killed."""
    name, identifier = found["name"], data_plane.processes.identifier_of(found)
    with suppress(errors.ProcessNotFound):  # the list says whether it has ended
        data_plane.processes.stop_process(sandbox.reach, identifier)
    ends_at = time.monotonic() + _STOP_TIMEOUT
    while any(
        each.get("name") == name and each.get("status") == "running" and not each.get("completedAt")
        for each in data_plane.processes.list_processes(sandbox.reach)
    ):
        if time.monotonic() > ends_at:
            data_plane.processes.kill_process(sandbox.reach, identifier)
            return
        time.sleep(0.1)


def _find(sandbox: Sandbox, name: str) -> Fields:
    found = list_processes(sandbox=sandbox).find(name)
    if found is None:
        raise errors.ProcessNotFound(f"Process not found: {name}.")
    return found


def _running(sandbox: Sandbox, name: str) -> Fields:
    found = _find(sandbox, name)
    if found["status"] != "running":
        raise errors.ProcessNotFound(f"{name} has already ended.")
    return found


def _called(found: Fields) -> str:
    return str(found["name"] if found["managed"] else found["command"])[:255]


def _signal(sandbox: Sandbox, group: str, signal: str) -> None:
    """Signal a job as a whole, as Ctrl-C in its terminal does. Raises ProcessNotFound."""
    values = {"SIGNAL": signal, "GROUP": str(int(group))}
    ran = data_plane.processes.run_script(sandbox.reach, _SIGNAL, values, 5)
    if ran.exit_code:
        raise errors.ProcessNotFound(f"No process {group} could be ended: {ran.stderr.strip()}")
