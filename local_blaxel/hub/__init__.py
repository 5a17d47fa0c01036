"""The images on offer: what ``GET /sandbox/hub`` lists and a create may name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SANDBOX_API = {"name": "sandbox-api", "target": 8080, "protocol": "HTTP"}


@dataclass(frozen=True)
class Image:
    name: str
    display_name: str
    description: str
    memory_mb: int = 4096
    ports: tuple[dict[str, Any], ...] = (SANDBOX_API,)
    is_hidden: bool = False

    @property
    def reference(self) -> str:
        return f"blaxel/{self.name}:latest"

    def as_hub_entry(self) -> dict[str, Any]:
        """As Blaxel's hub describes an image."""
        return {
            "name": self.name,
            "displayName": self.display_name,
            "description": self.description,
            "longDescription": self.description,
            "categories": [],
            "icon": "",
            "iconLight": "",
            "iconDark": "",
            "url": "",
            "image": self.reference,
            "memory": self.memory_mb,
            "ports": [dict(port) for port in self.ports],
            "tags": [],
            "hidden": self.is_hidden,
            "enterprise": False,
            "coming_soon": False,
            "creationOptions": {},
        }


IMAGES = (
    Image(
        name="base-image",
        display_name="Base Image",
        description="bash, coreutils and Python with pip; git, node and npm where this machine "
        "has them.",
    ),
    Image(
        name="prod-base",
        display_name="Production Base",
        description="The base image under the name that production sandboxes use.",
    ),
)


def find(image: str) -> Image | None:
    """The image that a create names, with or without its tag; None when it is not offered."""
    reference = image if ":" in image else f"{image}:latest"
    return next((offered for offered in IMAGES if offered.reference == reference), None)


def all() -> list[Image]:
    return list(IMAGES)
