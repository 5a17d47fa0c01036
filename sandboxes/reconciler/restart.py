"""Restart of the processes in a sandbox, on request."""

from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from sandboxes import control_plane, data_plane, errors
from sandboxes.models import Action, Sandbox
from sandboxes.reconciler.row_updates import save_and_record
from sandboxes.reconciler.starter import run_starter, write_starter


def restart(sandbox: Sandbox, wanted: datetime) -> None:
    """Do the restart that was asked for then. The provider's record says which one it did last, so
    that an attempt after a crash does not restart it once more.
    """
    control_plane.sandboxes.restart(sandbox.name, token=wanted.isoformat())
    _end_what_still_runs(sandbox)
    write_starter(sandbox)
    run_starter(sandbox, although_stopped=True)
    save_and_record(sandbox, Action.RESTARTED, restart_wanted_at=None, restarted_at=wanted)


def _end_what_still_runs(sandbox: Sandbox) -> None:
    """Keep the promise also where a change of the environment does not end processes."""
    for process in data_plane.processes.list_processes(sandbox.reach):
        if process.get("status") == "running":
            with suppress(errors.ProcessNotFound):  # it has ended meanwhile
                data_plane.processes.kill_process(sandbox.reach, str(process.get("pid")))


def give_up_if_hopeless(sandbox: Sandbox, wanted: datetime, exc: errors.SandboxError) -> None:
    """Forget the restart when trying again can't help, or has not helped for long."""
    if exc.retryable and timezone.now() - wanted <= settings.SANDBOX_START_TIMEOUT:
        return
    failed = {"outcome": exc.code, "reason": str(exc)}
    save_and_record(sandbox, Action.RESTARTED, **failed, restart_wanted_at=None)
