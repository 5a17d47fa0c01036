"""What a sandbox can be made from, and where: hub, images, locations. All of it read-only."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_blaxel import hub
from local_blaxel.errors import NotFound
from local_blaxel.spec import DEFAULT_REGION
from local_blaxel.store import Record


async def list_hub(request: Request) -> Response:
    return JSONResponse([image.as_hub_entry() for image in hub.all()])


async def list_images(request: Request) -> Response:
    images = [_summary(image) for image in hub.all()]
    meta = {"hasMore": False, "nextCursor": "", "total": len(images), "totalIsPartial": False}
    return JSONResponse({"data": images, "meta": meta})


async def get_image(request: Request) -> Response:
    name = request.path_params["image"]
    image = hub.find(name)
    if request.path_params["kind"] != "sandbox" or image is None:
        raise NotFound(f"Image {name} not found.")
    return JSONResponse(_summary(image))


async def list_locations(request: Request) -> Response:
    here = {"region": DEFAULT_REGION, "location": "This machine", "status": "healthy"}
    return JSONResponse([here])


def _summary(image: hub.Image) -> Record:
    metadata = {"name": f"blaxel/{image.name}", "resourceType": "sandbox", "status": "BUILT"}
    return {"metadata": metadata, "spec": {"size": 0, "tagCount": 1}}
