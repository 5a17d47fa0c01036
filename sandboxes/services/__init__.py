"""What a person or a program can do with a sandbox. Nothing here but Open waits for the provider:
it marks the row, and the worker makes the row and the real sandbox agree.
"""

from sandboxes.services.deletion import delete_account, delete_sandbox
from sandboxes.services.ports import open_port
from sandboxes.services.provisioning import ensure_sandbox, initialize_sandbox, start_over
from sandboxes.services.rows import expiry_of, refresh_sandbox, watch

__all__ = [
    "delete_account",
    "delete_sandbox",
    "ensure_sandbox",
    "expiry_of",
    "initialize_sandbox",
    "open_port",
    "refresh_sandbox",
    "start_over",
    "watch",
]
