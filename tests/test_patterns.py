"""No text that a person, an agent or a sandbox writes makes a regular expression slow."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.growth import BOUND, MORE, growth

PACKAGES = ("accounts", "manta", "operations", "sandboxes", "local_blaxel")
# They act when they are imported, or are imported by other programs.
LEFT_OUT = ("__main__", ".migrations.", ".hub.files", ".starters.", "manta.wsgi", "manta.asgi")
LENGTH = 1_200
# What is repeated beside the pattern's own words.
PIECES = (
    "a",
    "0",
    "-",
    "_",
    ".",
    "/",
    " ",
    "\n",
    ":",
    "=",
    '"',
    "'",
    "a-",
    "a.",
    "a:",
    "a =",
    "a b",
)


def modules() -> Iterator[ModuleType]:
    for package in map(importlib.import_module, PACKAGES):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(each in f"{found.name}." for each in LEFT_OUT):
                yield importlib.import_module(found.name)


def patterns() -> dict[str, tuple[re.Pattern[Any], bool]]:
    """Those that a module has a name for, alone or among others, and if texts are searched."""
    found: dict[str, tuple[re.Pattern[Any], bool]] = {}
    for module in modules():
        source = Path(str(module.__file__)).read_text()
        for name, value in vars(module).items():
            among = isinstance(value, tuple | list)
            searches = among or re.search(rf"{name}\.(sub|search|split|find)", source)
            for at, each in enumerate(value if among else [value]):
                if isinstance(each, re.Pattern):
                    found[f"{module.__name__}.{name}.{at}"] = each, bool(searches)
    return found


def words(pattern: str) -> set[str]:
    """The words of a pattern, and how each may go on."""
    plain = re.sub(r"\\[a-zA-Z]|\(\?[a-zA-Z]+\)|\(\?<?[:=!]|\[[^]]*\]|\{[^}]*\}", " ", pattern)
    found = set(re.findall(r"[A-Za-z]+|://|-----[A-Z ]+", plain))
    return {f"{word}{end}" for word in found for end in ("", "-", "_", " ", ":")}


def slow(pattern: re.Pattern[Any], searches: bool = True) -> list[str]:
    is_text = isinstance(pattern.pattern, str)
    source = pattern.pattern if is_text else pattern.pattern.decode("latin-1")
    use = (lambda text: pattern.sub(text[:0], text)) if searches else pattern.fullmatch
    found = []
    for piece in {*words(source), *PIECES}:
        texts = [(piece * size)[:size] for size in (LENGTH, MORE * LENGTH)]
        small, large = texts if is_text else [text.encode("latin-1") for text in texts]
        if growth(use, small, large) > BOUND:
            found.append(f"{piece!r} again and again")
    return found


@pytest.mark.exhaustive
def test_no_repeated_words_make_a_pattern_slow():
    found = {name: slow(*pattern) for name, pattern in patterns().items()}

    assert len(found) > 30
    assert {name: how for name, how in found.items() if how} == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("pattern", [r"\b[\w-]*token=", r"\beyJ[\w-]{8,}\."])
def test_a_pattern_that_is_slow_is_found(pattern):
    assert slow(re.compile(pattern))
