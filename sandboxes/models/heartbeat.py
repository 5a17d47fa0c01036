"""Signs of life of what every process depends on."""

from django.db import models
from django.utils import timezone


class Heartbeat(models.Model):
    """When something that every process depends on last worked, and last did not."""

    class Subject(models.TextChoices):
        PROVIDER = "provider"
        WORKER = "worker"

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

    @property
    def is_failing(self) -> bool:
        return self.failed_at is not None and (self.ok_at is None or self.failed_at > self.ok_at)
