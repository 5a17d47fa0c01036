"""The files API, as tests ask it."""

from typing import Any


def saved(api: Any, path: str, content: str = "", version: str | None = None) -> str:
    """Save a text; return its version."""
    response = api("put", "", {"path": path, "content": content, "version": version})
    assert response.status_code == 200, response.text
    return response.json()["version"]


def entries(api: Any, path: str = "/blaxel") -> dict[str, Any]:
    """List a folder, by name."""
    response = api("get", path=path)
    assert response.status_code == 200, response.text
    return {entry["name"]: entry for entry in response.json()["entries"]}


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]
