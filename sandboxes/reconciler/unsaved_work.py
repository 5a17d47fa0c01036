"""Looking for work that exists only in a sandbox, and noting what was found."""

from typing import Any

from django.utils import timezone

from sandboxes import errors
from sandboxes.data_plane import git_scan
from sandboxes.models import Sandbox


def look_for_unsaved_work(sandbox: Sandbox) -> None:
    """Look for unsaved work, and note the result or the failure; no request waits for it."""
    fields: dict[str, Any] = {"unsaved_wanted_at": None}
    try:
        work, problem = git_scan.look(sandbox.reach)
        fields |= {"unsaved_work": work, "unsaved_problem": problem}
        fields |= {"unsaved_checked_at": timezone.now()}
    except errors.SandboxError as exc:
        fields |= {"unsaved_problem": f"The check failed: {exc}"[:255]}
    # No lease is needed: these fields say what was seen, and nothing acts on them.
    Sandbox.objects.filter(pk=sandbox.pk, url=sandbox.url).update(**fields)
    for name, value in fields.items():
        setattr(sandbox, name, value)
