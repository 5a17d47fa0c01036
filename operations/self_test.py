"""Self test of the user's sandbox: requested on a page, run by a worker, read from the row."""

from datetime import datetime

from django.utils import timezone

from accounts.models import User
from manta.core.request_context import bound, current_request_id
from operations.doctor.examinations import examine_sandbox
from operations.doctor.finding import Finding
from operations.models import CHECK_TIMEOUT, Check
from sandboxes import audit, services
from sandboxes.models import Action, Sandbox
from sandboxes.services.row_updates import require_ready


def start_check(*, sandbox: Sandbox, actor: User) -> None:
    """Have a worker check the sandbox, unless one is at it.

    Raises SandboxGone, BeingDeleted or SandboxBusy.
    """
    require_ready(sandbox)
    before = Check.objects.filter(owner=actor).first()
    if before and before.is_under_way:
        return
    Check.objects.update_or_create(
        owner=actor,
        defaults={
            "started_at": timezone.now(),
            "claimed_at": None,
            "finished_at": None,
            "findings": [],
            "request_id": current_request_id(),
        },
    )
    audit.record(sandbox, Action.CHECKED, actor=actor)
    services.row_updates.keep_fresh(sandbox)


def claim(limit: int) -> list[Check]:
    """Return checks that wait for a worker, the oldest first; no other worker gets them."""
    now = timezone.now()
    waiting = Check.objects.filter(
        claimed_at=None, finished_at=None, started_at__gt=now - CHECK_TIMEOUT
    ).select_related("owner")
    return [
        check
        for check in waiting.order_by("started_at")[:limit]
        if Check.objects.filter(pk=check.pk, started_at=check.started_at, claimed_at=None).update(
            claimed_at=now
        )
    ]


def run_check(check: Check) -> None:
    """Do what start_check asked for; each finding can be read as soon as it is there."""
    sandbox = Sandbox.objects.get_for_user(check.owner)
    if sandbox is None:
        return
    findings: list[Finding] = []
    with bound(check.request_id):
        for finding in examine_sandbox(sandbox):
            findings.append(finding)
            _write(check.pk, check.started_at, findings)
    _finish(check.pk, check.started_at, findings)


def _write(pk: int, started_at: datetime, findings: list[Finding]) -> None:
    found = [finding.as_dict() for finding in findings]
    # A check that was started meanwhile has a row of the same number.
    Check.objects.filter(pk=pk, started_at=started_at).update(findings=found)


def _finish(pk: int, started_at: datetime, findings: list[Finding]) -> None:
    _write(pk, started_at, findings)
    Check.objects.filter(pk=pk, started_at=started_at).update(finished_at=timezone.now())
