"""Having a sandbox made: at sign-in, when a program asks, and again after it failed or went."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from sandboxes import errors, events, tasks
from sandboxes.models import WATCHED_FOR, Action, Phase, Sandbox
from sandboxes.services.rows import mark, nothing_seen, to_be_made
from sandboxes.status import Status


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
            events.record(sandbox, Action.REQUESTED, actor=user)
        else:
            mark(sandbox, used_at=timezone.now())
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
    elif sandbox.phase == Phase.DELETING and not sandbox.remake:
        raise errors.BeingDeleted("This sandbox is being deleted. Try again in a moment.")
    return sandbox


def start_over(*, sandbox: Sandbox, actor: Any) -> None:
    """Let the reconciler make the sandbox anew, or find it: Retry and Recreate."""
    was_gone = sandbox.phase == Phase.GONE
    # Nothing of the old one may be shown for the new one.
    mark(sandbox, **to_be_made(), **(nothing_seen() if was_gone else {}))
    events.record(sandbox, Action.RECREATED if was_gone else Action.RETRIED, actor=actor)
    tasks.kick(sandbox.pk)


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
