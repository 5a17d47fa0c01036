"""A sandbox's own API: files, processes, ports. Every call here wakes the sandbox."""

from sandboxes.dataplane import files
from sandboxes.dataplane.files import delete_file, file_exists, read_file, write_file, write_tree
from sandboxes.dataplane.listening import list_listening
from sandboxes.dataplane.mcp import mcp_tools
from sandboxes.dataplane.ports import port_answers, preview_answers
from sandboxes.dataplane.processes import (
    Ran,
    kill_process,
    list_processes,
    run,
    run_script,
    start_process,
    stop_process,
    why_not_started,
)
from sandboxes.dataplane.streaming import close_streaming_client, streaming_client
from sandboxes.dataplane.terminals import hang_up, terminal_address

__all__ = [
    "Ran",
    "close_streaming_client",
    "delete_file",
    "file_exists",
    "files",
    "hang_up",
    "kill_process",
    "list_listening",
    "list_processes",
    "mcp_tools",
    "port_answers",
    "preview_answers",
    "read_file",
    "run",
    "run_script",
    "start_process",
    "stop_process",
    "streaming_client",
    "terminal_address",
    "why_not_started",
    "write_file",
    "write_tree",
]
