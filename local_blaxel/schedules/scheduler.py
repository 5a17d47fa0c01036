"""Fires schedules when they are due.

One loop looks at what is due; each firing is a task, one at most for a sandbox and a bounded number
in all, so that a slow sandbox holds up no other. A firing is written down as broken off before it
starts: a server that is killed meanwhile never fires it twice.
"""

import asyncio
import logging
import secrets
import time

from local_blaxel import call, clock
from local_blaxel.errors import ApiError
from local_blaxel.fleet import Fleet
from local_blaxel.record_store import RecordStore, StoredRecord
from local_blaxel.schedules import entry
from local_blaxel.store import Store

logger = logging.getLogger(__name__)

PACE = 0.25
AT_ONCE = 16
BROKEN_OFF = "local_blaxel ended before the command had been started."


class Scheduler:
    def __init__(self, fleet: Fleet, store: Store) -> None:
        self._fleet = fleet
        self._schedules: RecordStore = store.schedules
        self._executions: RecordStore = store.executions
        self._working: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Fire what is due, again and again, until cancelled."""
        try:
            while True:
                try:
                    self._look()
                except Exception:
                    # The outer loop: one bad look must not be the last.
                    logger.exception("The scheduler failed")
                await asyncio.sleep(PACE)
        finally:
            working = list(self._working.values())
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    def _look(self) -> None:
        now = time.time()
        for schedule in self._schedules.due(now):
            if len(self._working) >= AT_ONCE:
                return
            if schedule.owner not in self._working:
                execution = self._begin(schedule, now)
                task = asyncio.create_task(self._fire(schedule, execution))
                self._working[schedule.owner] = task

    def _begin(self, schedule: StoredRecord, now: float) -> StoredRecord:
        """Note the execution, and when the schedule is due again, at once."""
        record = {
            "scheduleId": schedule.id,
            "status": "failed",
            "error": BROKEN_OFF,
            "executedAt": clock.written(now),
            "timeout": schedule.record["input"]["timeout"],
        }
        execution = StoredRecord(f"exec-{secrets.token_hex(8)}", record, now, schedule.owner)
        schedule.due_at = entry.next_after(schedule.record, now)
        with self._executions.together():
            if schedule.due_at is None:
                self._schedules.forget(schedule)
            else:
                self._schedules.put(schedule)
            self._executions.put(execution)
            self._forget_oldest(schedule)
        return execution

    def _forget_oldest(self, schedule: StoredRecord) -> None:
        of_owner = self._executions.all(schedule.owner)
        own = [kept for kept in of_owner if kept.record["scheduleId"] == schedule.id]
        for kept in own[: -schedule.record["maxExecutions"]]:
            self._executions.forget(kept)

    async def _fire(self, schedule: StoredRecord, execution: StoredRecord) -> None:
        outcome = execution.record
        try:
            status, answer = await self._start(schedule)
            outcome |= {"statusCode": status, "status": "succeeded", "error": ""}
            if status >= 400:
                outcome |= {"status": "failed", "error": str(answer.get("error", ""))}
            else:
                outcome["processName"] = answer["name"]
        except ApiError as error:
            outcome |= {"statusCode": error.status, "error": error.message}
        except Exception as exc:
            # A task's outermost frame.
            logger.exception("%s: schedule %s failed", schedule.owner, schedule.id)
            outcome["error"] = f"{type(exc).__name__}: {exc}"
        finally:
            del self._working[schedule.owner]
            # Its sandbox may have been deleted meanwhile, and its executions with it.
            if self._executions.get(execution.id, execution.owner) is not None:
                self._executions.put(execution)

    async def _start(self, schedule: StoredRecord) -> tuple[int, call.Json]:
        sandbox = self._fleet.live(schedule.owner)
        wanted = schedule.record["input"]
        body = {key: wanted[key] for key in ("command", "env", "keepAlive", "timeout")}
        body |= {key: wanted[key] for key in ("name", "workingDir") if wanted.get(key)}
        return await call.agent(sandbox, "POST", "/process", body)
