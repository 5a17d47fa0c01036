"""The project that a new sandbox opens with: its files, and its server."""

import logging
from datetime import timedelta

from django.utils import timezone

from sandboxes import data_plane
from sandboxes.models import Sandbox, Step
from sandboxes.reconciler.row_updates import save
from sandboxes.starters import projects

logger = logging.getLogger(__name__)

# How often its server is looked after.
STARTER_EVERY = timedelta(seconds=60)


def write_starter(sandbox: Sandbox) -> None:
    if sandbox.starter_written_at:
        return
    save(sandbox, step=Step.STARTER)
    starter = projects.current()
    if not data_plane.files.file_exists(sandbox.reach, f"{starter.folder}/{projects.LAST_FILE}"):
        last = {projects.LAST_FILE: starter.files[projects.LAST_FILE]}
        others = {path: text for path, text in starter.files.items() if path not in last}
        data_plane.files.write_tree(sandbox.reach, starter.folder, others)
        data_plane.files.write_tree(sandbox.reach, starter.folder, last)
    save(sandbox, starter_written_at=timezone.now())


def run_starter(sandbox: Sandbox, *, although_stopped: bool = False) -> None:
    """Start the starter's server, unless it runs or its owner has stopped it."""
    starter = projects.current()
    processes = data_plane.processes.list_processes(sandbox.reach)
    states = {p.get("status") for p in processes if p.get("name") == starter.process}
    if states.isdisjoint({"running"} if although_stopped else {"running", "stopped", "killed"}):
        process = {
            "name": starter.process,
            "command": starter.command,
            "workingDir": starter.folder,
            "restartOnFailure": True,
            "maxRestarts": 5,
            # So that Open works as soon as the sandbox is said to be ready.
            "waitForPorts": [starter.port],
            "timeout": 10,
        }
        if not data_plane.processes.start_process(sandbox.reach, process):
            logger.warning("%s: the starter's port does not answer yet", sandbox.name)
    save(sandbox, starter_checked_at=timezone.now())
