"""What a person or a program can do with a sandbox. Nothing here but Open waits for the provider:
it marks the row, and the worker makes the row and the real sandbox agree. What reaches inside waits
for the sandbox, in threads of its own.
"""

from sandboxes.services.deletion import delete_sandbox, look_for_unsaved_work, reset_sandbox
from sandboxes.services.expiry import dismiss_reminder, extend_sandbox
from sandboxes.services.file_moves import delete_path, move_path, restore_path
from sandboxes.services.file_search import search
from sandboxes.services.files import make_folder, read_path, save_file
from sandboxes.services.ports import (
    Port,
    Reason,
    list_ports,
    list_previews,
    make_private,
    make_public,
    open_port,
    require_open_to_previews,
)
from sandboxes.services.processes import (
    check_process_name,
    kill_process,
    list_processes,
    restart_process,
    start_process,
    stop_process,
)
from sandboxes.services.provisioning import ensure_sandbox, initialize_sandbox, start_over
from sandboxes.services.restarts import restart_sandbox
from sandboxes.services.row_updates import refresh_sandbox, require_ready, use, watch
from sandboxes.services.sessions import ensure_session, open_session, require_reach
from sandboxes.services.terminals import (
    MOST_TERMINALS,
    add_terminal,
    close_terminal,
    find_terminal,
    visit_terminal,
)

__all__ = [
    "MOST_TERMINALS",
    "Port",
    "Reason",
    "add_terminal",
    "check_process_name",
    "close_terminal",
    "delete_path",
    "delete_sandbox",
    "dismiss_reminder",
    "ensure_sandbox",
    "ensure_session",
    "extend_sandbox",
    "find_terminal",
    "initialize_sandbox",
    "kill_process",
    "list_ports",
    "list_previews",
    "list_processes",
    "look_for_unsaved_work",
    "make_folder",
    "make_private",
    "make_public",
    "move_path",
    "open_port",
    "open_session",
    "read_path",
    "refresh_sandbox",
    "require_open_to_previews",
    "require_reach",
    "require_ready",
    "reset_sandbox",
    "restart_process",
    "restart_sandbox",
    "restore_path",
    "save_file",
    "search",
    "start_over",
    "start_process",
    "stop_process",
    "use",
    "visit_terminal",
    "watch",
]
