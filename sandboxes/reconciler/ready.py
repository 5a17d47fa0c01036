"""Keeping a made sandbox as it should be, and noticing that it has gone."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from sandboxes import control_plane, errors, services
from sandboxes.models import Action, Phase, PublicPort, Sandbox, status
from sandboxes.models.expiry import expiry_of
from sandboxes.models.transitions import no_session
from sandboxes.reconciler.observation import COUNT_IS_ROUGH, check_owner, note_drift, observe
from sandboxes.reconciler.restart import give_up_if_hopeless, restart
from sandboxes.reconciler.row_updates import save, save_and_record
from sandboxes.reconciler.starter import run_starter, write_starter
from sandboxes.reconciler.unsaved_work import look_for_unsaved_work

logger = logging.getLogger(__name__)

# The expiry is moved at the provider when it is off by more than this.
EXPIRY_STEP = timedelta(hours=1)
# Seconds between attempts at what a person waits for.
_MAX_WAIT = 30


def reconcile_ready(sandbox: Sandbox) -> None:
    try:
        _reconcile(sandbox)
    except errors.SandboxError as exc:
        _try_again(sandbox, exc)
        raise


def _reconcile(sandbox: Sandbox) -> None:
    record = control_plane.sandboxes.get(sandbox.name)
    if record is None or record.status in status.GONE:
        _note_gone(sandbox)
        return
    check_owner(sandbox, record)
    observation = observe(sandbox, record)
    note_drift(sandbox, observation)
    save(sandbox, error_code="", error_message="", **observation)
    if "labels" in sandbox.drift:
        control_plane.sandboxes.set_labels(sandbox.name, sandbox.labels)
    _move_expiry(sandbox)
    _renew_session(sandbox)
    if sandbox.restart_wanted_at:
        restart(sandbox, sandbox.restart_wanted_at)
    if sandbox.unsaved_wanted_at:
        look_for_unsaved_work(sandbox)
    elif sandbox.status == status.Status.ACTIVE:  # never wake it only to look
        write_starter(sandbox)
        run_starter(sandbox)
    save(sandbox, attempts=0)


def _renew_session(sandbox: Sandbox) -> None:
    """Renew the session at half of its time; a failure matters only once it has ended."""
    if not sandbox.session_ends_soon:
        return
    try:
        services.sessions.open_session(sandbox)
    except errors.SandboxError as exc:
        if not sandbox.has_session:
            raise
        logger.warning("%s: its session was not renewed: %s", sandbox.name, exc)


def _try_again(sandbox: Sandbox, exc: errors.SandboxError) -> None:
    """Mark the row due again where a person waits for what one attempt did not achieve."""
    if sandbox.restart_wanted_at:
        give_up_if_hopeless(sandbox, sandbox.restart_wanted_at, exc)
    awaited = sandbox.restart_wanted_at or sandbox.is_looked_into or _expiry_to_ask_for(sandbox)
    if awaited and exc.retryable:
        wait = max(min(2**sandbox.attempts, _MAX_WAIT), exc.retry_after or 0)
        save(sandbox, next_attempt_at=timezone.now() + timedelta(seconds=wait))


def _expiry_to_ask_for(sandbox: Sandbox) -> datetime | None:
    """The date that is wanted; None when the provider has it, or was asked and allows no later."""
    wanted = expiry_of(sandbox)
    known = sandbox.expires_at
    if known and sandbox.requested_expiry and known < sandbox.requested_expiry:
        known = sandbox.requested_expiry
    said_so = wanted == sandbox.extended_until
    enough = known and wanted - known <= (COUNT_IS_ROUGH if said_so else EXPIRY_STEP)
    return None if enough else wanted


def _move_expiry(sandbox: Sandbox) -> None:
    """Ask the provider for the date that is wanted, and note the one that it has."""
    wanted = _expiry_to_ask_for(sandbox)
    if wanted is None:
        return
    control_plane.sandboxes.set_expiry(sandbox.name, wanted)
    save(sandbox, requested_expiry=wanted.replace(microsecond=0))
    record = control_plane.sandboxes.get(sandbox.name)
    if record is not None:
        save(sandbox, **observe(sandbox, record))


def _note_gone(sandbox: Sandbox) -> None:
    expired = sandbox.expires_at is not None and sandbox.expires_at <= timezone.now()
    what = (
        "It was not used by its expiry date, so it was deleted"
        if expired
        else "It was deleted at the provider"
    )
    with transaction.atomic():
        save_and_record(
            sandbox,
            Action.EXPIRED if expired else Action.FOUND_DELETED,
            phase=Phase.GONE,
            url="",
            **no_session(),
            checked_at=timezone.now(),
            error_code="expired" if expired else "deleted",
            error_message=f"{what} with all its files.",
        )
        PublicPort.objects.end_all(sandbox)
