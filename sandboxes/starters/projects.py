"""The projects of this folder: each is a folder with its files and a starter.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

_HERE = Path(__file__).parent
# Written last, so that its presence says that all the others are there.
LAST_FILE = "README.md"


@dataclass(frozen=True)
class Starter:
    """folder is absolute, inside the sandbox; files are texts by their path below it."""

    title: str
    folder: str
    port: int
    process: str
    command: str
    files: dict[str, str]


@cache
def load(name: str) -> Starter:
    """Read a starter; raises FileNotFoundError when there is none of that name."""
    root = _HERE / name
    about = tomllib.loads((root / "starter.toml").read_text(encoding="utf-8"))
    paths = sorted(path for path in (root / "files").rglob("*") if path.is_file())
    files = {
        path.relative_to(root / "files").as_posix(): path.read_text(encoding="utf-8")
        for path in paths
    }
    return Starter(**about, files=files)


def current() -> Starter:
    return load(settings.SANDBOX_STARTER)


def names() -> list[str]:
    return sorted(path.parent.name for path in _HERE.glob("*/starter.toml"))
