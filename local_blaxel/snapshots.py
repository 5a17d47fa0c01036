"""The control plane's snapshots and forks: of the files in /blaxel, not of memory."""

import secrets
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import clock, fields, forks, listing
from local_blaxel.errors import Conflict, Invalid, NotDeployed, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.launcher import Launcher, LaunchError
from local_blaxel.presentation import Presenter
from local_blaxel.record_store import StoredRecord
from local_blaxel.sandbox import Sandbox
from local_blaxel.store import Record, Store


class SnapshotApi:
    def __init__(
        self, fleet: Fleet, store: Store, launcher: Launcher, presenter: Presenter
    ) -> None:
        self._fleet = fleet
        self._snapshots = store.snapshots
        self._folders = launcher.snapshots
        self._workspace = presenter.workspace

    async def index(self, request: Request) -> Response:
        sandbox = self._fleet.live(request.path_params["name"])
        return JSONResponse([self._shown(kept) for kept in self._of(sandbox.name)])

    async def index_all(self, request: Request) -> Response:
        query = listing.Query.of(request)
        records = [self._shown(kept) for kept in self._snapshots.all()]
        return JSONResponse(query.page(records, len(records), keys=listing.flat))

    async def create(self, request: Request) -> Response:
        body = await fields.body(request)
        return await self._create(request.path_params["name"], body.get("name"))

    async def create_from(self, request: Request) -> Response:
        """A snapshot of the sandbox that the body names."""
        body = await fields.body(request)
        source = fields.an_object(body.get("source"), "source")
        if source.get("kind", "sandbox") != "sandbox":
            raise Invalid("source.kind must be sandbox.")
        return await self._create(
            fields.a_string(source.get("name"), "source.name"), body.get("name")
        )

    async def _create(self, sandbox_name: str, wanted: object) -> Response:
        sandbox = self._fleet.live(sandbox_name)
        id = f"snap-{secrets.token_hex(8)}"
        name = fields.a_string(wanted or id, "name", longest=63)
        if any(kept.record["name"] == name for kept in self._of(sandbox_name)):
            raise Conflict(f"Snapshot {name} of sandbox {sandbox_name} already exists.")
        await self._keep(id, sandbox)
        record = {"name": name, "sandbox": sandbox_name, "of": sandbox.row.record}
        snapshot = StoredRecord(id, record, time.time())
        self._snapshots.put(snapshot)
        return JSONResponse(self._shown(snapshot))

    async def _keep(self, id: str, sandbox: Sandbox) -> None:
        async with sandbox.still() as home:
            try:
                await self._folders.keep(id, home)
            except LaunchError as exc:
                raise NotDeployed(f"Sandbox {sandbox.name}: {exc}", code="FORK_FAILED") from exc

    async def get(self, request: Request) -> Response:
        return JSONResponse(self._shown(self._snapshot(request)))

    async def delete(self, request: Request) -> Response:
        snapshot = self._snapshot(request)
        self._snapshots.forget(snapshot)
        await self._folders.remove(snapshot.id)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        snapshot = self._snapshot(request)
        sandbox = self._fleet.live(request.path_params["name"])
        await sandbox.restore(
            self._folders.path(snapshot.id), f"Restored {snapshot.record['name']}"
        )
        return JSONResponse({"name": sandbox.name, "snapshotId": snapshot.id})

    async def fork(self, request: Request) -> Response:
        """Fork a live sandbox as it is now, or one of the snapshots."""
        body = await fields.body(request)
        source = self._fleet.live(request.path_params["name"])
        if body.get("snapshotId"):
            return await self._fork(self._find(str(body["snapshotId"]), source.name), body)
        record = forks.record(source.row.record, body)
        self._fleet.refuse_taken(record["metadata"]["name"])
        origin = forks.temporary_id("fork")
        await self._keep(origin, source)
        try:
            await self._fleet.create(record, reuse=False, timeout=None, origin=origin)
        finally:
            await self._folders.remove(origin)
        return JSONResponse({"name": record["metadata"]["name"], "type": "sandbox"})

    async def fork_snapshot(self, request: Request) -> Response:
        return await self._fork(self._snapshot(request), await fields.body(request))

    async def _fork(self, snapshot: StoredRecord, body: Record) -> Response:
        record = forks.record(snapshot.record["of"], body)
        await self._fleet.create(record, reuse=False, timeout=None, origin=snapshot.id)
        name = record["metadata"]["name"]
        return JSONResponse({"name": name, "snapshotId": snapshot.id, "type": "sandbox"})

    def _of(self, sandbox: str) -> list[StoredRecord]:
        return [kept for kept in self._snapshots.all() if kept.record["sandbox"] == sandbox]

    def _snapshot(self, request: Request) -> StoredRecord:
        return self._find(request.path_params["snapshot"], request.path_params.get("name"))

    def _find(self, wanted: str, sandbox: str | None) -> StoredRecord:
        """Find a snapshot by id; among those of a sandbox by name, too."""
        for kept in self._snapshots.all() if sandbox is None else self._of(sandbox):
            if kept.id == wanted or (sandbox is not None and kept.record["name"] == wanted):
                return kept
        raise NotFound(f"Snapshot {wanted} not found.")

    def _shown(self, snapshot: StoredRecord) -> Record:
        source = snapshot.record["sandbox"]
        spec = snapshot.record["of"]["spec"]
        return {
            "id": snapshot.id,
            "name": snapshot.record["name"],
            "status": "READY",
            "workspace": self._workspace,
            "createdAt": clock.written(snapshot.created_at),
            "sandboxName": source,
            "source": {
                "kind": "sandbox",
                "name": source,
                "deleted": source not in self._fleet.sandboxes,
            },
            "spec": {
                "image": spec["runtime"]["image"],
                "memory": spec["runtime"]["memory"],
                "ports": spec["runtime"].get("ports", []),
                "region": spec["region"],
                "volumes": spec.get("volumes", []),
            },
        }
