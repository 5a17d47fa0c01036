"""A sandbox's own API: files, processes, ports. Every call here wakes the sandbox."""

from sandboxes.data_plane import files, trusted
from sandboxes.data_plane.async_client import PASSED_ON, close_streaming_client, streaming_client
from sandboxes.data_plane.files import delete_file, file_exists, read_file, write_file, write_tree
from sandboxes.data_plane.listening import list_listening
from sandboxes.data_plane.ports import port_answers, preview_answers
from sandboxes.data_plane.processes import (
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
from sandboxes.data_plane.shares import place
from sandboxes.data_plane.terminals import hang_up, terminal_reach

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
