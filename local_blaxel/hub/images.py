"""The images on offer: what ``GET /sandbox/hub`` lists and a create may name."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_blaxel.hub.roots import Roots

SANDBOX_API = {"name": "sandbox-api", "target": 8080, "protocol": "HTTP"}
# What a sandbox of an image finds in its home: a folder for each image that has such files.
FILES = Path(__file__).with_name("files")
# Where a sandbox finds the programs of this machine.
PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
LOCK = "package-lock.json"


@dataclass(frozen=True)
class Image:
    """`command` starts what the image puts into `folder` in the sandbox's home, on `port`.

    With `starts` the sandbox runs it at its start. `needs` are programs of this machine.
    `root` is the root filesystem of an image that was imported.
    """

    name: str
    display_name: str
    description: str
    memory_mb: int = 4096
    folder: str = "app"
    command: str = ""
    port: int | None = None
    starts: bool = False
    needs: tuple[str, ...] = ()
    is_hidden: bool = False
    root: Path | None = None

    @property
    def reference(self) -> str:
        return f"{self.name}:latest" if self.root else f"blaxel/{self.name}:latest"

    @property
    def files(self) -> Path | None:
        """Return the folder that is copied into the home of a new sandbox, if the image has one."""
        path = FILES / self.name
        return path if path.is_dir() and self.root is None else None

    @property
    def packages(self) -> Path | None:
        """The lock file of the npm packages that belong beside those files."""
        path = FILES / self.name / self.folder / LOCK
        return path if path.is_file() else None

    @property
    def is_offered(self) -> bool:
        return not any(shutil.which(program, path=PROGRAMS) is None for program in self.needs)

    def as_hub_entry(self) -> dict[str, Any]:
        """Return the image as Blaxel's hub describes it; `command` is local_blaxel's addition."""
        ports = [SANDBOX_API]
        if self.port is not None:
            ports.append({"name": self.name, "target": self.port, "protocol": "HTTP"})
        started = "Its server starts with the sandbox" if self.starts else "Start it"
        how = f" {started}: {self.command} in /blaxel/{self.folder}." if self.command else ""
        return {
            "name": self.name,
            "displayName": self.display_name,
            "description": self.description,
            "longDescription": self.description + how,
            "categories": [],
            "icon": "",
            "iconLight": "",
            "iconDark": "",
            "url": "",
            "image": self.reference,
            "memory": self.memory_mb,
            "ports": [dict(port) for port in ports],
            "tags": [],
            "hidden": self.is_hidden,
            "enterprise": False,
            "coming_soon": False,
            "creationOptions": {},
            "command": self.command,
        }


NODE = ("node", "npm")

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
    Image(
        name="node",
        display_name="Node.js",
        description="The base image, certain to have node and npm.",
        needs=NODE,
    ),
    Image(
        name="py-app",
        display_name="Python app",
        description="A Python web application without dependencies.",
        command="python main.py",
        port=8000,
    ),
    Image(
        name="ts-app",
        display_name="TypeScript app",
        description="A TypeScript web application that restarts when its source changes.",
        command="npm run dev",
        port=3000,
        needs=NODE,
    ),
    Image(
        name="vite",
        display_name="Vite",
        description="React with Vite's development server.",
        command="npm run dev -- --port 3000",
        port=3000,
        needs=NODE,
    ),
    Image(
        name="nextjs",
        display_name="Next.js",
        description="Next.js with its development server.",
        command="npm run dev -- --port 3000",
        port=3000,
        needs=NODE,
    ),
    Image(
        name="jupyter-server",
        display_name="Code interpreter",
        description="Runs Python code over HTTP and keeps its state between runs, for the SDKs' "
        "CodeInterpreter.",
        folder=".jupyter",
        command="python server.py",
        port=8888,
        starts=True,
    ),
)


class Hub:
    """The images that can be had: local_blaxel's own, and those that were imported."""

    def __init__(self, roots: Roots | None = None) -> None:
        self._roots = roots

    def all(self) -> list[Image]:
        return [image for image in IMAGES if image.is_offered] + self._imported()

    def find(self, image: str) -> Image | None:
        """The image that a create names, with or without its tag; None when it isn't offered."""
        reference = image if ":" in image else f"{image}:latest"
        return next((offered for offered in self.all() if offered.reference == reference), None)

    def withdraw(self, image: Image) -> Path:
        """Offer an imported image no more; what is left of it is in the folder returned."""
        if self._roots is None:
            raise LookupError(f"{image.name} was not imported")
        return self._roots.withdraw(image.name)

    def _imported(self) -> list[Image]:
        if self._roots is None:
            return []
        return [
            Image(name=name, display_name=name, description="Imported.", root=root)
            for name, root in self._roots.all().items()
        ]
