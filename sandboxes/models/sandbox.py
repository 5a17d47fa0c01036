"""The row of a sandbox: its desired and its observed state."""

import itertools
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import vault
from manta.core.prepared import Parameter, Prepared
from sandboxes import errors
from sandboxes.models import status
from sandboxes.models.reach import LIFETIME, Reach, is_refused, with_token
from sandboxes.models.status import Phase, Status

# The worker keeps a row fresh for this long after a page has read it.
WATCHED_FOR = timedelta(seconds=10)
# A look for unsaved work that has not ended by then could not be done.
_LOOK_TAKES = timedelta(seconds=40)


# A session with less time left is not used; one that is refused is not replaced sooner.
_ENDS_SOON = timedelta(minutes=1)
_SESSION_TRIED_EVERY = timedelta(seconds=30)

_UNSETTLED = [Phase.PENDING, Phase.DELETING]


class Step(models.TextChoices):
    """Steps of making a sandbox, with the labels that its owner reads."""

    QUEUED = "queued", "Queued"
    CREATING = "creating", "Creating the sandbox"
    STARTER = "starter", "Writing the starter project"
    OPENING = "opening", "Starting its server"

    @property
    def number(self) -> int:
        return [Step.QUEUED, Step.CREATING, Step.STARTER, Step.OPENING].index(self)


def default_ports() -> list[dict[str, Any]]:
    return [dict(port) for port in settings.SANDBOX_PORTS]


class SandboxQuerySet(models.QuerySet["Sandbox"]):
    def visible_to(self, user: Any) -> "SandboxQuerySet":
        """The gate of every page and route: a person sees their own."""
        return self.filter(owner=user.pk) if user.is_authenticated else self.none()

    def get_for_user(self, user: Any) -> "Sandbox | None":
        """The sandbox that is the user's own, or None: one indexed read.

        Nearly every request makes it, and Django would take longer to write its SQL than to read.
        """
        if not user.is_authenticated:
            return None
        return _own.first(owner=user.pk, name=user.sandbox_id)

    def own_of(self, users: list[int]) -> "SandboxQuerySet":
        """Return for these users the sandboxes that `get_for_user` would."""
        return self.filter(owner__in=users, owner__sandbox_id=F("name"))

    def watched(self) -> "SandboxQuerySet":
        """Made sandboxes whose row a page has read in the last seconds."""
        return self.filter(phase=Phase.READY, watched_until__gt=timezone.now())

    def due(self) -> "SandboxQuerySet":
        """Rows that a worker should look at now, and that none is looking at."""
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        # A lease that ran out was a crashed worker's, and an unsettled row is never forgotten.
        wanted = Q(next_attempt_at__lte=now) | Q(lease_until__lte=now)
        forgotten = Q(phase__in=_UNSETTLED, next_attempt_at=None, lease_until=None)
        return self.filter(free & (wanted | forgotten))

    def queue(self) -> "SandboxQuerySet":
        """Sandboxes that could be made now and that no worker is making, the next one first."""
        return self.due().filter(phase=Phase.PENDING).order_by("provision_deadline", "pk")

    def is_any_due(self) -> bool:
        """Return whether a row is marked for a worker. One read of an index, ten times a second."""
        return self.filter(next_attempt_at__lte=timezone.now()).exists()

    def due_for_maintenance(self, at_most: int) -> list[int]:
        """Return other due rows: to keep, restart or delete. Called several times a second.

        Three reads, each of an index: put into one, SQLite reads every row for it.
        """
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        reads = (
            self.filter(free, next_attempt_at__lte=now).order_by("next_attempt_at"),
            self.filter(lease_until__lte=now).order_by("lease_until"),
            self.filter(phase=Phase.DELETING, next_attempt_at=None, lease_until=None),
        )
        found = [
            read.exclude(phase=Phase.PENDING).values_list("pk", flat=True)[:at_most]
            for read in reads
        ]
        return list(dict.fromkeys(itertools.chain(*found)))


class Sandbox(models.Model):
    """One sandbox: what was asked for, what was last seen, and what the reconciler is doing.

    The provider is the truth about the sandbox itself; a row is only ever as true as checked_at.
    """

    name = models.CharField(max_length=255, unique=True)
    # The row outlives its user until the sandbox itself is gone.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="sandboxes",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # What was asked for
    image = models.CharField(max_length=255)
    memory_mb = models.PositiveIntegerField()
    ports = models.JSONField(default=default_ports)
    region = models.CharField(max_length=64, blank=True)
    ttl = models.DurationField()
    labels = models.JSONField(default=dict, blank=True)
    # The person last used it: a sign-in, a port opened. The TTL counts from here.
    used_at = models.DateTimeField(default=timezone.now)
    # The person asked for it to be kept until then, used or not.
    extended_until = models.DateTimeField(null=True, blank=True)
    # Processes are to be ended and started anew; files stay.
    restart_wanted_at = models.DateTimeField(null=True, blank=True)
    # When the last restart that was done had been asked for.
    restarted_at = models.DateTimeField(null=True, blank=True)
    # Once deleted it is to be made again from the starter: a reset.
    recreate_after_delete = models.BooleanField(default=False)

    # What was last seen at the provider
    provider_status = models.CharField(max_length=32, blank=True)
    provider_state = models.CharField(max_length=32, blank=True)
    known_status = models.CharField(max_length=16, choices=Status, blank=True)
    url = models.CharField(max_length=500, blank=True)
    # The session by which Manta reaches its own API; the token is sealed.
    data_url = models.CharField(max_length=500, blank=True)
    data_token = models.TextField(blank=True)
    data_token_until = models.DateTimeField(null=True, blank=True)
    provider_created_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # The date that the provider was last asked for; its own answer, expires_at, may be earlier.
    requested_expiry = models.DateTimeField(null=True, blank=True)
    # When the next reminder of the expiry is due; the sweep's index.
    remind_at = models.DateTimeField(null=True, blank=True, db_index=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    # What differs from what was asked for, by the name of the setting: {"memory_mb": "2048"}.
    drift = models.JSONField(default=dict, blank=True)
    # Work that only exists in the sandbox, by git folder, as of unsaved_checked_at.
    unsaved_work = models.JSONField(default=list, blank=True)
    unsaved_checked_at = models.DateTimeField(null=True, blank=True)
    unsaved_wanted_at = models.DateTimeField(null=True, blank=True)
    # Why the last look at it did not see everything.
    unsaved_problem = models.CharField(max_length=255, blank=True)

    # The reconciler's part
    phase = models.CharField(max_length=16, choices=Phase, default=Phase.PENDING)
    step = models.CharField(max_length=16, choices=Step, default=Step.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    # When a worker last took it in hand.
    attempted_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True, db_index=True)
    provision_deadline = models.DateTimeField(null=True, blank=True)
    # When it was first held back because as many as allowed were being created.
    queued_since = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_holder = models.UUIDField(null=True, blank=True)
    # Of the request that the row waits because of; "" once it was looked at.
    request_id = models.CharField(max_length=64, blank=True)
    watched_until = models.DateTimeField(null=True, blank=True, db_index=True)
    starter_written_at = models.DateTimeField(null=True, blank=True)
    starter_checked_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_message = models.TextField(blank=True)

    objects: ClassVar[Any] = SandboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sandboxes"
        # What the worker asks several times a second: small, however many rows there are.
        indexes = [
            models.Index(
                fields=["provision_deadline", "id"],
                condition=Q(phase="pending"),
                name="sandbox_queue",
            ),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(phase="deleting"),
                name="sandbox_deleting",
            ),
            models.Index(
                fields=["lease_holder"],
                condition=Q(lease_holder__isnull=False),
                name="sandbox_leased",
            ),
            models.Index(fields=["-created_at", "-id"], name="sandbox_newest"),
            models.Index(fields=["error_code"], name="sandbox_error_code"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(phase__in=Phase.values), name="sandbox_phase_is_known"
            ),
            models.CheckConstraint(
                condition=Q(memory_mb__gte=128), name="sandbox_memory_at_least_128_mb"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="sandbox_has_a_name"),
            # Nothing may wait for ever: what is being made has a deadline.
            models.CheckConstraint(
                condition=~Q(phase=Phase.PENDING) | Q(provision_deadline__isnull=False),
                name="sandbox_pending_has_a_deadline",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> status.State:
        return status.state_of(self)

    @property
    def status(self) -> Status:
        """The status shown to people; never guesses "active"."""
        return self.state.status

    @property
    def last_known_status(self) -> Status:
        """The status for programs: an unknown one is answered with the last that was known."""
        current = self.status
        if current is Status.UNKNOWN:
            return Status(self.known_status) if self.known_status else Status.PROVISIONING
        return current

    @property
    def retry_number(self) -> int:
        """Return the number of the next or current retry: 0 at the first attempt."""
        return self.attempts

    @property
    def retries(self) -> int:
        """Return the maximum of retries; fewer are made where they take until the deadline."""
        return int(settings.SANDBOX_START_RETRIES)

    @property
    def is_last_retry(self) -> bool:
        late = (
            self.next_attempt_at
            and self.provision_deadline
            and self.next_attempt_at >= self.provision_deadline
        )
        return self.attempts >= self.retries or bool(late)

    @property
    def is_settling(self) -> bool:
        return self.phase in _UNSETTLED

    @property
    def is_looked_into(self) -> bool:
        """A look for unsaved work is asked for, or under way."""
        wanted = self.unsaved_wanted_at
        return wanted is not None and timezone.now() - wanted < _LOOK_TAKES

    @property
    def reach(self) -> Reach:
        """The way to its own API, by its session. Raises ProviderUnavailable without one."""
        token = self._session_token
        if not token:
            raise errors.ProviderUnavailable(
                f"Manta has no session with your sandbox yet. {errors.TRIES_AGAIN}"
            )
        return with_token(self.data_url, token)

    @property
    def has_session(self) -> bool:
        """One that works for now, as far as can be told without a call."""
        return bool(self._session_token)

    @property
    def session_ends_soon(self) -> bool:
        """Return whether half of the session's time is over, or none works."""
        until = self.data_token_until
        is_late = until is None or until - LIFETIME / 2 <= timezone.now()
        return is_late or not self.has_session

    @property
    def session_is_due(self) -> bool:
        """Return whether the session is to be renewed, and no renewal was tried a moment ago."""
        tried = self.attempted_at
        is_time = tried is None or tried <= timezone.now() - _SESSION_TRIED_EVERY
        return is_time and self.session_ends_soon

    def sealed(self, token: str) -> str:
        return vault.seal(token, context=self._vault_context)

    @property
    def _vault_context(self) -> str:
        return f"session of {self.name}"

    @property
    def _session_token(self) -> str:
        """Return the session's token, or "" if there is none, it has ended or it is refused."""
        now, until = timezone.now(), self.data_token_until
        if until is None or until <= now + _ENDS_SOON or not self.data_url:
            return ""
        try:
            token = vault.unseal(self.data_token, context=self._vault_context)
        except vault.SealBroken:
            return ""
        # A hostile server inside may refuse each token: no more than one is made a minute.
        is_new = until - LIFETIME > now - _ENDS_SOON
        return "" if is_refused(token) and not is_new else token

    @property
    def first_port(self) -> int | None:
        return self.ports[0]["target"] if self.ports else None


_own: Prepared[Sandbox] = Prepared(
    lambda: Sandbox.objects.filter(
        owner=Parameter("owner", models.BigIntegerField()),
        name=Parameter("name", models.CharField()),
    )
)
