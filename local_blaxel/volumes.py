"""The control plane's volumes: folders that outlive the sandboxes they are attached to."""

import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import clock, fields, listing, mounts, spec
from local_blaxel.errors import Conflict, Invalid, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.launcher import Launcher
from local_blaxel.presentation import Presenter
from local_blaxel.record_store import StoredRecord
from local_blaxel.store import Record, Store

DEFAULT_MB = 1024


class VolumeApi:
    def __init__(
        self, fleet: Fleet, store: Store, launcher: Launcher, presenter: Presenter
    ) -> None:
        self._fleet = fleet
        self._volumes = store.volumes
        self._folders = launcher.volumes
        self._workspace = presenter.workspace

    async def index(self, request: Request) -> Response:
        query = listing.Query.of(request)
        records = [self._shown(kept) for kept in self._volumes.all()]
        asked = request.query_params
        found = [
            record
            for record in records
            if asked.get("externalId") in (None, record["metadata"].get("externalId"))
            and asked.get("status", "DEPLOYED").upper() == record["status"]
        ]
        page = query.page(found, len(records))
        paged = request.headers.get("blaxel-version", "") >= listing.PAGED_SINCE
        return JSONResponse(page if paged else page["data"])

    async def create(self, request: Request) -> Response:
        record = _read(await fields.body(request))
        name = record["metadata"].setdefault("name", f"volume-{secrets.token_hex(4)}")
        if self._volumes.get(name) is not None:
            raise Conflict(f"Volume {name} already exists.", code="VOLUME_ALREADY_EXISTS")
        now = time.time()
        record["folder"] = secrets.token_hex(8)
        record["metadata"]["updatedAt"] = clock.written(now)
        volume = StoredRecord(name, record, now)
        self._folders.make(record["folder"])
        self._volumes.put(volume)
        return JSONResponse(self._shown(volume))

    async def get(self, request: Request) -> Response:
        return JSONResponse(self._shown(self._volume(request)))

    async def get_by_external_id(self, request: Request) -> Response:
        wanted = request.path_params["external_id"]
        for kept in reversed(self._volumes.all()):
            if kept.record["metadata"].get("externalId") == wanted:
                return JSONResponse(self._shown(kept))
        raise NotFound(f"No volume has the external id {wanted}.")

    async def update(self, request: Request) -> Response:
        body = await fields.body(request)
        volume = self._volume(request)
        old = volume.record
        wanted = _read(body, old)
        for field in ("region", "template"):
            if wanted["spec"].get(field, "") != old["spec"].get(field, ""):
                raise Invalid(f"spec.{field} can't be changed.")
        if wanted["metadata"].get("name") != volume.id:
            raise Invalid("metadata.name can't be changed.")
        if wanted["spec"]["size"] < old["spec"]["size"]:
            raise Invalid(f"spec.size can't shrink: it is {old['spec']['size']} MB.")
        wanted["metadata"]["updatedAt"] = clock.written(time.time())
        volume.record = {**wanted, "folder": old["folder"]}
        self._volumes.put(volume)
        if (holder := self._fleet.holder_of(volume.id)) is not None:
            await holder.limit_disks()
        return JSONResponse(self._shown(volume))

    async def delete(self, request: Request) -> Response:
        volume = self._volume(request)
        if (holder := self._fleet.holder_of(volume.id)) is not None:
            raise Conflict(
                f"Volume {volume.id} is attached to sandbox {holder.name}.",
                code="VOLUME_ALREADY_ATTACHED",
            )
        self._volumes.forget(volume)
        shown = self._shown(volume)
        await self._folders.remove(volume.record["folder"])
        return JSONResponse({**shown, "status": "DELETING"})

    def _volume(self, request: Request) -> StoredRecord:
        name = request.path_params["volume"]
        volume = self._volumes.get(name)
        if volume is None:
            raise NotFound(f"Volume {name} not found.", code="VOLUME_NOT_FOUND")
        return volume

    def _shown(self, volume: StoredRecord) -> Record:
        holder = self._fleet.holder_of(volume.id)
        return {
            "metadata": {
                **volume.record["metadata"],
                "workspace": self._workspace,
                "createdAt": clock.written(volume.created_at),
            },
            "spec": volume.record["spec"],
            "state": {"attachedTo": f"sandbox:{holder.name}"} if holder else {},
            "status": "DEPLOYED",
            "events": [],
        }


def _read(body: dict[str, Any], old: Record | None = None) -> Record:
    """The checked `metadata` and `spec`; what an update does not send stays as it was."""
    kept = old or {"metadata": {}, "spec": {"size": DEFAULT_MB, "region": spec.DEFAULT_REGION}}
    sent = fields.maybe_object(body.get("spec"), "spec")
    wanted = {**kept["spec"], **{key: value for key, value in sent.items() if value is not None}}
    fields.a_number(wanted["size"], "spec.size", 1, mounts.LARGEST_MB)
    if wanted["region"] not in spec.REGIONS:
        raise Invalid(f"spec.region must be one of {', '.join(spec.REGIONS)}.")
    if fields.a_string(wanted.get("template", ""), "spec.template"):
        raise Invalid("spec.template: local_blaxel has no volume templates.")
    metadata = fields.maybe_object(body.get("metadata"), "metadata")
    return {"metadata": spec.metadata({**kept["metadata"], **metadata}), "spec": wanted}
