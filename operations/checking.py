"""Checking one's own sandbox: asked for on a page, done by a worker, read from the row."""

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from operations import doctor, tasks
from operations.doctor import Finding, Verdict
from operations.models import Check
from sandboxes import events, services
from sandboxes.models import Action, Sandbox
from sandboxes.services.rows import require_ready
from sandboxes.tasks import QUEUE_ERRORS


def start_check(*, sandbox: Sandbox, actor: User) -> None:
    """Have a worker check the sandbox, unless one is at it.

    Raises SandboxGone, BeingDeleted or SandboxBusy.
    """
    require_ready(sandbox)
    before = Check.objects.filter(owner=actor).first()
    if before and before.is_under_way:
        return
    check, _ = Check.objects.update_or_create(
        owner=actor,
        defaults={"started_at": timezone.now(), "finished_at": None, "findings": []},
    )
    events.record(sandbox, Action.CHECKED, actor=actor)
    services.watch(sandbox)
    try:
        tasks.enqueue_check(check)
    except QUEUE_ERRORS:
        _finish(check.pk, check.started_at, [_no_queue()])


def run_check(pk: int, started_at: datetime) -> None:
    """Do what start_check asked for; each finding can be read as soon as it is there."""
    check = Check.objects.select_related("owner").filter(pk=pk, started_at=started_at).first()
    sandbox = Sandbox.objects.of(check.owner) if check else None
    if sandbox is None:
        return
    findings: list[Finding] = []
    for finding in doctor.examine_sandbox(sandbox):
        findings.append(finding)
        _write(pk, started_at, findings)
    _finish(pk, started_at, findings)


def _no_queue() -> Finding:
    return Finding(
        "queue",
        "Manta's job queue",
        Verdict.FAILED,
        detail="The check could not be handed to a worker.",
        remedy="Try again in a minute; then tell your administrator.",
    )


def _write(pk: int, started_at: datetime, findings: list[Finding]) -> None:
    found = [finding.as_dict() for finding in findings]
    # A check that was started meanwhile has a row of the same number.
    Check.objects.filter(pk=pk, started_at=started_at).update(findings=found)


def _finish(pk: int, started_at: datetime, findings: list[Finding]) -> None:
    _write(pk, started_at, findings)
    Check.objects.filter(pk=pk, started_at=started_at).update(finished_at=timezone.now())
