"""Sandboxes, previews and tokens as the API shows them."""

import time
from copy import deepcopy
from dataclasses import dataclass

from local_blaxel import clock, spec
from local_blaxel.sandbox import Sandbox
from local_blaxel.store import PreviewRow, Record, SandboxRow, TokenRow


@dataclass(frozen=True)
class Presenter:
    """Knows the addresses, which depend on where this server listens."""

    base_url: str
    workspace: str

    def created(self, sandbox: Sandbox) -> Record:
        """Show a sandbox to its creator, with the routing secrets that were sent."""
        return {**self.sandbox(sandbox), "spec": _masked(sandbox.row.record)["spec"]}

    def sandbox(self, sandbox: Sandbox, *, secrets: bool = False) -> Record:
        shown = self.row(sandbox.row, ends_at=sandbox.ends_at, secrets=secrets)
        if sandbox.row.phase == "DEPLOYED":
            # Absent otherwise: the SDK refuses a null.
            shown["state"] = sandbox.state
        return shown

    def row(
        self, row: SandboxRow, *, ends_at: float | None = None, secrets: bool = False
    ) -> Record:
        record = deepcopy(row.record) if secrets else _masked(row.record)
        for rule in spec.routing(record):
            rule.pop("secrets", None)
        shown = {
            "metadata": {
                **record["metadata"],
                "workspace": self.workspace,
                "url": f"{self.base_url}/{self.workspace}/sandboxes/{row.name}",
                "createdAt": clock.written(row.created_at),
            },
            "spec": record["spec"],
            "status": row.phase,
            "events": row.events,
            "errors": [],
            "lastUsedAt": clock.written(row.used_at),
        }
        if row.archive is not None:
            shown["archive"] = row.archive
        if ends_at is not None and row.ended_at is None:
            shown["expiresIn"] = max(0, round(ends_at - time.time()))
        return shown

    def preview(self, row: PreviewRow) -> Record:
        return {
            "metadata": {
                **row.record["metadata"],
                "name": row.name,
                "resourceName": row.sandbox,
                "resourceType": "sandbox",
                "workspace": self.workspace,
                "createdAt": clock.written(row.created_at),
            },
            "spec": {**row.record["spec"], "url": f"{self.base_url}/preview/{row.id}"},
            "status": "DEPLOYED",
            "events": [],
        }

    def token(self, row: TokenRow, preview: PreviewRow) -> Record:
        return {
            "metadata": {
                "name": row.name,
                "previewName": preview.name,
                "resourceName": preview.sandbox,
                "resourceType": "sandbox",
                "workspace": self.workspace,
            },
            "spec": {
                "token": row.value,
                "expired": row.expires_at <= time.time(),
                # +00:00 and not Z: `datetime.fromisoformat` of Python 3.10 refuses Z.
                "expiresAt": clock.written(row.expires_at).replace("Z", "+00:00"),
            },
        }


def _masked(record: Record) -> Record:
    record = deepcopy(record)
    for env in record["spec"]["runtime"].get("envs", []):
        if env.get("secret"):
            env["value"] = spec.MASK
    return record
