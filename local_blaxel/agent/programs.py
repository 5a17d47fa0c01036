"""Programs that the agent starts for itself, and for requests that name none of the sandbox's own.

What anyone can write inside must not run by that: not as a program, a library, a start-up file or a
setting. These lie read-only below the runtime, and begin with an environment of their own.
"""

from __future__ import annotations

import os
import shutil

# In a command's variables: run it by these programs, with no variables but those that came with it.
MARK = "LOCAL_BLAXEL_APART"


def find(name: str) -> str | None:
    """The program's path; None where this machine has none."""
    return shutil.which(name)


def environment() -> dict[str, str]:
    """The agent's own, as far as a program needs it: set by the launcher."""
    path, libraries = os.environ.get("PATH", os.defpath), os.environ.get("LOCAL_BLAXEL_LIBRARIES")
    own = {"PATH": path, "OPENSSL_CONF": os.devnull}
    return own | ({"LD_LIBRARY_PATH": libraries} if libraries else {})


def apart(given: dict[str, str]) -> dict[str, str]:
    """The variables of a command that is marked."""
    shell = {"SHELL": find("sh") or "/bin/sh", "SHELL_ARGS": "-c"}
    kept = {name: text for name, text in given.items() if name != MARK}
    return kept | environment() | shell
