"""Description of the transfers in the API's document."""

from typing import Any

from sandboxes.streams.openapi import SESSION_OR_TOKEN, answer, refusals
from sandboxes.streams.paths import FILE_CONTENT, FOLDER_ARCHIVE

_PATH = {
    "name": "path",
    "in": "query",
    "required": True,
    "schema": {"type": "string"},
    "description": "Absolute. %-encode it, with all that is in names.",
}
_OVERWRITE = {"name": "overwrite", "in": "query", "schema": {"type": "boolean", "default": False}}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_SIZE = {"schema": {"type": "object", "properties": {"size": {"type": "integer"}}}}


def describe(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    result["paths"][FILE_CONTENT] = {
        "get": _operation(
            "files_download",
            "Download a file of any size",
            "Always an attachment. Range is understood. Needs the scope `files:read`.",
            {"200": answer("The file.", **{"application/octet-stream": _BYTES})},
        ),
        "head": _operation(
            "files_look",
            "Look whether there is a file, and how large it is",
            "Answered as a download is, without the file. Needs the scope `files:read`.",
            {"200": {"description": "It is there."}},
        ),
        "put": _operation(
            "files_upload",
            "Upload a file of any size, with the folders above it",
            "The body is the file as it is. Until all of it is there, nothing is at the path. "
            "Needs the scope `files:write`.",
            {"201": answer("It is there.", **{"application/json": _SIZE})},
            parameters=[_PATH, _OVERWRITE],
            requestBody={"content": {"application/octet-stream": _BYTES}, "required": True},
        ),
    }
    result["paths"][FOLDER_ARCHIVE] = {
        "get": _operation(
            "files_archive",
            "Download a folder as .tar.gz",
            "Made while it is sent, with links as links. What could not be read is listed in a "
            "text of its own. Needs the scope `files:read`.",
            {"200": answer("The archive.", **{"application/gzip": _BYTES})},
        )
    }
    return result


def _operation(
    name: str, summary: str, description: str, answers: dict[str, Any], **more: Any
) -> dict[str, Any]:
    statuses = (400, 401, 403, 404, 409, 410, 429, 503)
    refused = refusals({str(status): "Why not." for status in statuses})
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": ["files"],
        "parameters": [_PATH],
        "security": SESSION_OR_TOKEN,
        "responses": answers | refused,
        **more,
    }
