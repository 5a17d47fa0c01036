"""Listening ports of a sandbox, and its previews."""

from manta.core import request_context
from sandboxes.data_plane.bounded import PLAIN, SandboxClient
from sandboxes.data_plane.client import (
    LONG_TIMEOUT,
    client,
    is_from_gateway,
    refuse_failures,
    translated,
)
from sandboxes.models.reach import Reach


def port_answers(reach: Reach, port: int) -> bool:
    """Return whether something listens on the port inside the sandbox."""
    where = reach.at(f"/port/{port}/").as_request()
    with translated(), client().stream("GET", **where, timeout=LONG_TIMEOUT) as response:
        if response.status_code == 404:
            refuse_failures(response)
        return response.status_code not in (502, 503, 504)


def preview_answers(address: str, token: str) -> bool:
    """Return whether a private preview answers with the token, or with none if it is "".

    Asked without Manta's own key, as a visitor does.
    """
    headers = {"X-Blaxel-Preview-Token": token} if token else {}
    asked = headers | request_context.headers() | PLAIN
    with (
        translated(),
        SandboxClient(timeout=LONG_TIMEOUT) as visitor,
        visitor.stream("GET", address, headers=asked) as response,
    ):
        if response.status_code in (401, 403, 502, 503, 504):
            return False
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return not (is_json and is_from_gateway(response))
