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
    rf"|\](?P<command>[^\x07{_STRING_END}]*)(?:\x07|(?=[{_STRING_END}]))"
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
    **dict.fromkeys(("?1006", "?1016"), "mouse encoding"),
    **dict.fromkeys(("?47", "?1047", "?1049"), "alternate screen"),
    "?66": "keypad",
}
_ON_BY_DEFAULT = {"?7", "?25"}
_SWITCHES = {
    *("4", "20", "?1", "?5", "?6", "?7", "?12", "?25", "?45", "?1004", "?1005", "?1015"),
    *("?2004", "?2026"),
    *_GROUPS,
}
_ALTERNATE_REGION = "scroll region of the alternate screen"
# Escapes that choose which of the four sets of characters is written, as \x0e and \x0f do.
_SHIFTS = {"\x0f": "", "n": "\x1bn", "o": "\x1bo", **dict.fromkeys(("\x0e", "~"), "\x0e")}
_SHIFTS |= {"}": "\x1bn", "|": "\x1bo"}
_WITH_CURSOR = {"shift", *(f"charset {place}" for place in "()*+")}
# Ends a scroll region, and leaves the cursor where it is.
END_OF_REGION = "\x1b7\x1b[r\x1b8"
_REGION = re.compile(r"\x1b\[[0-9;]+r")
# What a soft reset leaves as it is in xterm.js, which shows the terminal.
_KEPT_BY_SOFT_RESET = {"mouse", "mouse encoding", "?1005", "?1015", "alternate screen"}
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
        # Colours and sets of characters that a cursor was saved with, on either screen.
        self._saved: dict[bool, tuple[dict[str, str], dict[str, str]]] = {}
        self._pending = ""

    def read(self, text: str) -> None:
        text = self._pending + text
        for match in _SEQUENCE.finditer(text):
            if match["final"]:
                self._control(match)
            elif match["command"] is not None:
                self._command(match["command"])
            else:
                self._escape(match["escape"] or "", match[0])
        unfinished = _UNFINISHED.search(text, max(0, text.rfind("\x1b")))
        self._pending = unfinished[0][:MAX_PENDING] if unfinished else ""

    @property
    def has_alternate_screen(self) -> bool:
        return "alternate screen" in self._said

    @property
    def has_region(self) -> bool:
        """Return whether the screen that is shown scrolls in a part of it."""
        return self._region in self._said

    @property
    def is_within_sequence(self) -> bool:
        return bool(self._pending)

    @property
    def _region(self) -> str:
        """Each screen has one. That of the alternate screen is gone when it is left."""
        return _ALTERNATE_REGION if self.has_alternate_screen else "scroll region"

    def copy(self) -> Modes:
        copied = Modes()
        copied._said, copied._text = dict(self._said), dict(self._text)
        copied._saved, copied._pending = dict(self._saved), self._pending
        return copied

    def __str__(self) -> str:
        attributes = ";".join(self._text.values())
        colours = f"\x1b[{attributes}m" if attributes else ""
        # One who brings a saved cursor back that was lost would be in other colours.
        saved = "\x1b7" if self._is_saved else ""
        return "".join(self._said.values()) + colours + saved + self._pending

    @property
    def _is_saved(self) -> bool:
        saved = self._saved.get(self.has_alternate_screen, ({}, {}))
        return saved != ({}, {}) and saved == (self._text, self._charsets)

    @property
    def _charsets(self) -> dict[str, str]:
        return {what: said for what, said in self._said.items() if what in _WITH_CURSOR}

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
            self._say(self._region, match[0] if match["parameters"] else "")
        elif kind in ("s", "u") and not match["private"] + match["parameters"]:
            self._keep_cursor(restores=kind == "u")
        elif kind == " q":
            self._say("cursor", match[0])
        elif kind == "!p":
            self._reset(_KEPT_BY_SOFT_RESET)

    def _switch(self, mode: str, kind: str) -> None:
        if mode == "?1048" or (mode == "?1049" and kind == "h"):
            self._keep_cursor(restores=kind == "l")
        what = _GROUPS.get(mode, mode)
        if what == "alternate screen":
            self._show_screen(f"\x1b[{mode}h" if kind == "h" else "")
        elif mode in _SWITCHES:
            is_default = (kind == "h") == (mode in _ON_BY_DEFAULT)
            self._say(what, "" if is_default else f"\x1b[{mode}{kind}")
        if mode == "?1049" and kind == "l":
            self._keep_cursor(restores=True)

    def _show_screen(self, sequence: str) -> None:
        if not sequence:
            self._say(_ALTERNATE_REGION, "")
            self._say("alternate screen", "")
        elif not self.has_alternate_screen:
            self._say("alternate screen", sequence)

    def _keep_cursor(self, *, restores: bool) -> None:
        """Save what is brought back with the cursor, or bring it back."""
        if not restores:
            self._saved[self.has_alternate_screen] = dict(self._text), self._charsets
            return
        text, charsets = self._saved.get(self.has_alternate_screen, ({}, {}))
        others = {what: said for what, said in self._said.items() if what not in _WITH_CURSOR}
        self._said, self._text = others | charsets, dict(text)

    def _command(self, command: str) -> None:
        """A link goes on until another begins, or one without an address."""
        if command.startswith("8;") and len(command) < MAX_PENDING:
            has_address = command.count(";") > 1 and command.split(";", 2)[2]
            self._say("link", f"\x1b]{command}\x07" if has_address else "")

    def _escape(self, escape: str, sequence: str) -> None:
        if escape == "c":
            self._reset(set())
        elif escape in ("=", ">"):
            self._say("keypad", sequence if escape == "=" else "")
        elif len(escape) == 2 and escape[0] in "()*+":
            self._say(f"charset {escape[0]}", "" if escape[1] == "B" else sequence)
        elif (shift := escape or sequence) in _SHIFTS:
            self._say("shift", _SHIFTS[shift])
        elif escape in ("7", "8"):
            self._keep_cursor(restores=escape == "8")

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

    def resized(self) -> None:
        """Note that the terminal has another size: with that a scroll region ends."""
        if not self._before.has_region and not _REGION.search(self._text):
            return
        modes = self._before.copy()
        modes.read(self._text)
        # Not into a sequence of which the rest is still to come.
        if modes.has_region and not modes.is_within_sequence:
            self.write(END_OF_REGION)

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
