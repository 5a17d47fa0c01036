"""Work that exists only in a sandbox: what its git folders have not committed or not pushed.

Found by one command inside the sandbox. Its repositories are not trusted: no program that their
configuration names is run, and git may start no process. Names come back between NULs, and neither
time nor output is without a limit.
"""

import base64
import binascii
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sandboxes import errors
from sandboxes.data_plane import names, processes, trusted
from sandboxes.models.reach import Reach

ROOT = "/blaxel"
# Seconds for the look inside, and for the answer to come.
_LOOKS_FOR, _ANSWERS_IN = 12, 15

_SCRIPT = trusted.read_script("git_scan.sh")
_FIND = (
    "find {root} -maxdepth 6 "
    r"\( -name node_modules -o -name .venv -o -name .cache \) -prune -o "
    "-name .git -prune -exec sh -c {script} sh {{}} +"
    r"; printf 'end\0'"
)


@dataclass
class Folder:
    """A git folder. A branch without a name is a checkout of no branch."""

    folder: str
    changed: int = 0
    stashes: int = 0
    remotes: int = 0
    branches: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_unsaved(self) -> bool:
        return bool(self.changed or self.stashes or self.branches)


def look(reach: Reach) -> tuple[list[dict[str, Any]], str]:
    """Return the unsaved work by folder, and why it may be incomplete ("" if it is not).

    Wakes the sandbox. Raises a SandboxError when it can't be looked into.
    """
    find = _FIND.format(root=shlex.quote(ROOT), script=shlex.quote(_SCRIPT))
    bounded = f"if command -v timeout >/dev/null; then t='timeout {_LOOKS_FOR}'; else t=; fi"
    command = f"{bounded}; $t sh -c {shlex.quote(find)} | head -c 30000 | base64"
    answer = processes.run(reach, command, _ANSWERS_IN, values=trusted.GIT)
    try:
        return read(base64.b64decode(answer))
    except (binascii.Error, ValueError) as exc:
        raise errors.ProviderUnavailable("Your sandbox returned an unexpected response.") from exc


def read(answer: bytes) -> tuple[list[dict[str, Any]], str]:
    """Read the script's records; an answer that was cut off is read as far as it goes."""
    fields = iter(part.decode("utf-8", "surrogateescape") for part in answer.split(b"\0"))
    found: list[Folder] = []
    problem = ""
    ended = False
    for kind in fields:
        if kind == "no-git":
            return [], "Git is not installed in this sandbox."
        if kind == "more":
            problem = "There are more git repositories than Manta checks."
        ended = ended or kind == "end"
        _take(kind, fields, found)
    if not ended:
        problem = "Checking took too long."
    return [asdict(folder) for folder in found if folder.is_unsaved], problem


def _take(kind: str, fields: Iterator[str], found: list[Folder]) -> None:
    if kind == "folder":
        found.append(Folder(names.told(next(fields, ""))))
    elif kind in ("changed", "stashes", "remotes") and found:
        setattr(found[-1], kind, _number(next(fields, "")))
    elif kind == "branch" and found:
        name, commits = names.without_lone(next(fields, "")), _number(next(fields, ""))
        if commits:
            found[-1].branches.append({"name": name, "commits": commits})


def _number(text: str) -> int:
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
