"""Routes for what can't be done on one machine; each answers why, as a control plane error."""

from starlette.requests import Request
from starlette.responses import Response

from local_blaxel.errors import NotSupported

# By the part of the path after /v0.
REASONS = {
    "drives": "Agent Drive is a network file system of the cloud. A volume keeps files here.",
    "volume_templates": "There are no volume templates here. Copy files into a volume.",
    "vpcs": "Private networks and WireGuard need the cloud's network.",
    "egressgateways": "A dedicated outgoing address needs the cloud's network.",
    "egressips": "A dedicated outgoing address needs the cloud's network.",
    "publicIps": "Everything here is on loopback.",
    "customdomains": "Everything here is on loopback. Previews have their own host names.",
    "secrets": "There is no secret store here. Give a sandbox envs with `secret: true`.",
    "workspaces": "There is one workspace, and one key for it.",
}


async def refuse(request: Request) -> Response:
    raise NotSupported(REASONS[request.url.path.split("/")[2]])
