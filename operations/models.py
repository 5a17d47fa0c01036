"""Rows for admins about Manta itself: failures, counters and self tests."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

# A check takes seconds. One that is this old was lost with its worker.
CHECK_TIMEOUT = timedelta(seconds=90)


class Failure(models.Model):
    """One kind of failure, however often it happened: by its type, and where in the code."""

    fingerprint = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=255)
    location = models.CharField(max_length=255, blank=True)
    count = models.PositiveBigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(db_index=True)
    # The process: web or worker.
    last_place = models.CharField(max_length=16, blank=True)
    last_request_id = models.CharField(max_length=64, blank=True)
    # Without the values of variables, which may be users' secrets.
    last_traceback = models.TextField(blank=True)

    class Meta:
        ordering = ["-last_seen"]

    def __str__(self) -> str:
        return self.title


class Sample(models.Model):
    """One number of /metrics. A count is the sum over all processes; a gauge is of one of them."""

    name = models.CharField(max_length=100)
    # As JSON with sorted keys, so that equal labels are equal texts.
    labels = models.CharField(max_length=500)
    process = models.CharField(max_length=100, blank=True)
    value = models.FloatField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "labels", "process"], name="sample_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}"


class Check(models.Model):
    """The last check of a person's own sandbox."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sandbox_check"
    )
    started_at = models.DateTimeField()
    # When a worker began with it; null while it waits for one.
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Of the request that asked for it.
    request_id = models.CharField(max_length=64, blank=True)
    # Each a doctor.Finding as a dictionary.
    findings = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.started_at}"

    @property
    def is_under_way(self) -> bool:
        return self.finished_at is None and not self.is_lost

    @property
    def is_lost(self) -> bool:
        return self.finished_at is None and timezone.now() - self.started_at > CHECK_TIMEOUT

    @property
    def failures(self) -> int:
        return sum(finding["verdict"] == "failed" for finding in self.findings)
