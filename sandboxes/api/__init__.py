"""The REST API of one's own sandbox, one module a resource."""

from sandboxes.api.actions import SandboxDetail, SandboxExtend, SandboxReset, SandboxRestart
from sandboxes.api.calls import SandboxCalls
from sandboxes.api.events import SandboxEvents
from sandboxes.api.files import (
    SandboxFileMove,
    SandboxFileRestore,
    SandboxFiles,
    SandboxFileSearch,
    SandboxFolders,
)
from sandboxes.api.init import SandboxInit
from sandboxes.api.ports import SandboxPortPublic, SandboxPorts, SandboxPreviews
from sandboxes.api.processes import (
    ProcessDetail,
    Processes,
    ProcessKill,
    ProcessRestart,
)
from sandboxes.api.terminals import TerminalDetail, Terminals

__all__ = [
    "ProcessDetail",
    "ProcessKill",
    "ProcessRestart",
    "Processes",
    "SandboxCalls",
    "SandboxDetail",
    "SandboxEvents",
    "SandboxExtend",
    "SandboxFileMove",
    "SandboxFileRestore",
    "SandboxFileSearch",
    "SandboxFiles",
    "SandboxFolders",
    "SandboxInit",
    "SandboxPortPublic",
    "SandboxPorts",
    "SandboxPreviews",
    "SandboxReset",
    "SandboxRestart",
    "TerminalDetail",
    "Terminals",
]
