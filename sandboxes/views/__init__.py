"""The pages of one's own sandbox."""

from sandboxes.views.actions import delete, dismiss_reminder, extend, reset, restart
from sandboxes.views.activity import activity, activity_export
from sandboxes.views.workspace import initialize, open_port, panel, refresh, stage, workspace

__all__ = [
    "activity",
    "activity_export",
    "delete",
    "dismiss_reminder",
    "extend",
    "initialize",
    "open_port",
    "panel",
    "refresh",
    "reset",
    "restart",
    "stage",
    "workspace",
]
