"""Jobs for the worker, on the queue that all apps share."""

import logging

from django.db import close_old_connections
from django.utils.dateparse import parse_datetime

from manta import request_id
from operations.models import Check
from sandboxes.tasks import queue

logger = logging.getLogger(__name__)


def enqueue_check(check: Check) -> None:
    """Raises one of QUEUE_ERRORS."""
    check_sandbox(check.pk, check.started_at.isoformat(), request_id.current_request_id())


@queue.task()  # type: ignore[untyped-decorator]
def check_sandbox(pk: int, started_at: str, asked_by: str) -> None:
    from operations import checking

    close_old_connections()
    moment = parse_datetime(started_at)
    if moment is None:
        return
    with request_id.bound(asked_by):
        try:
            checking.run_check(pk, moment)
        except Exception:
            logger.exception("A check of a sandbox failed")
