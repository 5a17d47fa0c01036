"""Making ports private whose time is over."""

import logging

from django.utils import timezone

from sandboxes import control_plane, errors
from sandboxes.models import PublicPort
from sandboxes.services.ports import SOONER, forget

logger = logging.getLogger(__name__)

_AT_ONCE = 50


def close_overdue() -> None:
    """Make private what has been public for as long as it was to be. Harmless in each worker."""
    overdue = PublicPort.objects.due_to_close(timezone.now() + SOONER).select_related("sandbox")
    for row in overdue[:_AT_ONCE]:
        try:
            _close(row)
        except errors.SandboxError as exc:
            logger.warning("Port %s is not private yet: %s", row, exc)


def _close(row: PublicPort) -> None:
    control_plane.previews.unpublish_preview(row.sandbox.name, row.port)
    if forget(row, None):
        return
    again = PublicPort.objects.current().filter(pk=row.pk).first()
    if again:  # made public anew meanwhile
        control_plane.previews.publish_preview(row.sandbox.name, row.port, again.until)
