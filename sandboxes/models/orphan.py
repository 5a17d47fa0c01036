"""Sandboxes at the provider that look like Manta's, and that no row stands for."""

from django.db import models


class Orphan(models.Model):
    """One such sandbox, as the last full look found it. Manta never deletes one by itself."""

    class Reason(models.TextChoices):
        NO_ROW = "no_row", "it belongs to no user"
        OTHER_OWNER = "other_owner", "its label names another owner than the row of its name"
        OTHER_INSTALLATION = "other_installation", "another installation of Manta made it"

    name = models.CharField(max_length=255, unique=True)
    reason = models.CharField(max_length=32, choices=Reason)
    owner_label = models.CharField(max_length=255, blank=True)
    installation_label = models.CharField(max_length=255, blank=True)
    image = models.CharField(max_length=255, blank=True)
    memory_mb = models.PositiveIntegerField(null=True)
    region = models.CharField(max_length=64, blank=True)
    provider_created_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
