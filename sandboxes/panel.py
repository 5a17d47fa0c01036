"""The sandbox as its owner reads it: words for each state, and the one thing to do about it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from manta.request_id import current_request_id
from sandboxes.models import Heartbeat, Phase, Sandbox, Step
from sandboxes.status import Status

_WORDS = {
    "none": ("No sandbox", "You don't have one yet."),
    "provisioning": ("Creating", "This usually takes a few seconds."),
    "active": ("Awake", "Goes to sleep by itself when nothing uses it."),
    "standby": ("Asleep", "Everything is kept in memory. Wakes in a blink."),
    "stopped": ("Stopped", "The provider has stopped it."),
    "failed": ("Needs attention", "It could not be made."),
    "unknown": ("Unknown", "The provider reports something Manta doesn't know."),
    "expired": ("Expired", "It is no longer there."),
    "deleting": ("Being deleted", "It is going, with everything in it."),
}
# Fast only in transitions: an awake sandbox is about to sleep.
_POLL_SECONDS = {"provisioning": 1, "deleting": 1, "active": 2}
_SLOW_POLL = 30
# A made sandbox that was last looked at longer ago than this is about to be looked at again.
_RECENT = timedelta(seconds=5)
# A look that was asked for and a worker's sign of life are believed this long.
_ASKED = timedelta(seconds=15)


@dataclass(frozen=True)
class Signs:
    """What decides, for every sandbox alike, whether its row can be relied on."""

    worker_missing: bool
    provider_failing: bool

    @classmethod
    def now(cls) -> "Signs":
        """One read of two rows."""
        beats = {beat.subject: beat for beat in Heartbeat.objects.all()}
        provider = beats.get(Heartbeat.Subject.PROVIDER)
        worker = beats.get(Heartbeat.Subject.WORKER)
        return cls(
            worker_missing=worker is None or worker.ok_at is None or _age(worker.ok_at) > _ASKED,
            provider_failing=provider is not None and provider.is_failing,
        )


@dataclass(frozen=True)
class Panel:
    sandbox: Sandbox | None
    state: str
    stale: bool = False
    worker_missing: bool = False

    @classmethod
    def of(cls, sandbox: Sandbox | None, signs: Signs | None = None) -> "Panel":
        """Describe a sandbox, or that there is none. Two indexed reads, no outside call."""
        state = _state(sandbox)
        if sandbox is None:
            return cls(None, state)
        signs = signs or Signs.now()
        missing = signs.worker_missing
        stale = missing or signs.provider_failing
        return cls(sandbox, state, stale=stale, worker_missing=missing)

    @property
    def word(self) -> str:
        return _WORDS[self.state][0]

    @property
    def detail(self) -> str:
        return _WORDS[self.state][1]

    @property
    def trouble(self) -> str:
        """Why what is shown may be out of date; "" when it isn't."""
        if self.worker_missing:
            return "Manta's worker is not running, so this may be out of date."
        if self.stale:
            return "The sandbox provider is not answering. Manta keeps trying by itself."
        return ""

    @property
    def poll_seconds(self) -> int:
        if self.refreshing or self.stale or self.outdated:
            return 1
        return _POLL_SECONDS.get(self.state, _SLOW_POLL)

    @property
    def refreshing(self) -> bool:
        """A look was asked for and has not happened yet."""
        row = self.sandbox
        asked = row.next_attempt_at if row else None
        return bool(asked and row and row.phase == Phase.READY and _age(asked) < _ASKED)

    @property
    def outdated(self) -> bool:
        """Nobody has read it for a while; now somebody does, so the worker looks."""
        row = self.sandbox
        made = row is not None and row.phase == Phase.READY
        return bool(made and self.checked_at and _age(self.checked_at) > _RECENT)

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
        """What happens next by itself, after an attempt that did not work."""
        row = self.sandbox
        if row is None or row.phase != Phase.PENDING or not row.attempts:
            return ""
        if row.next_attempt_at is None or row.next_attempt_at <= timezone.now():
            return f"Attempt {row.attempts + 1} is under way."
        seconds = round((row.next_attempt_at - timezone.now()).total_seconds())
        return f"Attempt {row.attempts + 1} in {max(seconds, 1)} s."

    # ---- What went wrong, and the way out

    @property
    def error_message(self) -> str:
        return self.sandbox.error_message if self.sandbox else ""

    @property
    def error_code(self) -> str:
        return self.sandbox.error_code if self.sandbox else ""

    @property
    def action_label(self) -> str:
        return {"none": "Initialize", "failed": "Retry", "expired": "Recreate"}.get(self.state, "")

    @property
    def request_id(self) -> str:
        return current_request_id()

    # ---- Open

    @property
    def can_open(self) -> bool:
        return self.state in ("active", "standby", "unknown") and self.open_port is not None

    @property
    def open_port(self) -> int | None:
        return self.sandbox.first_port if self.sandbox else None

    @property
    def embed(self) -> bool:
        return self.can_open and settings.FRAME_PREVIEWS

    @property
    def autoload(self) -> bool:
        """Whether to load the preview at once: never where that would wake the sandbox."""
        return self.embed and self.state == "active"

    @property
    def mcp_url(self) -> str:
        """Manta has no MCP address yet, so no page shows one."""
        return ""

    @property
    def version(self) -> str:
        """Changes when anything that the panel shows has changed."""
        row = self.sandbox
        shown = [self.state, self.trouble, self.poll_seconds, self.retry_note, self.error_message]
        if row:
            shown += [row.step, row.expires_at, row.url, row.attempts, self.created_at]
            shown.append(row.checked_at if self.stale or self.refreshing else None)
            shown.append(self.refreshing)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def _age(moment: datetime) -> timedelta:
    return timezone.now() - moment


def _state(sandbox: Sandbox | None) -> str:
    if sandbox is None:
        return "none"
    if sandbox.phase == Phase.GONE:
        return "expired"
    if sandbox.phase == Phase.DELETING:
        return "deleting"
    status: Status = sandbox.status
    return str(status.value)
