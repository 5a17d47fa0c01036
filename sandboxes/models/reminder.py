"""Reminders of an expiry that have been sent."""

from django.db import models

from sandboxes.models.sandbox import Sandbox


class Reminder(models.Model):
    """One reminder, written before it is sent: at most one for each expiry date and lead."""

    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="reminders")
    expires_at = models.DateTimeField()
    # How long before the expiry.
    lead = models.DurationField()
    created_at = models.DateTimeField(auto_now_add=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sandbox", "expires_at", "lead"], name="reminder_sent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sandbox_id}: {self.lead} before {self.expires_at}"
