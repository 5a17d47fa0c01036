"""The comparison at the end: rows, sandboxes and files."""

import json
from collections import Counter
from typing import Any

from chaos.journal import Mismatch
from chaos.people import Crowd
from tests.support.manta_process import Parts
from tests.support.waiting import wait_until

_TIMEOUT = 150.0


def compare(parts: Parts, crowd: Crowd) -> Counter[str]:
    """Raise Mismatch for the first thing that doesn't agree; returns what was compared."""
    try:
        wait_until(lambda: not [row for row in rows(parts) if _is_unsettled(row)], _TIMEOUT)
    except AssertionError as exc:
        raise Mismatch(f"rows that do not settle: {rows(parts)}") from exc
    # The worker lists the provider every 30 s if no page is open: until then a state may be old.
    found = rows(parts)
    sandboxes = {record["metadata"]["name"]: record for record in parts.blaxel.records()}
    for row in found:
        _compare_row(row, sandboxes.get(row["name"]))
    orphans = sandboxes.keys() - {row["name"] for row in found}
    if orphans:
        raise Mismatch(f"sandboxes without a row: {sorted(orphans)}")
    missing = {person.name for person in crowd.people} - {row["name"] for row in found}
    if missing:
        raise Mismatch(f"people without a row: {sorted(missing)}")
    files = sum(person.files.check() for person in crowd.people)
    return Counter(rows=len(found), sandboxes=len(sandboxes), files=files)


def rows(parts: Parts) -> list[dict[str, Any]]:
    dumped = json.loads(parts.manage("dumpdata", "sandboxes.sandbox"))
    return [item["fields"] for item in dumped]


def _is_unsettled(row: dict[str, Any]) -> bool:
    return row["phase"] in ("pending", "deleting") or row["restart_wanted_at"] is not None


def _compare_row(row: dict[str, Any], record: dict[str, Any] | None) -> None:
    name = row["name"]
    if row["phase"] != "ready":
        raise Mismatch(f"{name} is {row['phase']}: {row['error_code']} {row['error_message']}")
    if record is None:
        raise Mismatch(f"{name} has a row and no sandbox")
    if record["status"] != "DEPLOYED":
        raise Mismatch(f"{name} is {record['status']} at the provider")
    label = record["metadata"]["labels"].get("manta-owner")
    if label != str(row["owner"]):
        raise Mismatch(f"{name} belongs to {row['owner']}, and is labelled {label}")
    if record["metadata"]["url"] != row["url"]:
        raise Mismatch(f"{name}: its row says {row['url']}, the provider {record['metadata']}")
