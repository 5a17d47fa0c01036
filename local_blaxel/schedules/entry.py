"""One schedule: what a caller may ask for, and when it is due."""

import re
import secrets
from typing import Any

from local_blaxel import clock, fields, spec
from local_blaxel.errors import Invalid
from local_blaxel.record_store import StoredRecord
from local_blaxel.schedules.cron import Cron
from local_blaxel.store import Record

TYPES = ("cron", "at", "sleep")
DEFAULT_TIMEOUT = 600
KEPT_EXECUTIONS = 100

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def read(body: dict[str, Any], now: float, old: Record | None = None) -> tuple[Record, float]:
    """The checked schedule and when it is due first; a mask stands for what `old` has."""
    kind, value = body.get("type"), body.get("value")
    if kind not in TYPES:
        raise Invalid(f"type must be one of {', '.join(TYPES)}.")
    due_at = _due_at(str(kind), fields.a_string(value, "value", longest=128), now)
    if kind == "sleep":
        kind, value = "at", clock.written(due_at)
    kept = body.get("maxExecutions")
    record = {
        "type": kind,
        "value": value,
        "input": _input(fields.an_object(body.get("input"), "input"), old),
        "maxExecutions": KEPT_EXECUTIONS
        if kept is None
        else fields.a_number(kept, "maxExecutions", 1, 1000),
    }
    return record, due_at


def read_id(sent: Any) -> str:
    """The id a caller wants, or a new one."""
    if not sent:
        return f"schedule-{secrets.token_hex(6)}"
    if not _ID.fullmatch(fields.a_string(sent, "id")):
        raise Invalid("id must be at most 63 letters, digits, dots, hyphens and underscores.")
    return str(sent)


def shown(kept: StoredRecord, *, with_secrets: bool = False) -> Record:
    record = {
        "id": kept.id,
        "sandbox": kept.owner,
        "createdAt": clock.written(kept.created_at),
        **kept.record,
    }
    env = kept.record["input"].get("env")
    if env and not with_secrets:
        record["input"] = {**record["input"], "env": dict.fromkeys(env, spec.MASK)}
    return record


def next_after(record: Record, now: float) -> float | None:
    """Return when it is due again, or None if it happens once."""
    return Cron.parse(record["value"]).after(now) if record["type"] == "cron" else None


def _due_at(kind: str, value: str, now: float) -> float:
    try:
        match kind:
            case "cron":
                return Cron.parse(value).after(now)
            case "at":
                return clock.moment(value)
            case _:
                return now + clock.duration(value)
    except ValueError as exc:
        raise Invalid(f"value: {exc}.") from exc


def _input(sent: dict[str, Any], old: Record | None) -> Record:
    kept = {key: value for key, value in sent.items() if value is not None}
    if not fields.a_string(kept.get("command"), "input.command", longest=131_072).strip():
        raise Invalid("input.command must not be empty.")
    for key in ("name", "workingDir"):
        fields.a_string(kept.get(key, ""), f"input.{key}")
    fields.a_flag(kept.setdefault("keepAlive", True), "input.keepAlive")
    kept.setdefault("timeout", DEFAULT_TIMEOUT)
    fields.a_number(kept["timeout"], "input.timeout", 0, 7 * 86_400)
    env = fields.a_string_map(kept.get("env", {}), "input.env")
    known = (old or {}).get("input", {}).get("env", {})
    for name, value in env.items():
        if value == spec.MASK and name not in known:
            raise Invalid(f"input.env.{name} is masked: send the value itself.")
    kept["env"] = {k: known[k] if v == spec.MASK else v for k, v in env.items()}
    return kept
