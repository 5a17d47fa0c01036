"""Codes of errors about a process in a sandbox."""

from manta.core.error_codes.code import ErrorCode

CODES = (
    ErrorCode(
        "process_not_found",
        "Process not found",
        "It ended some time ago, or its name is misspelled.",
        "Check the name in the list of processes.",
    ),
    ErrorCode(
        "process_refused",
        "The process could not be started",
        "Its folder does not exist, its name can't be used, or the command can't be run.",
        "The message says which. Correct it, and start the process again.",
    ),
    ErrorCode(
        "process_exists",
        "A process of that name is already running",
        "The running processes of a sandbox must have different names.",
        "Use another name, or stop the running process.",
    ),
)
