"""Tool calls of agents in sandboxes, one row for each."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from manta.core.prepared import Parameter, Prepared


class ToolCallQuerySet(models.QuerySet["ToolCall"]):
    def for_user(self, user: Any) -> "ToolCallQuerySet":
        """The gate: what was done in a person's sandbox, newest first."""
        return self.filter(owner=user.pk).order_by("-pk") if user.pk else self.none()

    def latest_of(self, owner: int) -> "ToolCall | None":
        """Return the newest in a person's sandbox, without its arguments, which may be long."""
        return _latest.first(owner=owner)

    def matching(self, text: str, outcome: str = "") -> "ToolCallQuerySet":
        """Return the calls with the text in what they did, or in their agent's name."""
        found = self.filter(outcome=outcome) if outcome else self
        fields = ("agent_name", "tool", "arguments", "changed", "code", "request_id")
        for word in text.split()[:8]:
            either = Q()
            for name in fields:
                either |= Q(**{f"{name}__icontains": word})
            found = found.filter(either)
        return found

    def forget_before(self, moment: Any, *, at_most: int) -> int:
        """Delete the oldest that were made before a moment; returns how many."""
        oldest = self.filter(created_at__lt=moment).order_by("created_at").values("pk")[:at_most]
        batch = self.filter(pk__in=list(oldest.values_list("pk", flat=True)))
        return batch._raw_delete(self.db) or 0  # None of an empty list


class ToolCall(models.Model):
    class Outcome(models.TextChoices):
        OK = "ok", "Done"
        ERROR = "error", "Failed"
        REFUSED = "refused", "Refused"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tool_calls"
    )
    sandbox_name = models.CharField(max_length=255)
    # By name, too: what an agent did stays readable when its token is gone.
    agent_key = models.CharField(max_length=32)
    agent_name = models.CharField(max_length=255)
    agent_kind = models.CharField(max_length=16)
    tool = models.CharField(max_length=255)
    # JSON, without secrets and shortened: to be read, not to be repeated.
    arguments = models.TextField(blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome)
    code = models.CharField(max_length=64, blank=True)
    duration_ms = models.PositiveIntegerField()
    # The paths of what it wrote, one a line. What a command changed is not known.
    changed = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    objects: ClassVar[Any] = ToolCallQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["owner", "id"], name="call_of_owner")]

    def __str__(self) -> str:
        return f"{self.agent_name}: {self.tool} ({self.outcome})"


_latest: Prepared[ToolCall] = Prepared(
    lambda: (
        ToolCall.objects.only("agent_name", "tool", "created_at")
        .filter(owner=Parameter("owner", models.BigIntegerField()))
        .order_by("-pk")[:1]
    )
)
