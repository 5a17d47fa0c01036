"""Facts that a folder's listing leaves out: where links lead, and names that are not UTF-8.

A listing shows links as files, and Blaxel's server replaces bytes that JSON can't carry. A script
asks the folder itself, some entries at a time: neither a command line nor an answer may be as long
as a folder is large.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from sandboxes import errors
from sandboxes.data_plane import names, trusted
from sandboxes.data_plane.client import understood
from sandboxes.data_plane.processes import run_script
from sandboxes.models.reach import Reach

# How many entries one call tells. For a link's target a program is started.
_AT_ONCE, _TARGETS_AT_ONCE = 8_000, 500
_SECONDS = 15
# Of more a sandbox would not list the folder either; a hostile one tells them without end.
_MAX_ENTRIES = 100_000
_SCRIPT = trusted.read_script("list_entries.sh")


@dataclass(frozen=True)
class Entry:
    """Entry by its raw name. A link's kind is that of its destination; it may have a target."""

    name: str
    is_folder: bool
    is_link: bool
    target: str = ""


def links(reach: Reach, folder: str, *, targets: bool = False) -> dict[str, Entry]:
    """Return a folder's links by their raw names.

    Raises ProviderUnavailable or ProviderRejected.
    """
    found = _entries(reach, folder, links_only=True, targets=targets)
    return {entry.name: entry for entry in found}


def entries(reach: Reach, folder: str) -> list[Entry]:
    """Return all that is in a folder, by the bytes of its names. Raises what links does."""
    return list(_entries(reach, folder, links_only=False, targets=False))


def _entries(reach: Reach, folder: str, *, links_only: bool, targets: bool) -> Iterator[Entry]:
    taken = _TARGETS_AT_ONCE if targets else _AT_ONCE
    values = {
        "FOLDER": names.raw(folder),
        "LINKS_ONLY": "1" if links_only else "",
        "TARGETS": "1" if targets else "",
        "TAKEN": str(taken),
    }
    skipped, told = 0, taken
    while told == taken and skipped < _MAX_ENTRIES:
        ran = run_script(reach, _SCRIPT, values | {"SKIPPED": str(skipped)}, _SECONDS)
        if ran.exit_code:
            raise errors.ProviderRejected(f"The sandbox could not list {folder}.")
        told = 0
        for entry in _read(ran.stdout, targets):
            told += 1
            yield entry
        skipped += told


def _read(output: str, targets: bool) -> Iterator[Entry]:
    with understood():
        fields = iter(base64.b64decode(output).decode("utf-8", "surrogateescape").split("\0")[:-1])
    for field in fields:
        kind, name = field[:1], field[1:]
        is_link = kind in "DF"
        target = next(fields, "") if is_link and targets else ""
        yield Entry(name, kind in "dD", is_link, target)
