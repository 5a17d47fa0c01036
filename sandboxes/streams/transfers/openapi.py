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
            "Always an attachment. Range is supported. Needs the scope `files:read`.",
            {"200": answer("The file.", **{"application/octet-stream": _BYTES})},
        ),
        "head": _operation(
            "files_look",
            "Check whether a file exists, and its size",
            "Answers like a download, without the file. Needs the scope `files:read`.",
            {"200": {"description": "It is there."}},
        ),
        "put": _operation(
            "files_upload",
            "Upload a file of any size, with its parent folders",
            "The body is the content of the file. The file appears at the path once the upload "
            "is complete. "
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
            "Created while it is sent, with links kept as links. Files that could not be read are "
            "listed in a text file inside it. Needs the scope `files:read`.",
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
