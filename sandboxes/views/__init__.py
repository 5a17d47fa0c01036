"""The pages of one's own sandbox."""

from sandboxes.views.actions import delete, dismiss_reminder, extend, reset, restart
from sandboxes.views.activity import activity, activity_export
from sandboxes.views.agents import agents, agents_export, last_call
from sandboxes.views.connect import connect, connect_test
from sandboxes.views.files import folder
from sandboxes.views.ports import open_port, ports, publish_port, unpublish_port, visibility
from sandboxes.views.processes import act_on_process, processes, start_process
from sandboxes.views.workspace import initialize, panel, refresh, stage, workspace

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
