"""Work that is lost with a sandbox, as git reports it, and how complete the report is."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandboxes.models import Phase, Sandbox

# A look of less than this ago needs no other.
_FRESH = timedelta(minutes=1)


@dataclass(frozen=True)
class Losses:
    sandbox: Sandbox

    @property
    def folders(self) -> list[dict[str, Any]]:
        work: list[dict[str, Any]] = self.sandbox.unsaved_work
        return work

    @property
    def looking(self) -> bool:
        return self.sandbox.is_looked_into

    @property
    def problem(self) -> str:
        """Return why the report may be incomplete, or "" if it is complete."""
        if self.sandbox.unsaved_wanted_at and not self.looking:
            return "The check failed: there was no response in time."
        return str(self.sandbox.unsaved_problem)

    @property
    def can_look(self) -> bool:
        return self.sandbox.phase == Phase.READY and not self.looking

    @property
    def should_look(self) -> bool:
        """Return whether to look before a deletion: not when a look is recent or failed."""
        checked = self.sandbox.unsaved_checked_at
        fresh = checked is not None and timezone.now() - checked < _FRESH
        return self.can_look and not fresh and not self.problem
