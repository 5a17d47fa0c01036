"""Parts of the streams' descriptions in the API's document: they are no views of Django's."""

from typing import Any

_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}
SESSION: list[dict[str, list[str]]] = [{"cookieAuth": []}]
SESSION_OR_TOKEN: list[dict[str, list[str]]] = [*SESSION, {"personalToken": []}]
TEXT = {"schema": {"type": "string"}}


def answer(description: str, **kinds: Any) -> dict[str, Any]:
    """Describe a response; `kinds` are schemas, by media type."""
    return {"description": description, "content": kinds}


def refusals(reasons: dict[str, str]) -> dict[str, Any]:
    """Describe the errors of a route, by status."""
    return {status: answer(why, **_ERROR) for status, why in reasons.items()}


def event_stream(
    name: str, summary: str, description: str, reasons: dict[str, str], **more: Any
) -> dict[str, Any]:
    """Describe a GET that is answered with server-sent events, for Manta's own pages."""
    return {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": ["live"],
        "security": SESSION,
        "responses": {
            "200": answer("The stream.", **{"text/event-stream": TEXT}),
            **refusals(reasons),
        },
        **more,
    }
