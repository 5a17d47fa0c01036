"""Circuit breaker of the provider, shared by all processes."""

from django.db import models
from django.utils import timezone


class Breaker(models.Model):
    """One row: failures of the provider in a row, and until when it is not called."""

    # Failures since the last success, and how often it has opened since then.
    failures = models.PositiveIntegerField(default=0)
    times_opened = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.state

    @classmethod
    def current(cls) -> "Breaker":
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @property
    def state(self) -> str:
        """closed: calls are made. open: none is. half-open: the next one finds out."""
        if self.open_until is None:
            return "closed"
        return "open" if self.open_until > timezone.now() else "half-open"
