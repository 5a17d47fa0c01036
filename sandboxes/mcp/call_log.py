"""Log of tool calls, written to the database by a thread of its own."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, IntegrityError, close_old_connections, connection

from accounts.tokens import Grant
from manta.core.metrics import LOST_TOOL_CALLS
from manta.core.request_context import current_request_id
from sandboxes.mcp import permissions
from sandboxes.mcp.redaction import Abridged, abridged, written
from sandboxes.models import ToolCall

logger = logging.getLogger(__name__)

# Seconds between two writes, and for the last one.
_EVERY = 0.5
_FLUSH_TIMEOUT = 3.0
_BATCH = 200
# Calls that may wait while the database is away.
_MAX_WAITING = 5_000

Outcome = ToolCall.Outcome


class PendingCall:
    """A running call, with its outcome so far."""

    def __init__(self) -> None:
        # Unless it ends otherwise: its agent left, its token was revoked, or Manta stopped.
        self.outcome, self.code = Outcome.ERROR, "broken_off"

    def ended(self, outcome: Outcome, code: str = "") -> None:
        self.outcome, self.code = outcome, code


class ToolCallLog:
    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[ToolCall, Abridged]] = queue.Queue(_MAX_WAITING)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="tool-calls", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the rest. What the database does not take by then is counted as lost."""
        self._ending.set()
        if self._thread:
            self._thread.join(_FLUSH_TIMEOUT)

    @contextlib.contextmanager
    def recording(
        self, grant: Grant, tool: str, arguments: dict[str, Any]
    ) -> Iterator[PendingCall]:
        """Record what happens inside the block as one call."""
        call, started = PendingCall(), time.perf_counter()
        try:
            yield call
        finally:
            duration = round(1000 * (time.perf_counter() - started))
            self._put(_row(call, grant, tool, arguments, duration), abridged(arguments))

    def _put(self, call: ToolCall, arguments: Abridged) -> None:
        try:
            self._waiting.put_nowait((call, arguments))
        except queue.Full:
            _lost(1)

    def _run(self) -> None:
        batch: list[ToolCall] = []
        is_last = False
        while not is_last:
            is_last = self._ending.wait(_EVERY)
            while len(batch) < _BATCH or is_last:
                try:
                    batch.append(_whole(*self._waiting.get_nowait()))
                except queue.Empty:
                    break
            batch = self._written(batch)
        if batch:
            _lost(len(batch))
        connection.close()

    def _written(self, batch: list[ToolCall]) -> list[ToolCall]:
        """Write a batch of calls; return those that must be tried again."""
        if not batch:
            return []
        close_old_connections()
        try:
            ToolCall.objects.bulk_create(batch)
        except IntegrityError:
            _write_singly(batch)
        except DatabaseError as exc:
            logger.warning("Tool calls can't be recorded, retrying: %s", exc)
            return batch
        return []


def _whole(call: ToolCall, arguments: Abridged) -> ToolCall:
    """The call with its arguments: secrets are looked for here, outside the event loop."""
    call.arguments = written(arguments)
    return call


def _write_singly(batch: list[ToolCall]) -> None:
    """One of them is of an account that was deleted meanwhile: it goes with the account."""
    for call in batch:
        try:
            call.pk = None
            call.save(force_insert=True)
        except DatabaseError:
            logger.info("The owner of a recorded call is gone")


def _row(
    call: PendingCall, grant: Grant, tool: str, arguments: dict[str, Any], duration: int
) -> ToolCall:
    wrote = call.outcome is Outcome.OK and permissions.writes(tool)
    changed = permissions.paths_of(tool, arguments) if wrote else []
    return ToolCall(
        owner_id=grant.user.pk,
        sandbox_name=grant.user.sandbox_id or f"user-{grant.user.pk}",
        agent_key=grant.key,
        agent_name=grant.name,
        agent_kind=grant.kind,
        tool=_clean(tool[:255]),
        outcome=call.outcome,
        code=call.code[:64],
        duration_ms=duration,
        changed=_clean("\n".join(changed))[:10_000],
        request_id=current_request_id(),
    )


def _clean(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _lost(count: int) -> None:
    LOST_TOOL_CALLS.inc(count)
    logger.error("%d calls of tools could not be recorded", count)


tool_call_log = ToolCallLog()
