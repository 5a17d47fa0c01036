"""What listens in a sandbox, and its previews."""

import httpx

from manta import request_id
from sandboxes import errors
from sandboxes.dataplane.client import TIMEOUT, client, is_from_gateway, translated


def port_answers(url: str, port: int) -> bool:
    """Whether something listens on the port inside the sandbox."""
    with translated(), client().stream("GET", f"{url}/port/{port}/") as response:
        if response.status_code == 404 and is_from_gateway(response):
            raise errors.SandboxGone("Your sandbox is no longer there. Recreate it in the panel.")
        return response.status_code not in (502, 503, 504)


def preview_answers(address: str, token: str) -> bool:
    """Whether a private preview lets in who has the token ("" for none), to a server that answers.

    Asked without Manta's own key, as a visitor does.
    """
    headers = {"X-Blaxel-Preview-Token": token} if token else {}
    with translated():
        response = httpx.get(address, headers=headers | request_id.headers(), timeout=TIMEOUT)
    refused = response.status_code in (401, 403, 502, 503, 504)
    return not (refused or is_from_gateway(response))
