"""The newest text of a terminal, and the modes that were in force where it begins."""

from __future__ import annotations

import re
from functools import lru_cache

# In characters.
REPLAY = 100 * 2**10
RESET = "\x1b[0m"
# A sequence that a cut goes through is kept from its beginning, up to so many characters.
MAX_PENDING = 4096

_STRING_END = r"\x18\x1a\x1b"
_SEQUENCE = re.compile(
    r"[\x0e\x0f]"
    r"|\x1b(?:"
    r"\[(?P<private>[<=>?]?)(?P<parameters>[0-9:;]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    rf"|\][^\x07{_STRING_END}]*(?:\x07|(?=[{_STRING_END}]))"
    rf"|[PX^_][^{_STRING_END}]*(?=[{_STRING_END}])"
    r"|(?P<escape>[ -/]*[0-OQ-WYZ\\`-~])"
    r")"
)
_UNFINISHED = re.compile(
    r"\x1b(?:"
    rf"\[[0-?]*[ -/]*|\][^\x07{_STRING_END}]*|[PX^_][^{_STRING_END}]*|[ -/]*"
    r")\Z"
)
# Modes of which one replaces another, and those that are on unless they are switched off.
_GROUPS = {
    **dict.fromkeys(("?9", "?1000", "?1002", "?1003"), "mouse"),
    **dict.fromkeys(("?1005", "?1006", "?1015", "?1016"), "mouse encoding"),
    **dict.fromkeys(("?47", "?1047", "?1049"), "alternate screen"),
}
_ON_BY_DEFAULT = {"?7", "?25"}
_SWITCHES = {
    *("4", "20", "?1", "?5", "?6", "?7", "?12", "?25", "?45", "?66", "?1004", "?2004", "?2026"),
    *_GROUPS,
}
# What a soft reset leaves as it is.
_KEPT_BY_SOFT_RESET = {"mouse", "mouse encoding", "alternate screen", "?1004", "?2004", "?2026"}
# Which attribute of text a number changes, and which a number ends.
_ATTRIBUTES = {
    **dict.fromkeys((1, 2), "weight"),
    **dict.fromkeys((3, 20), "slant"),
    **dict.fromkeys((4, 21), "underline"),
    **dict.fromkeys((5, 6), "blink"),
    **dict.fromkeys((*range(30, 39), *range(90, 98)), "colour"),
    **dict.fromkeys((*range(40, 49), *range(100, 108)), "background"),
    7: "inverse",
    8: "hidden",
    9: "strike",
    53: "overline",
    58: "underline colour",
}
_ENDS = {
    22: "weight",
    23: "slant",
    24: "underline",
    25: "blink",
    27: "inverse",
    28: "hidden",
    29: "strike",
    39: "colour",
    49: "background",
    55: "overline",
    59: "underline colour",
}


class Modes:
    """Modes that a terminal was told, as sequences that tell a new one the same."""

    def __init__(self) -> None:
        # By what each decides, in the order in which they were said.
        self._said: dict[str, str] = {}
        self._text: dict[str, str] = {}
        self._pending = ""

    def read(self, text: str) -> None:
        text = self._pending + text
        for match in _SEQUENCE.finditer(text):
            if match["final"]:
                self._control(match)
            else:
                self._escape(match["escape"] or "", match[0])
        unfinished = _UNFINISHED.search(text, max(0, text.rfind("\x1b")))
        self._pending = unfinished[0][:MAX_PENDING] if unfinished else ""

    @property
    def has_alternate_screen(self) -> bool:
        return "alternate screen" in self._said

    def __str__(self) -> str:
        attributes = ";".join(self._text.values())
        colours = f"\x1b[{attributes}m" if attributes else ""
        return "".join(self._said.values()) + colours + self._pending

    def _say(self, what: str, sequence: str) -> None:
        self._said.pop(what, None)
        if sequence:
            self._said[what] = sequence

    def _control(self, match: re.Match[str]) -> None:
        kind = match["between"] + match["final"]
        if kind == "m":
            if not match["private"]:
                self._colour(match["parameters"])
        elif kind in "hl" and match["private"] in ("", "?"):
            for number in match["parameters"].split(";"):
                self._switch(match["private"] + number, kind)
        elif kind == "r" and not match["private"]:
            self._say("scroll region", match[0] if match["parameters"] else "")
        elif kind == " q":
            self._say("cursor", match[0])
        elif kind == "!p":
            self._reset(_KEPT_BY_SOFT_RESET)

    def _switch(self, mode: str, kind: str) -> None:
        if mode in _SWITCHES:
            is_default = (kind == "h") == (mode in _ON_BY_DEFAULT)
            self._say(_GROUPS.get(mode, mode), "" if is_default else f"\x1b[{mode}{kind}")

    def _escape(self, escape: str, sequence: str) -> None:
        if escape == "c":
            self._reset(set())
        elif escape in ("=", ">"):
            self._say("keypad", sequence if escape == "=" else "")
        elif len(escape) == 2 and escape[0] in "()*+":
            self._say(f"charset {escape[0]}", "" if escape[1] == "B" else sequence)
        elif sequence in "\x0e\x0f":
            self._say("shift", sequence if sequence == "\x0e" else "")

    def _reset(self, kept: set[str]) -> None:
        self._said = {what: said for what, said in self._said.items() if what in kept}
        self._text = {}

    def _colour(self, parameters: str) -> None:
        for what, said in _attributes(parameters):
            if not what:
                self._text = {}
            elif said:
                self._text[what] = said
            else:
                self._text.pop(what, None)


@lru_cache(maxsize=256)
def _attributes(parameters: str) -> tuple[tuple[str, str], ...]:
    """List what a sequence sets, each with its parameters; none end it, and no name ends all."""
    found = []
    rest = parameters.split(";")
    while rest:
        said = rest.pop(0)
        number = int((said.partition(":")[0] or "0")[:4])
        if said in ("38", "48", "58"):
            count = {"5": 2, "2": 4}.get(rest[0] if rest else "", 0)
            said = ";".join([said, *rest[:count]])
            del rest[:count]
        if number in _ENDS:
            found.append((_ENDS[number], ""))
        elif number in _ATTRIBUTES:
            found.append((_ATTRIBUTES[number], said))
        elif number == 0:
            found.append(("", ""))
    return tuple(found)


class Replay:
    """The newest text of a terminal. Positions count from the first character ever written."""

    def __init__(self) -> None:
        self._text = ""
        self._before = Modes()
        self.end = 0

    @property
    def start(self) -> int:
        return self.end - len(self._text)

    def write(self, text: str) -> None:
        kept = self._text + text
        self._before.read(kept[:-REPLAY])
        self._text = kept[-REPLAY:]
        self.end += len(text)

    @property
    def begins_full_screen(self) -> bool:
        """Return whether a program that fills the screen was running where it begins."""
        return self._before.has_alternate_screen

    def is_cut(self, position: int) -> bool:
        return position < self.start

    def since(self, position: int) -> str:
        """The text from there on; when its start is lost, all there is, after its modes."""
        if self.is_cut(position):
            return RESET + str(self._before) + self._text
        return self._text[position - self.start :]
