"""Pages of the user's sandbox."""

from sandboxes.web.actions import delete, dismiss_reminder, extend, reset, restart
from sandboxes.web.activity import activity, activity_export
from sandboxes.web.agents import agents, agents_export, last_call
from sandboxes.web.connect import connect, connect_test
from sandboxes.web.files import folder
from sandboxes.web.ports import open_port, ports, publish_port, unpublish_port, visibility
from sandboxes.web.processes import act_on_process, processes, start_process
from sandboxes.web.workspace import initialize, panel, refresh, stage, workspace

__all__ = [
    "act_on_process",
    "activity",
    "activity_export",
    "agents",
    "agents_export",
    "connect",
    "connect_test",
    "delete",
    "dismiss_reminder",
    "extend",
    "folder",
    "initialize",
    "last_call",
    "open_port",
    "panel",
    "ports",
    "processes",
    "publish_port",
    "refresh",
    "reset",
    "restart",
    "stage",
    "start_process",
    "unpublish_port",
    "visibility",
    "workspace",
]
