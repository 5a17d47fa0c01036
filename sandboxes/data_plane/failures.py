"""The reason why a sandbox's server refused something: its status, and a code.

local_blaxel answers with a code: the name of the system's error number, such as EACCES, or a word
of its own. Blaxel's server and the programs that a script runs only print the system's message,
always behind the last colon. That is compared as a whole: the rest may be any file name or
command.
"""

import errno
import os
from collections.abc import Mapping
from typing import Any

import httpx

from sandboxes import errors
from sandboxes.data_plane import names
from sandboxes.data_plane.client import object_of

# The codes of a process that was not started, or not waited for to its end.
ALREADY_RUNS, NO_FOLDER, TIMED_OUT = "PROCESS_ALREADY_EXISTS", "FOLDER_NOT_FOUND", "TIMED_OUT"
# Images with musl have other messages than glibc and Go.
_MUSL = {
    "resource busy": "EBUSY",
    "symbolic link loop": "ELOOP",
    "quota exceeded": "EDQUOT",
    "filename too long": "ENAMETOOLONG",
    "cross-device link": "EXDEV",
}
_CODES = {os.strerror(number).lower(): name for number, name in errno.errorcode.items()} | _MUSL


def code_of(response: httpx.Response) -> str:
    """Return the code of a refusal that was read; "" where nothing says it."""
    answer = _answer(response)
    code = answer.get("code")
    return code if isinstance(code, str) and code else code_in(said_by(response))


def said_by(response: httpx.Response) -> str:
    error = _answer(response).get("error")
    return names.text(error) if isinstance(error, str) else ""


def code_in(said: str) -> str:
    """Return the name of the error number whose message ends what was printed."""
    last = said.strip().rpartition("\n")[2]
    return _CODES.get(last.rpartition(": ")[2].strip().lower(), "")


def message_of(code: str) -> str:
    """Return the system's message for an error number's name; "" for another code."""
    number = getattr(errno, code, None) if code in errno.errorcode.values() else None
    return os.strerror(number) if number else ""


def process_code(response: httpx.Response, process: Mapping[str, Any]) -> str:
    """Return the code of a process that was not started, or not waited for, as it was sent.

    Blaxel's server says it in sentences with the request's own values, which are compared whole.
    """
    name, command, folder, seconds = (
        process.get(each) for each in ("name", "command", "workingDir", "timeout")
    )
    sentences = {
        f"process with name '{name}' already exists and is running": ALREADY_RUNS,
        f"could not execute command '{command}' because folder '{folder}' does not exist": (
            NO_FOLDER
        ),
        f"process timed out after {seconds} seconds": TIMED_OUT,
        f"process timed out waiting for ports after {seconds} seconds": TIMED_OUT,
    }
    return sentences.get(said_by(response)) or code_of(response)


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        return object_of(response)
    except errors.ProviderUnavailable:
        return {}
