"""`GET /openapi.json`: both planes, described by hand in the files beside this one.

Each file describes what lies below its `prefix`; `tests/local_blaxel/test_openapi.py` compares all
of it with the route tables, and sends what it allows, and what it doesn't, to a real server.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

HEAD = "document.yaml"
FOLDER = Path(__file__).parent


async def get(request: Request) -> Response:
    return JSONResponse(document())


@cache
def document() -> dict[str, Any]:
    """The whole description, put together."""
    whole: dict[str, Any] = {**_read(FOLDER / HEAD), "paths": {}}
    for path in sorted(FOLDER.glob("*.yaml")):
        if path.name != HEAD:
            _add(whole, _read(path))
    return whole


def _read(path: Path) -> dict[str, Any]:
    part: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return part


def _add(whole: dict[str, Any], part: dict[str, Any]) -> None:
    shared = part.get("parameters", [])
    for path, item in part["paths"].items():
        parameters = [*shared, *item.get("parameters", [])]
        whole["paths"][part["prefix"] + path] = {**item, "parameters": parameters}
    for kind, components in part.get("components", {}).items():
        whole["components"][kind].update(components)
