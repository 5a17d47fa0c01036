"""Keeping a made sandbox as it should be, and noticing that it has gone."""

from datetime import timedelta

from django.utils import timezone

from sandboxes import events, gateway, services, status
from sandboxes.models import Action, Phase, Sandbox
from sandboxes.reconcile.rows import save
from sandboxes.reconcile.seen import check_owner, observe
from sandboxes.reconcile.starter import run_starter, write_starter

# The expiry is moved at the provider when it is off by more than this.
EXPIRY_STEP = timedelta(hours=1)


def keep(sandbox: Sandbox) -> None:
    record = gateway.get(sandbox.name)
    if record is None or record.status in status.GONE:
        _note_gone(sandbox)
        return
    check_owner(sandbox, record)
    save(sandbox, attempts=0, error_code="", error_message="", **observe(sandbox, record))
    _move_expiry(sandbox)
    if sandbox.status == status.Status.ACTIVE:  # never wake it only to look
        write_starter(sandbox)
        run_starter(sandbox)


def _move_expiry(sandbox: Sandbox) -> None:
    wanted = services.expiry_of(sandbox)
    if sandbox.expires_at is None or wanted - sandbox.expires_at > EXPIRY_STEP:
        gateway.set_expiry(sandbox.name, wanted)
        save(sandbox, expires_at=wanted)


def _note_gone(sandbox: Sandbox) -> None:
    expired = sandbox.expires_at is not None and sandbox.expires_at <= timezone.now()
    what = "It was not used until its expiry date" if expired else "It was deleted at the provider"
    save(
        sandbox,
        phase=Phase.GONE,
        url="",
        checked_at=timezone.now(),
        error_code="expired" if expired else "deleted",
        error_message=f"{what}, with everything in it.",
    )
    events.record(sandbox, Action.EXPIRED if expired else Action.FOUND_DELETED)
