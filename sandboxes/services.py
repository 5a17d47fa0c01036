"""What a person or a program can do with a sandbox. Nothing here but Open waits for the provider:
it marks the row, and the worker makes the row and the real sandbox agree.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from sandboxes import dataplane, errors, events, gateway, starters, tasks
from sandboxes.models import WATCHED_FOR, Phase, Sandbox, Step
from sandboxes.status import Status

# How long a preview that was opened stays open. The cookie that the preview's host makes of the
# token ends with it, so a page must be able to be reloaded for longer than a minute.
PREVIEW_LIFETIME = timedelta(hours=1)


def name_for(user: User) -> str:
    return f"user-{user.pk}"


def ensure_sandbox(*, user: User) -> Sandbox:
    """Find the user's sandbox, or have one made. Returns at once.

    One that expired or was deleted stays so, and is offered for re-creation.
    """
    with transaction.atomic():
        sandbox, created = Sandbox.objects.get_or_create(
            name=name_for(user), defaults=_defaults(user)
        )
        if sandbox.owner_id != user.pk:
            # Left by a deleted account whose id came back. It goes first.
            raise errors.SandboxBusy(
                "An older sandbox of this name is being removed. Try again in a minute."
            )
        if created:
            events.record(sandbox, "requested", actor=user)
        else:
            _mark(sandbox, used_at=timezone.now())
        User.objects.filter(pk=user.pk).exclude(sandbox_id=sandbox.name).update(sandbox=sandbox)
    user.sandbox = sandbox
    tasks.kick(sandbox.pk)
    return sandbox


def initialize_sandbox(*, user: User) -> Sandbox:
    """Have the user's sandbox made, also again after it failed, expired or was deleted."""
    sandbox = ensure_sandbox(user=user)
    needs_making = sandbox.phase in (Phase.FAILED, Phase.GONE) or sandbox.status is Status.FAILED
    if needs_making:
        start_over(sandbox=sandbox, actor=user)
    elif sandbox.phase == Phase.DELETING:
        raise errors.SandboxBusy("This sandbox is being deleted. Try again in a moment.")
    return sandbox


def start_over(*, sandbox: Sandbox, actor: Any) -> None:
    """Let the reconciler make the sandbox anew, or find it: Retry and Recreate."""
    was_gone = sandbox.phase == Phase.GONE
    fields: dict[str, Any] = {
        "phase": Phase.PENDING,
        "step": Step.QUEUED,
        "attempts": 0,
        "settle_by": timezone.now() + settings.SANDBOX_START_TIMEOUT,
        "used_at": timezone.now(),
        "error_code": "",
        "error_message": "",
    }
    if was_gone:
        # Nothing of the old one may be shown for the new one.
        fields |= {"url": "", "provider_status": "", "provider_state": "", "expires_at": None}
        fields |= {"provider_created_at": None, "starter_written_at": None, "known_status": ""}
    _mark(sandbox, **fields)
    events.record(sandbox, "recreate" if was_gone else "retry", actor=actor)
    tasks.kick(sandbox.pk)


def refresh_sandbox(*, sandbox: Sandbox) -> None:
    """Ask the worker to look at the provider now."""
    _mark(sandbox)
    tasks.kick(sandbox.pk)


def delete_sandbox(*, sandbox: Sandbox, actor: Any) -> None:
    """Have the sandbox deleted with everything in it. The row goes when it is gone."""
    if sandbox.phase == Phase.DELETING:
        return
    _mark(sandbox, phase=Phase.DELETING, attempts=0, error_code="", error_message="")
    events.record(sandbox, "delete requested", actor=actor)
    tasks.kick(sandbox.pk)


def delete_account(*, user: User) -> None:
    """Delete the user; their sandboxes are deleted by the worker, however long that takes."""
    with transaction.atomic():
        for sandbox in user.sandboxes.all():
            delete_sandbox(sandbox=sandbox, actor=user)
        user.delete()


def open_port(*, sandbox: Sandbox, port: int, actor: Any) -> str:
    """Wake the sandbox, check that the port answers, and return a link to its private preview.

    The link carries a token: it goes into a redirect, and nowhere else.

    Raises SandboxBusy, SandboxGone, PortClosed, or a ProviderError.
    """
    _require_ready(sandbox)
    watch(sandbox)
    if not dataplane.port_answers(sandbox.url, port):
        refresh_sandbox(sandbox=sandbox)  # the starter's server may only need to be started again
        raise errors.PortClosed(_why_closed(sandbox, port))
    address, token = gateway.mint_preview_token(sandbox.name, port, PREVIEW_LIFETIME)
    _use(sandbox)
    events.record(sandbox, f"opened port {port}", actor=actor)
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query=urlencode({"bl_preview_token": token})))


def _require_ready(sandbox: Sandbox) -> None:
    if sandbox.phase == Phase.GONE:
        raise errors.SandboxGone("Your sandbox is no longer there. Recreate it in the panel.")
    if sandbox.phase != Phase.READY or not sandbox.url:
        raise errors.SandboxBusy("Your sandbox is not ready yet. The panel shows how far it is.")


def _why_closed(sandbox: Sandbox, port: int) -> str:
    if port == starters.current().port and sandbox.starter_written_at:
        return (
            f"Nothing answers on port {port} yet. Manta is looking after the starter's server; "
            "try again in a few seconds."
        )
    return (
        f"Nothing listens on port {port}. Start a server on it inside the sandbox, "
        "on 0.0.0.0 and not only on 127.0.0.1, and try again."
    )


def _use(sandbox: Sandbox) -> None:
    """Note that the person used it; the worker moves the expiry when an hour has passed."""
    now = timezone.now()
    if now - sandbox.used_at > timedelta(hours=1):
        _mark(sandbox, used_at=now)


def watch(sandbox: Sandbox) -> None:
    """Have the worker keep the row fresh for a while, because somebody is reading it."""
    now = timezone.now()
    # Half the time is the limit: a page that polls each second costs one write in five reads.
    if sandbox.watched_until is None or sandbox.watched_until < now + WATCHED_FOR / 2:
        Sandbox.objects.filter(pk=sandbox.pk).update(watched_until=now + WATCHED_FOR)


def expiry_of(sandbox: Sandbox) -> datetime:
    """When it should expire: its TTL after the person last used it."""
    return sandbox.used_at + sandbox.ttl


def _defaults(user: User) -> dict[str, Any]:
    now = timezone.now()
    return {
        "owner": user,
        "image": settings.SANDBOX_IMAGE,
        "memory_mb": settings.SANDBOX_MEMORY_MB,
        "region": settings.SANDBOX_REGION,
        "ttl": settings.SANDBOX_TTL,
        "labels": {"manta-owner": str(user.pk)},
        "settle_by": now + settings.SANDBOX_START_TIMEOUT,
        "next_attempt_at": now,
        "watched_until": now + WATCHED_FOR,
    }


def _mark(sandbox: Sandbox, **fields: Any) -> None:
    """Change the row and make it due."""
    fields["next_attempt_at"] = timezone.now()
    for field, value in fields.items():
        setattr(sandbox, field, value)
    sandbox.save(update_fields=list(fields))
