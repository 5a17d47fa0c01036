"""The record of what was done to sandboxes."""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone


class Action(models.TextChoices):
    """Recorded actions: a stable code, and the text that follows the actor's name in the record."""

    REQUESTED = "requested", "requested a sandbox"
    READY = "ready", "created the sandbox"
    RETRIED = "retry", "retried creating the sandbox"
    RECREATED = "recreate", "recreated the sandbox"
    GAVE_UP = "gave up", "failed to create the sandbox"
    REFRESHED = "refresh", "refreshed the status"
    VIEWED = "viewed", "looked at the details of the sandbox"
    OPENED_PORT = "opened port", "opened port"
    OPENED_TERMINAL = "opened terminal", "opened the terminal"
    MADE_PUBLIC = "made public", "made public port"
    MADE_PRIVATE = "made private", "made private port"
    RESTART_REQUESTED = "restart requested", "requested a restart"
    RESTARTED = "restarted", "restarted the sandbox"
    RESET_REQUESTED = "reset requested", "requested a reset to the starter"
    RESET = "reset", "reset the sandbox"
    DELETE_REQUESTED = "delete requested", "requested the deletion of the sandbox"
    DELETED = "deleted", "deleted the sandbox"
    EXTENDED = "extended", "extended the sandbox until"
    REMINDED = "reminded", "sent a reminder of the expiry"
    EXPIRED = "expired", "found the sandbox expired"
    FOUND_DELETED = "found deleted", "found that the sandbox was deleted at the provider"
    QUOTA_REFUSED = "quota refused", "refused a sandbox because of a quota"
    QUOTA_CHANGED = "quota changed", "changed a quota"
    DRIFTED = "drifted", "found settings that differ at the provider"
    PROCESS_STARTED = "process started", "started process"
    PROCESS_STOPPED = "process stopped", "stopped process"
    PROCESS_KILLED = "process killed", "killed process"
    PROCESS_RESTARTED = "process restarted", "restarted process"
    CHECKED = "checked", "ran a check of the sandbox"
    PASSWORD_SET = "password set", "set another password for the account"


def action_choices() -> list[tuple[str, str]]:
    """Return the choices; as a function, so that a new action needs no migration."""
    return Action.choices


class SandboxEventQuerySet(models.QuerySet["SandboxEvent"]):
    def visible_to(self, user: Any) -> "SandboxEventQuerySet":
        """The gate: a person reads what was done to the sandboxes that are, or were, theirs."""
        return self.filter(owner=user.pk) if user.is_authenticated else self.none()

    def update(self, **fields: Any) -> int:
        raise TypeError("The record is append-only.")

    def delete(self) -> NoReturn:
        raise TypeError("The record is append-only: only forget_before takes away from it.")

    def forget_before(self, moment: Any, *, at_most: int) -> int:
        """Delete the oldest that were written before a moment; returns how many.

        The one door out of the record: retention.
        """
        oldest = self.filter(created_at__lt=moment).order_by("created_at").values("pk")[:at_most]
        batch = self.filter(pk__in=list(oldest.values_list("pk", flat=True)))
        return batch._raw_delete(self.db) or 0  # None of an empty list


class SandboxEvent(models.Model):
    """One line of the record: append-only, readable by the sandbox's owner."""

    class Actor(models.TextChoices):
        USER = "user"
        TOKEN = "token"  # noqa: S105 - a kind of actor
        AGENT = "agent"
        ADMIN = "admin"
        JOB = "job"

    # By name, not by key: the record stays when the sandbox's row is gone.
    sandbox_name = models.CharField(max_length=255, db_index=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="sandbox_events",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Who it was, also after their account is gone; of a token, what its user called it.
    actor_name = models.CharField(max_length=255, blank=True)
    actor_kind = models.CharField(max_length=16, choices=Actor)
    action = models.CharField(max_length=64, choices=action_choices)
    # What the action was about, where that isn't the sandbox as a whole: a port, a date.
    detail = models.CharField(max_length=255, blank=True)
    # "ok", or the code of what went wrong.
    outcome = models.CharField(max_length=64, default="ok")
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    objects: ClassVar[Any] = SandboxEventQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        # A person's own timeline, and the streams that go on from the last event they had.
        indexes = [models.Index(fields=["owner", "id"], name="event_of_owner")]

    def __str__(self) -> str:
        return f"{self.sandbox_name}: {self.action} ({self.outcome})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("The record is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The record is append-only.")
