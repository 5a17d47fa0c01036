"""The control plane's sandboxes: `/v0/sandboxes`. Reading here never wakes a sandbox."""

import secrets
import string

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import fields, listing, spec
from local_blaxel.errors import Invalid, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.hub.images import Hub
from local_blaxel.presentation import Presenter
from local_blaxel.store import Record

MAX_CREATION = 50


class SandboxApi:
    def __init__(self, fleet: Fleet, presenter: Presenter) -> None:
        self._fleet = fleet
        self._presenter = presenter

    async def create(self, request: Request) -> Response:
        record = spec.read(await fields.body(request))
        record["metadata"].setdefault("name", _invented_name())
        _check_image(record, self._fleet.hub)
        sandbox = await self._fleet.create(
            record,
            reuse=fields.a_query_flag(request, "createIfNotExist"),
            timeout=_creation_timeout(request),
        )
        # One that was there already shows its secrets only to a client that sends the same.
        is_as_sent = sandbox.row.record["spec"] == record["spec"]
        show = self._presenter.created if is_as_sent else self._presenter.sandbox
        return JSONResponse(show(sandbox))

    async def index(self, request: Request) -> Response:
        query, statuses = listing.Query.of(request), listing.statuses(request)
        records = [self._presenter.sandbox(each) for each in self._fleet.sandboxes.values()]
        total = len(records)
        records += [self._presenter.row(row) for row in self._fleet.tombstones.all()]
        records = [record for record in records if record["status"] in statuses]
        if external_id := request.query_params.get("externalId"):
            records = [r for r in records if r["metadata"].get("externalId") == external_id]
        page = query.page(records, total)
        paged = request.headers.get("blaxel-version", "") >= listing.PAGED_SINCE
        return JSONResponse(page if paged else page["data"])

    async def get(self, request: Request) -> Response:
        name = request.path_params["name"]
        secrets_shown = fields.a_query_flag(request, "show_secrets")
        if name in self._fleet.sandboxes:
            sandbox = self._fleet.live(name)
            return JSONResponse(self._presenter.sandbox(sandbox, secrets=secrets_shown))
        row = self._fleet.tombstones.get(name)
        if row is None:
            raise NotFound(f"Sandbox {name} not found.")
        return JSONResponse(self._presenter.row(row, secrets=secrets_shown))

    async def get_by_external_id(self, request: Request) -> Response:
        wanted = request.path_params["external_id"]
        sandbox = self._fleet.by_external_id(wanted)
        if sandbox is None:
            raise NotFound(f"No sandbox has the external id {wanted}.")
        secrets_shown = fields.a_query_flag(request, "show_secrets")
        return JSONResponse(self._presenter.sandbox(sandbox, secrets=secrets_shown))

    async def update(self, request: Request) -> Response:
        body = await fields.body(request)
        sandbox = await self._fleet.update(request.path_params["name"], body)
        return JSONResponse(self._presenter.sandbox(sandbox))

    async def archive(self, request: Request) -> Response:
        return JSONResponse(
            self._presenter.sandbox(self._fleet.archive(request.path_params["name"]))
        )

    async def unarchive(self, request: Request) -> Response:
        sandbox = self._fleet.unarchive(request.path_params["name"])
        return JSONResponse(self._presenter.sandbox(sandbox))

    async def delete(self, request: Request) -> Response:
        sandbox = self._fleet.delete(request.path_params["name"])
        return JSONResponse(self._presenter.sandbox(sandbox))


def _invented_name() -> str:
    alphabet = string.ascii_lowercase + string.digits
    return "sandbox-" + "".join(secrets.choice(alphabet) for _ in range(10))


def _check_image(record: Record, hub: Hub) -> None:
    image = record["spec"]["runtime"]["image"]
    if hub.find(image) is None:
        supported = [each.reference for each in hub.all()]
        raise Invalid(
            f"Sandbox image {image} is not supported. Supported: {', '.join(supported)}.",
            code="IMAGE_NOT_FOUND",
            requested_image=image,
            supported_images=supported,
        )


def _creation_timeout(request: Request) -> float | None:
    text = request.headers.get("x-blaxel-creation-timeout")
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 2 or not 1 <= int(text) <= MAX_CREATION:
        raise Invalid(f"X-Blaxel-Creation-Timeout must be whole seconds from 1 to {MAX_CREATION}.")
    return int(text)
