"""Asking what work exists only in a sandbox, before it is deleted."""

from django.utils import timezone

from sandboxes.models import Sandbox
from sandboxes.services.rows import mark


def look_for_unsaved_work(*, sandbox: Sandbox) -> None:
    """Have the worker look into its git folders now, which wakes it; no use of the person's."""
    if not sandbox.is_looked_into:
        mark(sandbox, unsaved_wanted_at=timezone.now(), unsaved_problem="")
