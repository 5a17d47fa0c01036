"""Making a sandbox, or finding the one that an earlier attempt made."""

from django.utils import timezone

from accounts.models import User
from sandboxes import events, gateway, services
from sandboxes.models import Action, Phase, Sandbox, Step
from sandboxes.reconcile.rows import save
from sandboxes.reconcile.seen import check_owner, observe
from sandboxes.reconcile.starter import run_starter, write_starter


def make(sandbox: Sandbox) -> None:
    if sandbox.owner is None:
        save(sandbox, phase=Phase.DELETING, next_attempt_at=timezone.now())
        return
    save(sandbox, step=Step.CREATING)
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
    check_owner(sandbox, record)
    save(sandbox, **observe(sandbox, record))
    write_starter(sandbox)
    save(sandbox, step=Step.OPENING)
    run_starter(sandbox)
    for port in sandbox.ports:
        gateway.ensure_preview(sandbox.name, port["target"])
    save(sandbox, phase=Phase.READY, attempts=0, settle_by=None, error_code="", error_message="")
    User.objects.filter(pk=sandbox.owner.pk).update(sandbox_created_at=sandbox.provider_created_at)
    events.record(sandbox, Action.READY)
