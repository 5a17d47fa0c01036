"""Limits that an admin sets."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Quota(models.Model):
    """Limits for one user, for each user, or for all users together. Null means no limit."""

    class Scope(models.TextChoices):
        ALL = "all", "all users together"
        EACH = "each", "each user without limits of their own"
        USER = "user", "one user"

    scope = models.CharField(max_length=8, choices=Scope)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="quota",
    )
    sandboxes = models.PositiveIntegerField(null=True, blank=True)
    memory_mb = models.PositiveIntegerField(null=True, blank=True, verbose_name="memory (MB)")
    creations_per_hour = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scope="user", user__isnull=False)
                | (Q(scope__in=["all", "each"], user__isnull=True)),
                name="quota_names_a_user_only_for_one",
            ),
            models.UniqueConstraint(
                fields=["scope"], condition=Q(user__isnull=True), name="quota_of_scope_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user) if self.user else self.get_scope_display()

    def clean(self) -> None:
        """Report the constraints' errors at the field that is to be changed."""
        for_one = self.scope == self.Scope.USER
        if for_one and self.user is None:
            raise ValidationError({"user": "Choose the user to whom these limits apply."})
        if not for_one and self.user is not None:
            raise ValidationError({"user": "Only limits for one user can name a user."})
        same = Quota.objects.filter(scope=self.scope, user=None).exclude(pk=self.pk)
        if not for_one and same.exists():
            raise ValidationError({"scope": "These limits already exist: change them instead."})


class Creation(models.Model):
    """One sandbox that was let in to be made: what creations per hour are counted from.

    The sandboxes themselves don't tell: one that was deleted would no longer count.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["owner", "created_at"], name="creation_of_owner")]

    def __str__(self) -> str:
        return f"{self.owner_id} at {self.created_at}"
