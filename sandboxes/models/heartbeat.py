"""Signs of life of what every process depends on."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Heartbeat(models.Model):
    """Times at which something that every process depends on last worked and last failed."""

    class Subject(models.TextChoices):
        PROVIDER = "provider"
        WORKER = "worker"
        # A look at every sandbox, by whichever worker's turn it was.
        FULL_LOOK = "full look"

    subject = models.CharField(max_length=16, choices=Subject, unique=True)
    ok_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.subject

    @classmethod
    def note(cls, subject: Subject, *, ok: bool) -> None:
        field = "ok_at" if ok else "failed_at"
        cls.objects.update_or_create(subject=subject, defaults={field: timezone.now()})

    @classmethod
    def of(cls, subject: Subject) -> "Heartbeat":
        return cls.objects.filter(subject=subject).first() or cls(subject=subject)

    @classmethod
    def claim(cls, subject: Subject, *, every: timedelta) -> bool:
        """Claim the turn for a task that one of all processes does this often; return success."""
        now = timezone.now()
        last = cls.of(subject)
        if last.ok_at and last.ok_at > now - every:
            return False
        cls.objects.get_or_create(subject=subject)
        due = Q(ok_at=None) | Q(ok_at__lte=now - every)
        return bool(cls.objects.filter(due, subject=subject).update(ok_at=now))

    @classmethod
    def forget(cls, subject: Subject) -> None:
        """Make the next claim succeed."""
        cls.objects.filter(subject=subject).update(ok_at=None)

    @property
    def is_failing(self) -> bool:
        return self.failed_at is not None and (self.ok_at is None or self.failed_at > self.ok_at)
