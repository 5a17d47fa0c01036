"""The record of what was done to sandboxes."""

from django.conf import settings
from django.db import models


class SandboxEvent(models.Model):
    """One line of the record: append-only, readable by the sandbox's owner."""

    class Actor(models.TextChoices):
        USER = "user"
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
    # Who it was, also after their account is gone.
    actor_name = models.CharField(max_length=255, blank=True)
    actor_kind = models.CharField(max_length=16, choices=Actor)
    action = models.CharField(max_length=64)
    outcome = models.CharField(max_length=64, default="ok")
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        # A person's own timeline, and the streams that go on from the last event they had.
        indexes = [models.Index(fields=["owner", "id"], name="event_of_owner")]

    def __str__(self) -> str:
        return f"{self.sandbox_name}: {self.action} ({self.outcome})"
