"""The one status shown everywhere, derived from what Blaxel reports."""

from django.db import models


class Status(models.TextChoices):
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    STANDBY = "standby"
    STOPPED = "stopped"
    FAILED = "failed"
    UNKNOWN = "unknown"


_PROVISIONING = {"UPLOADING", "BUILDING", "BUILT", "DEPLOYING", "UNARCHIVING"}
_STOPPED = {"DEACTIVATING", "DEACTIVATED", "ARCHIVING", "ARCHIVED", "DELETING", "TERMINATED"}
# Being deleted or deleted: nothing that was in it can come back.
GONE = {"DELETING", "TERMINATED"}


def from_provider(status: str, state: str) -> Status:
    """Map Blaxel's status and state (both "" when missing); anything unseen is unknown."""
    if status == "DEPLOYED":
        return {"": Status.ACTIVE, "RUNNING": Status.ACTIVE, "STANDBY": Status.STANDBY}.get(
            state, Status.UNKNOWN
        )
    if status in _PROVISIONING:
        return Status.PROVISIONING
    if status in _STOPPED:
        return Status.STOPPED
    if status == "FAILED":
        return Status.FAILED
    return Status.UNKNOWN
