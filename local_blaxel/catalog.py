"""Catalog of what a sandbox can be made from: hub, images with their tags, locations."""

import asyncio
import shutil

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import listing
from local_blaxel.errors import Conflict, Forbidden, NotFound
from local_blaxel.fleet import Fleet
from local_blaxel.hub.images import Image
from local_blaxel.spec import DEFAULT_REGION, REGIONS
from local_blaxel.store import Record

SORTS = ("name:asc", "name:desc")
HERE = {"location": "This machine", "continent": "", "country": ""}
# `auto` leaves the choice to the server, and is no place.
PLACES = tuple(region for region in REGIONS if region != "auto")


class ImageApi:
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._hub = fleet.hub

    async def index_hub(self, request: Request) -> Response:
        return JSONResponse([image.as_hub_entry() for image in self._hub.all()])

    async def index(self, request: Request) -> Response:
        query = listing.Query.of(request, sorts=SORTS)
        images = [_summary(image) for image in self._hub.all()]
        return JSONResponse(query.page(images, len(images)))

    async def get(self, request: Request) -> Response:
        image = self._image(request)
        summary = _summary(image)
        # The documented record has the tags; the SDK reads their number.
        return JSONResponse({**summary, "spec": {**summary["spec"], "tags": [_tag(image)]}})

    async def tags(self, request: Request) -> Response:
        query = listing.Query.of(request, sorts=SORTS)
        tags = [_tag(self._image(request))]
        found = [tag for tag in tags if _is_named(request, tag["name"])]
        return JSONResponse(query.page(found, len(tags), keys=listing.flat))

    async def delete(self, request: Request) -> Response:
        return await self._delete(self._image(request))

    async def delete_tag(self, request: Request) -> Response:
        """The image goes with its only tag."""
        image, tag = self._image(request), request.path_params["tag"]
        if tag != _tag(image)["name"]:
            raise NotFound(f"Image {_name(image)} has no tag {tag}.")
        return await self._delete(image)

    async def _delete(self, image: Image) -> Response:
        if image.root is None:
            raise Forbidden(f"Image {_name(image)} is part of local_blaxel and can't be deleted.")
        if (user := self._fleet.user_of(image)) is not None:
            raise Conflict(f"Image {_name(image)} is used by sandbox {user.name}.")
        shown = _summary(image)
        shown["metadata"]["status"] = "DELETING"
        withdrawn = self._hub.withdraw(image)
        await asyncio.to_thread(shutil.rmtree, withdrawn)
        return JSONResponse(shown)

    def _image(self, request: Request) -> Image:
        name = request.path_params["image"]
        image = self._hub.find(name)
        if request.path_params["kind"] != "sandbox" or image is None:
            raise NotFound(f"Image {name} not found.")
        return image


async def list_locations(request: Request) -> Response:
    """Every region that a create may name; all of them are this machine."""
    places = [{"region": name, "status": "healthy", "flavors": [], **HERE} for name in PLACES]
    return JSONResponse(places)


async def get_configuration(request: Request) -> Response:
    lacks = dict.fromkeys(("drivesAvailable", "egressAvailable", "proxyAvailable"), False)
    regions = [{"name": name, **HERE, **lacks} for name in PLACES]
    empty: Record = {"continents": [], "countries": [], "privateLocations": []}
    return JSONResponse({"regions": regions, "detectedRegion": DEFAULT_REGION, **empty})


async def list_features(request: Request) -> Response:
    """Return no features: none is switched on."""
    return JSONResponse({"features": {}})


def _name(image: Image) -> str:
    return image.reference.rpartition(":")[0]


def _tag(image: Image) -> Record:
    return {"name": image.reference.rpartition(":")[2], "size": 0}


def _is_named(request: Request, name: str) -> bool:
    return request.query_params.get("name", name) == name


def _summary(image: Image) -> Record:
    metadata = {
        "name": _name(image),
        "displayName": image.display_name,
        "resourceType": "sandbox",
        "status": "BUILT",
    }
    return {"metadata": metadata, "spec": {"size": 0, "tagCount": 1}}
