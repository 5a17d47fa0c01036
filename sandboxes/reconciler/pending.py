"""Making a sandbox, or finding the one that an earlier attempt made."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from manta.core import metrics
from sandboxes import control_plane, errors, services
from sandboxes.models import Action, Phase, Sandbox, Step, status
from sandboxes.models.expiry import expiry_of
from sandboxes.reconciler.observation import check_owner, observe
from sandboxes.reconciler.row_updates import save, save_and_record
from sandboxes.reconciler.starter import run_starter, write_starter


def provision(sandbox: Sandbox) -> None:
    if sandbox.owner is None:
        save(sandbox, phase=Phase.DELETING, next_attempt_at=timezone.now())
        return
    save(sandbox, step=Step.CREATING)
    record = control_plane.sandboxes.create_if_not_exists(_spec_of(sandbox))
    check_owner(sandbox, record)
    if not record.url or record.status in status.GONE | {"FAILED"}:
        raise errors.ProviderBusy(
            f"The sandbox provider created no usable sandbox. {errors.TRIES_AGAIN}"
        )
    save(sandbox, **observe(sandbox, record))
    services.sessions.ensure_session(sandbox)
    write_starter(sandbox)
    save(sandbox, step=Step.OPENING)
    run_starter(sandbox)
    for port in sandbox.ports:
        control_plane.previews.ensure_preview(sandbox.name, port["target"])
    provision_deadline = sandbox.provision_deadline
    settled: dict[str, Any] = {
        "attempts": 0,
        "provision_deadline": None,
        "error_code": "",
        "error_message": "",
    }
    with transaction.atomic():
        save_and_record(sandbox, Action.READY, phase=Phase.READY, **settled)
        owner = User.objects.filter(pk=sandbox.owner.pk)
        owner.update(sandbox_created_at=sandbox.provider_created_at)
    metrics.CREATES.labels("ready").inc()
    if provision_deadline:
        asked_at = provision_deadline - settings.SANDBOX_START_TIMEOUT
        metrics.CREATE_SECONDS.observe((timezone.now() - asked_at).total_seconds())


def _spec_of(sandbox: Sandbox) -> control_plane.types.SandboxSpec:
    return control_plane.types.SandboxSpec(
        name=sandbox.name,
        image=sandbox.image,
        memory_mb=sandbox.memory_mb,
        ports=sandbox.ports,
        region=sandbox.region,
        labels=sandbox.labels,
        expires_at=expiry_of(sandbox),
    )
