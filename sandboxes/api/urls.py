"""URLs below /api/, without a slash at the end."""

from django.urls import path

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

urlpatterns = [
    path("sandbox", SandboxDetail.as_view(), name="sandbox-detail"),
    path("sandbox/extend", SandboxExtend.as_view(), name="sandbox-extend"),
    path("sandbox/restart", SandboxRestart.as_view(), name="sandbox-restart"),
    path("sandbox/reset", SandboxReset.as_view(), name="sandbox-reset"),
    path("sandbox/init", SandboxInit.as_view(), name="sandbox-init"),
    path("sandbox/events", SandboxEvents.as_view(), name="sandbox-events"),
    path("sandbox/processes", Processes.as_view(), name="processes"),
    # A name that an agent gave may have a slash in it, which arrives decoded.
    path("sandbox/processes/<path:name>/kill", ProcessKill.as_view(), name="process-kill"),
    path("sandbox/processes/<path:name>/restart", ProcessRestart.as_view(), name="process-restart"),
    path("sandbox/processes/<path:name>", ProcessDetail.as_view(), name="process-detail"),
    path("sandbox/terminals", Terminals.as_view(), name="terminals"),
    path("sandbox/terminals/<str:key>", TerminalDetail.as_view(), name="terminal-detail"),
    path("sandbox/calls", SandboxCalls.as_view(), name="sandbox-calls"),
    path("sandbox/ports", SandboxPorts.as_view(), name="sandbox-ports"),
    path(
        "sandbox/ports/<int:port>/public",
        SandboxPortPublic.as_view(),
        name="sandbox-port-public",
    ),
    path("sandbox/previews", SandboxPreviews.as_view(), name="sandbox-previews"),
    path("sandbox/files", SandboxFiles.as_view(), name="files"),
    path("sandbox/files/folder", SandboxFolders.as_view(), name="files-folder"),
    path("sandbox/files/move", SandboxFileMove.as_view(), name="files-move"),
    path("sandbox/files/restore", SandboxFileRestore.as_view(), name="files-restore"),
    path("sandbox/files/search", SandboxFileSearch.as_view(), name="files-search"),
]
