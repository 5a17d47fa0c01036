"""Start, find again, freeze, thaw and stop sandboxes; nothing here knows about HTTP."""

from .launcher import Launcher
from .model import Activity, LaunchError, LaunchSpec, Mount, NothingListens, Service

__all__ = [
    "Activity",
    "LaunchError",
    "LaunchSpec",
    "Launcher",
    "Mount",
    "NothingListens",
    "Service",
]
