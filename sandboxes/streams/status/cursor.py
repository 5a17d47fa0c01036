"""Position of a stream in its owner's record, from which the next stream continues."""

import re
from dataclasses import dataclass

# A page has this many events of the last seconds at most; more can only be made up.
_MAX_EVENTS = 1000
_WRITTEN = re.compile(rf"[0-9]{{1,18}}(\.[0-9]{{1,18}}){{0,{_MAX_EVENTS}}}")


@dataclass(frozen=True)
class Cursor:
    """Every event up to an id, and some later ones by their own.

    One id is not enough: ids are given out before transactions are committed, so an event may
    become visible after another with a higher id.
    """

    through: int
    beyond: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Read what str() wrote; None when it is something else."""
        if not _WRITTEN.fullmatch(text):
            return None
        through, *beyond = map(int, text.split("."))
        return cls(through, frozenset(beyond))

    def __str__(self) -> str:
        return ".".join(map(str, [self.through, *sorted(self.beyond)]))

    def has(self, event_id: int) -> bool:
        return event_id <= self.through or event_id in self.beyond

    def after(self, event_id: int) -> "Cursor":
        """Return the cursor with one more event."""
        return Cursor(self.through, self.beyond | {event_id})

    def settled(self, through: int) -> "Cursor":
        """Return the cursor for when no open transaction can have an id up to this one."""
        if through <= self.through:
            return self
        return Cursor(through, frozenset(each for each in self.beyond if each > through))
