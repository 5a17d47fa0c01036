"""Making a row and its real sandbox agree: what a worker does with one row.

Every step can be repeated, so that a crash at any point is finished by whoever looks next.
"""

import logging
import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from sandboxes import dataplane, errors, events, gateway, leases, services, starters, status
from sandboxes.gateway import ProviderSandbox
from sandboxes.models import Phase, Sandbox, Step

logger = logging.getLogger(__name__)

# A row is given up on only after an attempt: one that waited for a worker still gets its try.
_BACKOFF = (0.5, 15.0)
# How often the starter's server is looked after, and the expiry moved at the provider.
STARTER_EVERY = timedelta(seconds=60)
EXPIRY_STEP = timedelta(hours=1)
# A sandbox older than its owner is not theirs, whatever its label says: ids can come back.
CLOCK_SKEW = timedelta(minutes=5)


class _Overtaken(Exception):
    """Somebody changed the row under us: whoever did has made it due again."""


def reconcile(pk: int) -> None:
    """Look at one row, if it is due and nobody else is at it."""
    sandbox = leases.acquire(pk)
    if sandbox is None:
        return
    try:
        _STEPS[Phase(sandbox.phase)](sandbox)
    except _Overtaken:
        logger.info("%s: changed meanwhile", sandbox.name)
    except errors.SandboxError as exc:
        logger.warning("%s: %s", sandbox.name, exc, exc_info=exc.__cause__)
        _note_failure(sandbox, exc)
    except Exception as exc:
        logger.exception("%s: the reconciler failed", sandbox.name)
        _note_failure(sandbox, exc)
    finally:
        leases.release(sandbox)


def _save(sandbox: Sandbox, **fields: Any) -> None:
    if not leases.save(sandbox, **fields):
        raise _Overtaken


# ---- Steps, by phase


def _make(sandbox: Sandbox) -> None:
    if sandbox.owner is None:
        _save(sandbox, phase=Phase.DELETING, next_attempt_at=timezone.now())
        return
    _save(sandbox, step=Step.CREATING)
    record = gateway.create_if_not_exists(
        gateway.SandboxSpec(
            name=sandbox.name,
            image=sandbox.image,
            memory_mb=sandbox.memory_mb,
            ports=sandbox.ports,
            region=sandbox.region,
            labels=sandbox.labels,
            expires_at=services.expiry_of(sandbox),
        )
    )
    _check_owner(sandbox, record)
    _save(sandbox, **observe(sandbox, record))
    _write_starter(sandbox)
    _save(sandbox, step=Step.OPENING)
    _run_starter(sandbox)
    for port in sandbox.ports:
        gateway.ensure_preview(sandbox.name, port["target"])
    _save(sandbox, phase=Phase.READY, attempts=0, settle_by=None, error_code="", error_message="")
    User.objects.filter(pk=sandbox.owner.pk).update(sandbox_created_at=sandbox.provider_created_at)
    events.record(sandbox, "ready")


def _keep(sandbox: Sandbox) -> None:
    record = gateway.get(sandbox.name)
    if record is None or record.status in status.GONE:
        _note_gone(sandbox)
        return
    _check_owner(sandbox, record)
    _save(sandbox, attempts=0, error_code="", error_message="", **observe(sandbox, record))
    _move_expiry(sandbox)
    if sandbox.status == status.Status.ACTIVE:  # never wake it only to look
        _write_starter(sandbox)
        _run_starter(sandbox)


def _delete(sandbox: Sandbox) -> None:
    record = gateway.get(sandbox.name)
    if record is not None and record.status not in status.GONE and _is_ours(sandbox, record):
        gateway.delete(sandbox.name)
        record = gateway.get(sandbox.name)
    if record is not None and record.status != "TERMINATED" and _is_ours(sandbox, record):
        _save(sandbox, next_attempt_at=timezone.now() + timedelta(seconds=1))
        return
    events.record(sandbox, "deleted")
    Sandbox.objects.filter(pk=sandbox.pk, phase=Phase.DELETING).delete()


def _nothing(sandbox: Sandbox) -> None:
    """Failed and gone wait for a person."""


_STEPS = {
    Phase.PENDING: _make,
    Phase.READY: _keep,
    Phase.DELETING: _delete,
    Phase.FAILED: _nothing,
    Phase.GONE: _nothing,
}


# ---- Their parts


def observe(sandbox: Sandbox, record: ProviderSandbox) -> dict[str, Any]:
    """The fields that say what was seen at the provider just now."""
    seen = {
        "provider_status": record.status[:32],
        "provider_state": record.state[:32],
        "url": record.url,
        "provider_created_at": record.created_at,
        "last_used_at": record.last_used_at,
        "expires_at": record.expires_at,
        "checked_at": timezone.now(),
    }
    current = status.from_provider(record.status, record.state)
    if current is not status.Status.UNKNOWN:
        seen["known_status"] = current
    return seen


def _is_ours(sandbox: Sandbox, record: ProviderSandbox) -> bool:
    joined = sandbox.owner.date_joined if sandbox.owner else None
    too_old = joined and record.created_at and record.created_at < joined - CLOCK_SKEW
    label = record.labels.get("manta-owner")
    return (
        record.name == sandbox.name and label == sandbox.labels.get("manta-owner") and not too_old
    )


def _check_owner(sandbox: Sandbox, record: ProviderSandbox) -> None:
    """Never touch a sandbox that may be another's, whatever its name.

    Raises WrongOwner.
    """
    if not _is_ours(sandbox, record):
        raise errors.WrongOwner(
            f"The provider has a sandbox named {sandbox.name} that does not belong to this "
            "account. Manta has left it alone. Ask your administrator to remove or rename it."
        )


def _write_starter(sandbox: Sandbox) -> None:
    if sandbox.starter_written_at:
        return
    _save(sandbox, step=Step.STARTER)
    starter = starters.current()
    if not dataplane.file_exists(sandbox.url, f"{starter.folder}/{starters.LAST_FILE}"):
        last = {starters.LAST_FILE: starter.files[starters.LAST_FILE]}
        others = {path: text for path, text in starter.files.items() if path not in last}
        dataplane.write_tree(sandbox.url, starter.folder, others)
        dataplane.write_tree(sandbox.url, starter.folder, last)
    _save(sandbox, starter_written_at=timezone.now())


def _run_starter(sandbox: Sandbox) -> None:
    """Start the starter's server, unless it runs or its owner has stopped it."""
    starter = starters.current()
    processes = dataplane.processes(sandbox.url)
    seen = {p.get("status") for p in processes if p.get("name") == starter.process}
    if seen.isdisjoint({"running", "stopped", "killed"}):
        process = {
            "name": starter.process,
            "command": starter.command,
            "workingDir": starter.folder,
            "restartOnFailure": True,
            "maxRestarts": 5,
            # So that Open works as soon as the sandbox is said to be ready.
            "waitForPorts": [starter.port],
            "timeout": 10,
        }
        if not dataplane.start_process(sandbox.url, process):
            logger.warning("%s: the starter's port does not answer yet", sandbox.name)
    _save(sandbox, starter_checked_at=timezone.now())


def _move_expiry(sandbox: Sandbox) -> None:
    wanted = services.expiry_of(sandbox)
    if sandbox.expires_at is None or wanted - sandbox.expires_at > EXPIRY_STEP:
        gateway.set_expiry(sandbox.name, wanted)
        _save(sandbox, expires_at=wanted)


# ---- When it does not work


def _note_gone(sandbox: Sandbox) -> None:
    expired = sandbox.expires_at is not None and sandbox.expires_at <= timezone.now()
    what = "It was not used until its expiry date" if expired else "It was deleted at the provider"
    _save(
        sandbox,
        phase=Phase.GONE,
        url="",
        checked_at=timezone.now(),
        error_code="expired" if expired else "deleted",
        error_message=f"{what}, with everything in it.",
    )
    events.record(sandbox, "expired" if expired else "found deleted")


def _note_failure(sandbox: Sandbox, exc: Exception) -> None:
    """Try again later, or give up: at once where trying again can't help, else at the deadline."""
    known = isinstance(exc, errors.SandboxError)
    retryable = exc.retryable if isinstance(exc, errors.SandboxError) else True
    fields: dict[str, Any] = {
        "attempts": sandbox.attempts + 1,
        "error_code": exc.code if isinstance(exc, errors.SandboxError) else "internal",
        "error_message": str(exc) if known else "Something went wrong inside Manta.",
    }
    in_time = sandbox.settle_by is None or timezone.now() < sandbox.settle_by
    if sandbox.phase == Phase.PENDING and not (retryable and in_time):
        fields |= {"phase": Phase.FAILED}
    elif sandbox.phase != Phase.READY:
        fields |= {"next_attempt_at": timezone.now() + _backoff(sandbox.attempts, exc)}
    elif isinstance(exc, errors.WrongOwner):
        fields |= {"phase": Phase.FAILED}
    if leases.save(sandbox, **fields) and sandbox.phase == Phase.FAILED:
        events.record(sandbox, "gave up", outcome=sandbox.error_code, reason=sandbox.error_message)


def _backoff(attempts: int, exc: Exception) -> timedelta:
    """Twice as long each time, with jitter; never sooner than the provider asks."""
    first, longest = _BACKOFF
    wait = min(first * 2**attempts, longest) * random.uniform(0.5, 1)  # noqa: S311
    asked = getattr(exc, "retry_after", None) or 0
    return timedelta(seconds=max(wait, asked))
