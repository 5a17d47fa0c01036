"""The sandbox as its owner reads it: words for each state, and the one thing to do about it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.utils import timezone

from manta.core.request_context import current_request_id
from sandboxes.models import (
    Phase,
    PublicPort,
    Sandbox,
    Step,
    ToolCall,
    reminder_schedule,
)
from sandboxes.models.expiry import extension_of
from sandboxes.models.status import NONE, STATES, State
from sandboxes.presenters import panel_words
from sandboxes.presenters.signs import Signs, age
from sandboxes.presenters.unsaved_work import Losses
from sandboxes.starters import projects

# Used longer ago than this and awake all the same, it is kept awake by something.
_SLEEPS_WITHIN = timedelta(minutes=2)
# A made sandbox that was last looked at longer ago than this is about to be looked at again.
_RECENT = timedelta(seconds=5)
# A refresh that was asked for is believed this long to be under way.
_ASKED = timedelta(seconds=15)
# Dates that differ by less are one and the same to a reader.
_SAME_DATE = timedelta(minutes=2)


@dataclass(frozen=True)
class Panel:
    sandbox: Sandbox | None
    state: str
    stale: bool = False
    worker_missing: bool = False
    # 1 for the next that is made; None where it doesn't wait, or too many are before it.
    queue_position: int | None = None

    @classmethod
    def of(cls, sandbox: Sandbox | None, signs: Signs | None = None) -> "Panel":
        """Describe a sandbox, or that there is none. Indexed reads, no outside call."""
        state = (sandbox.state if sandbox else NONE).name
        if sandbox is None:
            return cls(None, state)
        signs = signs or Signs.now()
        missing = signs.worker_missing
        stale = missing or signs.provider_failing
        place = signs.place_of(sandbox)
        return cls(sandbox, state, stale=stale, worker_missing=missing, queue_position=place)

    @property
    def _shown(self) -> State:
        return STATES[self.state]

    @property
    def is_passing(self) -> bool:
        return self._shown.is_passing

    @property
    def word(self) -> str:
        return self._shown.word

    @property
    def detail(self) -> str:
        if self.stays_awake:
            return "An open page, a terminal or a process with keepAlive keeps it awake."
        return self._shown.detail

    @property
    def title(self) -> str:
        """Return a one-line title of the failure."""
        return panel_words.FAILURES.get(self.error_code, panel_words.NOT_CREATED)

    @property
    def last_used_at(self) -> datetime | None:
        return self.sandbox.last_used_at if self.sandbox else None

    @property
    def stays_awake(self) -> bool:
        used = self.last_used_at
        return self.state == "active" and used is not None and age(used) > _SLEEPS_WITHIN

    @property
    def trouble(self) -> str:
        """Return why the panel may be out of date, or "" if it isn't."""
        if self.worker_missing:
            return "Manta's worker is not running, so the status may be out of date."
        if self.stale:
            return "The sandbox provider is not answering. Manta retries automatically."
        return ""

    @property
    def poll_seconds(self) -> int:
        if self.refreshing or self.stale or self.outdated or self.restarting:
            return 1
        return self._shown.poll_seconds

    @property
    def refreshing(self) -> bool:
        """A look was asked for and has not happened yet."""
        row = self.sandbox
        asked = row.next_attempt_at if row else None
        return bool(asked and row and row.phase == Phase.READY and age(asked) < _ASKED)

    @property
    def outdated(self) -> bool:
        """Return whether the row was read too long ago, so that the worker has to read it anew."""
        row = self.sandbox
        made = row is not None and row.phase == Phase.READY
        return bool(made and self.checked_at and age(self.checked_at) > _RECENT)

    @property
    def checked_at(self) -> datetime | None:
        return self.sandbox.checked_at if self.sandbox else None

    @property
    def created_at(self) -> datetime | None:
        return self.sandbox.provider_created_at if self.sandbox else None

    @property
    def expires_at(self) -> datetime | None:
        row = self.sandbox
        return row.expires_at if row and row.phase == Phase.READY else None

    @property
    def extension(self) -> datetime | None:
        """Return the date that Extend would set, or None if it is hardly later than it is now."""
        row = self.sandbox
        if row is None or row.phase != Phase.READY or row.expires_at is None or self.expiry_note:
            return None
        until = extension_of(row)
        return until if until - row.expires_at > row.ttl / 100 else None

    @property
    def expiry_note(self) -> str:
        """Return the state of an Extend that the provider has not followed."""
        row = self.sandbox
        if row is None or self.expires_at is None or row.extended_until is None:
            return ""
        if row.extended_until - self.expires_at < _SAME_DATE:
            return ""
        asked = row.requested_expiry is not None and row.requested_expiry >= row.extended_until
        return (
            "The provider allows no later date."
            if asked
            else "Waiting for the provider to extend it."
        )

    @property
    def reminds(self) -> bool:
        """The expiry is near."""
        row = self.sandbox
        return row is not None and bool(reminder_schedule.current(self.expires_at, row.ttl))

    @cached_property
    def reminder(self) -> bool:
        """The expiry is near, and its owner has not dismissed that. One read, only then."""
        row = self.sandbox
        if row is None or row.expires_at is None or not self.reminds:
            return False
        lead = reminder_schedule.current(row.expires_at, row.ttl)
        dismissed = row.reminders.filter(
            expires_at=row.expires_at, lead=lead, dismissed_at__isnull=False
        )
        return not dismissed.exists()

    # ---- What can be done

    @property
    def restarting(self) -> bool:
        return bool(self.sandbox and self.can_restart and self.sandbox.restart_wanted_at)

    @property
    def direct_mcp_url(self) -> str:
        """The sandbox's own MCP over WebSocket: http -> ws, https -> wss."""
        return self.sandbox.url.replace("http", "ws", 1) if self.sandbox else ""

    @cached_property
    def last_call(self) -> ToolCall | None:
        """The last that an agent did. One read, only where it is shown."""
        owner = self.sandbox.owner_id if self.sandbox else None
        if owner is None:
            return None
        found: ToolCall | None = ToolCall.objects.latest_of(owner)
        return found

    @property
    def can_restart(self) -> bool:
        return self._shown.can_use

    @property
    def can_reset(self) -> bool:
        return self._shown.can_reset

    @property
    def can_delete(self) -> bool:
        return self._shown.can_delete

    @property
    def losses(self) -> Losses | None:
        """Return what was lost with a sandbox that is gone."""
        row = self.sandbox
        return Losses(row) if row and row.phase == Phase.GONE else None

    @property
    def starter(self) -> str:
        return projects.current().title

    # ---- Being made

    @property
    def step_number(self) -> int:
        return Step(self.sandbox.step).number if self.sandbox else 0

    @property
    def step_count(self) -> int:
        return len(Step) - 1

    @property
    def step_label(self) -> str:
        return str(Step(self.sandbox.step).label) if self.sandbox else ""

    @property
    def retry_note(self) -> str:
        """Return when the next attempt is made, after one that failed."""
        row = self.sandbox
        if row is None or row.phase != Phase.PENDING or not row.error_code:
            return ""
        wait = row.next_attempt_at - timezone.now() if row.next_attempt_at else timedelta(0)
        if wait > timedelta(0):
            when = f"in {max(1, round(wait.total_seconds()))} s"
        else:
            when = "is next" if row.step == Step.QUEUED else "is under way"
        # No attempt was counted where the circuit breaker kept Manta from calling the provider.
        if row.is_last_retry:
            return f"The last retry {when}."
        if not row.attempts:
            return f"Retrying {when.removeprefix('is ').replace('under way', 'now')}."
        return f"Retry {row.retry_number} of up to {row.retries} {when}."

    # ---- What went wrong, and the way out

    @property
    def error_message(self) -> str:
        return self.sandbox.error_message if self.sandbox else ""

    @property
    def error_code(self) -> str:
        return self.sandbox.error_code if self.sandbox else ""

    @property
    def action_label(self) -> str:
        return self._shown.action

    @property
    def request_id(self) -> str:
        """Return the id of the request that led to the failure, else of this request."""
        return (self.sandbox and self.sandbox.request_id) or current_request_id()

    @cached_property
    def public_ports(self) -> list[PublicPort]:
        """Return the ports that others may open. It takes one read."""
        row = self.sandbox
        if row is None or not self.can_open:
            return []
        return [public for public in PublicPort.objects.all_of(row) if public.is_current]

    @property
    def open_port_public(self) -> PublicPort | None:
        return next((row for row in self.public_ports if row.port == self.open_port), None)

    # ---- Open

    @property
    def can_open(self) -> bool:
        return self._shown.can_use and self.open_port is not None

    @property
    def open_port(self) -> int | None:
        return self.sandbox.first_port if self.sandbox else None

    @property
    def embed(self) -> bool:
        return self.can_open and settings.FRAME_PREVIEWS

    @property
    def autoload(self) -> bool:
        """Return whether to load the preview at once; never where that would wake the sandbox."""
        return self.embed and self.state == "active" and not self.restarting

    @property
    def view(self) -> str:
        """Changes with what the workspace shows: its panes stay, whether it sleeps or not."""
        if self.can_open:
            return f"open-{self.open_port}-{self.embed}"
        return f"{self.state}-{self.version}"

    @cached_property
    def version(self) -> str:
        """Changes when anything that the panel shows has changed."""
        row = self.sandbox
        shown = [self.state, self.trouble, self.poll_seconds, self.retry_note, self.error_message]
        if row:
            shown += [
                self.queue_position,
                row.step,
                row.expires_at,
                row.url,
                row.attempts,
                self.created_at,
            ]
            shown.append(row.checked_at if self.stale or self.refreshing else None)
            shown += [self.refreshing, self.restarting, self.stays_awake, _tens(row.last_used_at)]
            shown += [self.expiry_note, self.extension is None, self.reminds]
            shown += [(public.port, public.until) for public in self.public_ports]
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def _tens(moment: datetime | None) -> int:
    """The moment to ten seconds: what is in use changes it all the time."""
    return int(moment.timestamp()) // 10 if moment else 0
