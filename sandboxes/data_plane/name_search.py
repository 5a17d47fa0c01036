"""Search of names whatever their case and form: `ss` finds `ß`, and `fi` finds the ligature.

A sandbox finds names by globs alone. It is asked for at least all that may match, and what it
finds is compared here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, zip_longest
from unicodedata import combining, normalize

# Between brackets, any character beyond ASCII: in the globs of Python and of Go alike.
_BEYOND_ASCII = "\x80-\U0010ffff"
# Letters that a glob has for themselves alone between brackets. A comma would end it.
_IN_BRACKETS = frozenset(" ._\"#$&'()+:;<=>?@`{|}~")
# As a name that is not UTF-8 is shown, which no glob finds.
_PERCENT = re.compile("%[0-9A-F]{2}")
# Characters of all globs: they are a part of an address. The first is taken however long it is.
_MAX_LENGTH = 3_000


def folded(text: str) -> str:
    """Return the same for texts that differ in case and in Unicode's normal forms alone."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def globs(query: str) -> list[str]:
    """Return globs for at least the names that have the text in them.

    A name is in one of Unicode's two normal forms, hardly ever in a mixture of them.
    """
    pieces = [folded(piece) for piece in _PERCENT.split(query)]
    forms = ("*".join(normalize(form, piece) for piece in pieces) for form in ("NFKC", "NFKD"))
    spelt = zip_longest(*map(_spelt, dict.fromkeys(forms)))
    found: dict[str, None] = {}
    left = _MAX_LENGTH
    for glob in filter(None, chain.from_iterable(spelt)):
        left -= len(glob)
        if left < 0 and found:
            break
        found[glob] = None
    return list(found)


@dataclass(frozen=True)
class _Equivalents:
    """Characters of which the folded form is another one, or several."""

    single: dict[str, str]
    several: frozenset[str]


@lru_cache(maxsize=1)
def _equivalents() -> _Equivalents:
    single: dict[str, str] = {}
    several = set()
    for character in map(chr, range(0x80, 0x1F000)):
        form = folded(character)
        if len(form) > 1:
            several.add(form)
        elif form != character:
            single[form] = single.get(form, "") + character
    return _Equivalents(single, frozenset(several))


def _spelt(text: str) -> Iterator[str]:
    """Yield a glob for each way to spell a text, the usual one first."""
    yield _glob(text, ())
    places = list(_contractions(text))
    for several in dict.fromkeys(text[start:end] for start, end in places):
        yield _glob(text, [each for each in places if text[slice(*each)] == several])
    for count in range(1, len(places) + 1):
        for chosen in combinations(places, count):
            yield _glob(text, chosen)


def _contractions(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text a name may have one character for several."""
    several = _equivalents().several
    longest = max(map(len, several))
    for start in range(len(text)):
        for end in range(start + 2, min(start + longest, len(text)) + 1):
            if text[start:end] in several:
                yield start, end


def _glob(text: str, contracted: Sequence[tuple[int, int]]) -> str:
    """Return a glob for the text with a single character at these places.

    Of places that overlap, the first is taken.
    """
    found, at = "", 0
    for start, end in contracted:
        if start >= at:
            found += "".join(map(_any_case, text[at:start])) + f"[{_BEYOND_ASCII}]"
            at = end
    return f"*{found}{''.join(map(_any_case, text[at:]))}*"


def _any_case(letter: str) -> str:
    """Return a glob for a folded letter, and for all that folds to it."""
    if combining(letter) or letter == "-":
        return letter
    if letter.isascii():
        # What else folds to it is beyond ASCII, but for its capital.
        plain = letter.isalnum() or letter in _IN_BRACKETS
        cases = "".join(dict.fromkeys(letter + letter.upper()))
        return f"[{cases}{_BEYOND_ASCII}]" if plain else "*"
    others = _equivalents().single.get(letter, "")
    return f"[{letter}{others}]" if letter.isalpha() or others else "*"
