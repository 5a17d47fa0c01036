"""What a sandbox can be made from, and where: hub, images with their tags, locations."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import listing
from local_blaxel.errors import Forbidden, NotFound
from local_blaxel.hub import Hub, Image
from local_blaxel.spec import DEFAULT_REGION, REGIONS
from local_blaxel.store import Record

SORTS = ("name:asc", "name:desc")
HERE = {"location": "This machine", "continent": "", "country": ""}
# `auto` leaves the choice to the server, and is no place.
PLACES = tuple(region for region in REGIONS if region != "auto")


async def list_hub(request: Request) -> Response:
    return JSONResponse([image.as_hub_entry() for image in _hub(request).all()])


async def list_images(request: Request) -> Response:
    query = listing.Query.of(request, sorts=SORTS)
    images = [_summary(image) for image in _hub(request).all()]
    return JSONResponse(query.page(images, len(images)))


async def get_image(request: Request) -> Response:
    image = _image(request)
    summary = _summary(image)
    # The documented record has the tags; the SDK reads their number.
    return JSONResponse({**summary, "spec": {**summary["spec"], "tags": [_tag(image)]}})


async def list_tags(request: Request) -> Response:
    query = listing.Query.of(request, sorts=SORTS)
    tags = [_tag(_image(request))]
    found = [tag for tag in tags if _is_named(request, tag["name"])]
    return JSONResponse(query.page(found, len(tags), keys=listing.flat))


async def delete_image(request: Request) -> Response:
    name = _name(_image(request))
    raise Forbidden(f"Image {name} is part of local_blaxel and can't be deleted.")


async def delete_tag(request: Request) -> Response:
    image, tag = _image(request), request.path_params["tag"]
    if tag != _tag(image)["name"]:
        raise NotFound(f"Image {_name(image)} has no tag {tag}.")
    raise Forbidden(f"Image {_name(image)} is part of local_blaxel: its tags can't be deleted.")


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
    """None is switched on."""
    return JSONResponse({"features": {}})


def _image(request: Request) -> Image:
    name = request.path_params["image"]
    image = _hub(request).find(name)
    if request.path_params["kind"] != "sandbox" or image is None:
        raise NotFound(f"Image {name} not found.")
    return image


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


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
