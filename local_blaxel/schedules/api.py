"""The control plane's schedules and their executions."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import clock, fields, listing
from local_blaxel.errors import Conflict, Forbidden, Invalid, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.record_store import StoredRecord
from local_blaxel.schedules import entry
from local_blaxel.store import Record, Store

MAX_SCHEDULES = 100
OUTCOMES = ("succeeded", "failed")
DAY = 86_400.0


class ScheduleApi:
    def __init__(self, fleet: Fleet, store: Store) -> None:
        self._fleet = fleet
        self._schedules = store.schedules
        self._executions = store.executions

    async def index(self, request: Request) -> Response:
        return self._page(request, self._schedules.all(self._sandbox_name(request)))

    async def index_all(self, request: Request) -> Response:
        return self._page(request, self._schedules.all())

    async def create(self, request: Request) -> Response:
        body = await fields.body(request)
        owner, now = self._sandbox_name(request), time.time()
        record, due_at = entry.read(body, now)
        schedule = StoredRecord(entry.read_id(body.get("id")), record, now, owner, due_at)
        if self._schedules.get(schedule.id, owner) is not None:
            raise Conflict(f"Schedule {schedule.id} already exists.")
        if len(self._schedules.all(owner)) >= MAX_SCHEDULES:
            message = f"Sandbox {owner} has {MAX_SCHEDULES} schedules, the most there can be."
            raise Forbidden(message, code="QUOTA_EXCEEDED")
        self._schedules.put(schedule)
        return JSONResponse(entry.shown(schedule))

    async def get(self, request: Request) -> Response:
        with_secrets = fields.a_query_flag(request, "show_secrets")
        return JSONResponse(entry.shown(self._schedule(request), with_secrets=with_secrets))

    async def update(self, request: Request) -> Response:
        body = await fields.body(request)
        schedule = self._schedule(request)
        if body.get("id", schedule.id) != schedule.id:
            raise Invalid("id can't be changed.")
        schedule.record, schedule.due_at = entry.read(body, time.time(), schedule.record)
        self._schedules.put(schedule)
        return JSONResponse(entry.shown(schedule))

    async def delete(self, request: Request) -> Response:
        schedule = self._schedule(request)
        self._schedules.forget(schedule)
        return JSONResponse(entry.shown(schedule))

    async def executions(self, request: Request) -> Response:
        return _executions_page(request, self._executions.all(self._sandbox_name(request)))

    async def all_executions(self, request: Request) -> Response:
        return _executions_page(request, self._executions.all())

    async def metrics(self, request: Request) -> Response:
        now = time.time()
        since, until = _moment(request, "since", now - DAY), _moment(request, "until", now)
        ran = [kept for kept in self._executions.all() if since <= kept.created_at <= until]
        statuses = [kept.record["status"] for kept in ran]
        schedules = self._schedules.all()
        return JSONResponse(
            {
                "schedules": len(schedules),
                "sandboxes": len({kept.owner for kept in schedules}),
                "executions": len(ran),
                "executionsByStatus": {each: statuses.count(each) for each in OUTCOMES},
                "since": clock.written(since),
                "until": clock.written(until),
            }
        )

    def _page(self, request: Request, kept: list[StoredRecord]) -> Response:
        query = listing.Query.of(request, sorts=listing.BY_DATE)
        kind = request.query_params.get("type")
        if kind not in (None, *entry.TYPES):
            raise Invalid(f"type must be one of {', '.join(entry.TYPES)}.")
        records = [entry.shown(each) for each in kept if kind in (None, each.record["type"])]
        return JSONResponse(query.page(records, len(kept), keys=_keys, texts=_texts))

    def _sandbox_name(self, request: Request) -> str:
        sandbox = self._fleet.live(request.path_params["name"])
        if sandbox.row.phase == "DELETING":
            raise NotFound(f"Sandbox {sandbox.name} was deleted.")
        return sandbox.name

    def _schedule(self, request: Request) -> StoredRecord:
        id = request.path_params["schedule"]
        schedule = self._schedules.get(id, self._sandbox_name(request))
        if schedule is None:
            raise NotFound(f"Schedule {id} not found.")
        return schedule


def _executions_page(request: Request, kept: list[StoredRecord]) -> Response:
    query = listing.Query.of(request, sorts=listing.BY_DATE, limit=20)
    since, until = _moment(request, "since", 0.0), _moment(request, "until", time.time())
    wanted = {
        key: request.query_params[parameter]
        for parameter, key in (
            ("status", "status"),
            ("sandbox", "sandbox"),
            ("schedule", "scheduleId"),
        )
        if parameter in request.query_params
    }
    if wanted.get("status", OUTCOMES[0]) not in OUTCOMES:
        raise Invalid(f"status must be one of {', '.join(OUTCOMES)}.")
    records = [_execution(each) for each in kept if since <= each.created_at <= until]
    found = [each for each in records if wanted.items() <= each.items()]
    return JSONResponse(query.page(found, len(kept), keys=_keys, texts=_texts))


def _execution(kept: StoredRecord) -> Record:
    created_at = clock.written(kept.created_at)
    return {"id": kept.id, "sandbox": kept.owner, "createdAt": created_at, **kept.record}


def _moment(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name)
    # An unquoted + of a zone arrives as a space.
    return (
        default
        if text is None
        else clock.moment(fields.read_by(clock.moment, text.replace(" ", "+"), name))
    )


def _keys(record: Record) -> Record:
    return {"name": record["id"], "createdAt": record["createdAt"], "record": record}


def _texts(keys: Record) -> list[str]:
    record: dict[str, Any] = keys["record"]
    found = [record[key] for key in ("id", "sandbox", "value", "scheduleId") if key in record]
    return [*found, record.get("processName", ""), record.get("input", {}).get("command", "")]
