"""Ports that are open to all who have their address."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from manta.core.prepared import Parameter, Prepared


class PublicPortQuerySet(models.QuerySet["PublicPort"]):
    def current(self) -> "PublicPortQuerySet":
        """Return the ports that are public, and are meant to be."""
        return self.exclude(until__lte=timezone.now())

    def all_of(self, sandbox: Any) -> "list[PublicPort]":
        """Return the rows of a sandbox: those that were read with it, or by one prepared read."""
        read = vars(sandbox).get("_prefetched_objects_cache", {})
        return list(read["public_ports"]) if "public_ports" in read else _own.all(pk=sandbox.pk)

    def due_to_close(self, moment: Any) -> "PublicPortQuerySet":
        """Return the ports that are to be private at that moment, the longest overdue first."""
        return self.filter(until__lte=moment).order_by("until")

    def end_all(self, sandbox: Any) -> None:
        """Have the worker make every port private: the sandbox that they were of is gone."""
        self.filter(sandbox=sandbox).update(until=timezone.now())


class PublicPort(models.Model):
    """One such port. The row is written before the provider is asked, and goes after it has been
    asked to make the port private: nothing is public without a row that says so.
    """

    sandbox = models.ForeignKey(
        "sandboxes.Sandbox", on_delete=models.CASCADE, related_name="public_ports"
    )
    port = models.PositiveIntegerField()
    # None: until its owner makes it private. In the past: to be made private as soon as possible.
    until = models.DateTimeField(null=True, blank=True, db_index=True)
    url = models.CharField(max_length=500, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = PublicPortQuerySet.as_manager()

    class Meta:
        ordering = ["port"]
        constraints = [
            models.UniqueConstraint(fields=["sandbox", "port"], name="public_port_once_a_sandbox"),
            models.CheckConstraint(
                condition=Q(port__gte=1, port__lte=65_535), name="public_port_is_a_port"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sandbox}: {self.port}"

    @property
    def is_current(self) -> bool:
        """The same as PublicPort.objects.current(), of a row that was read."""
        return self.until is None or self.until > timezone.now()


_own: Prepared[PublicPort] = Prepared(
    lambda: PublicPort.objects.filter(sandbox=Parameter("pk", models.BigIntegerField()))
)
