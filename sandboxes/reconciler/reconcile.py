"""Making a row and its real sandbox agree: what a worker does with one row.

Every step can be repeated, so that the next worker finishes after a crash at any point.
"""

import logging

from manta.core.request_context import bound
from sandboxes import errors
from sandboxes.models import Phase, Sandbox
from sandboxes.reconciler import leases
from sandboxes.reconciler.deleting import delete
from sandboxes.reconciler.failures import note_failure
from sandboxes.reconciler.pending import provision
from sandboxes.reconciler.ready import reconcile_ready
from sandboxes.reconciler.row_updates import ConcurrentUpdate

logger = logging.getLogger(__name__)


def no_op(sandbox: Sandbox) -> None:
    """Leave the row as it is: failed and gone ones wait for a person."""


_STEPS = {
    Phase.PENDING: provision,
    Phase.READY: reconcile_ready,
    Phase.DELETING: delete,
    Phase.FAILED: no_op,
    Phase.GONE: no_op,
}


def reconcile(pk: int) -> None:
    """Reconcile one row, if it is due and no other worker has it."""
    sandbox = leases.acquire(pk)
    if sandbox is None:
        return
    with bound(sandbox.request_id):
        _look_at(sandbox)


def _look_at(sandbox: Sandbox) -> None:
    try:
        _STEPS[Phase(sandbox.phase)](sandbox)
    except ConcurrentUpdate:
        logger.info("%s: changed meanwhile", sandbox.name)
    except errors.SandboxError as exc:
        logger.warning("%s: %s", sandbox.name, exc, exc_info=exc.__cause__)
        note_failure(sandbox, exc)
    except Exception as exc:
        logger.exception("%s: the reconciler failed", sandbox.name)
        note_failure(sandbox, exc)
    finally:
        leases.release(sandbox)
        _forget_request(sandbox)


def _forget_request(sandbox: Sandbox) -> None:
    """Remove the request id when the row has settled: later work is not due to that request.

    The id stays while a retry waits, or when a newer request has replaced it.
    """
    if sandbox.request_id and not sandbox.is_settling:
        Sandbox.objects.filter(pk=sandbox.pk, request_id=sandbox.request_id).update(request_id="")
