"""Everything below a directory, in a stable order; links are not followed."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    path: str
    is_directory: bool

    @property
    def name(self) -> str:
        return posixpath.basename(self.path)

    @property
    def type(self) -> str:
        return "directory" if self.is_directory else "file"


def walk(root: str, enters: Callable[[str], bool]) -> Iterator[Entry]:
    """Files, links and the directories whose name `enters` accepts, with what is below them."""
    for folder, names, others in os.walk(root):
        links = {name for name in names if os.path.islink(posixpath.join(folder, name))}
        names[:] = sorted(name for name in names if name not in links and enters(name))
        for name in names:
            yield Entry(posixpath.join(folder, name), True)
        for name in sorted([*others, *links]):
            yield Entry(posixpath.join(folder, name), False)
