"""A sandbox's own API: files, processes, ports. Every call here wakes the sandbox."""

from sandboxes.dataplane import files, trusted
from sandboxes.dataplane.files import delete_file, file_exists, read_file, write_file, write_tree
from sandboxes.dataplane.listening import list_listening
from sandboxes.dataplane.mcp import mcp_tools
from sandboxes.dataplane.ports import port_answers, preview_answers
from sandboxes.dataplane.processes import (
    Ran,
    find_process,
    identifier_of,
    kill_process,
    list_processes,
    read_log,
    run,
    run_script,
    start_process,
    stop_process,
    why_not_started,
)
from sandboxes.dataplane.shares import place
from sandboxes.dataplane.streaming import PASSED_ON, close_streaming_client, streaming_client
from sandboxes.dataplane.terminals import hang_up, terminal_reach

__all__ = [
    "PASSED_ON",
    "Ran",
    "close_streaming_client",
    "delete_file",
    "file_exists",
    "files",
    "find_process",
    "hang_up",
    "identifier_of",
    "kill_process",
    "list_listening",
    "list_processes",
    "mcp_tools",
    "place",
    "port_answers",
    "preview_answers",
    "read_file",
    "read_log",
    "run",
    "run_script",
    "start_process",
    "stop_process",
    "streaming_client",
    "terminal_reach",
    "trusted",
    "why_not_started",
    "write_file",
    "write_tree",
]
