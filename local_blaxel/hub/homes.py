"""Home folders of images, made once and copied into each new sandbox."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from local_blaxel.hub.images import Image
from local_blaxel.launcher import Launcher, LaunchError
from local_blaxel.launcher.tools import hand_over

logger = logging.getLogger(__name__)

INSTALL_SECONDS = 600.0
# Packages' own scripts don't run: none of ours needs them, and they would run outside a sandbox.
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
INSTALL += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
BUILDING = ".building"


class Homes:
    """A folder for each version of an image's files, its npm packages installed beside them."""

    def __init__(self, folder: Path, launcher: Launcher) -> None:
        self._folder = folder
        self._launcher = launcher
        self._making: dict[str, asyncio.Task[None]] = {}
        folder.mkdir(mode=0o700, exist_ok=True)
        for unfinished in folder.glob(f"*{BUILDING}"):
            shutil.rmtree(unfinished)

    async def of(self, image: Image, tell: Callable[[str], None]) -> Path | None:
        """The folder to copy into the home of a sandbox of this image; None when it has no files.

        The first caller has it made, which goes on when that caller gives up; `tell` hears
        of it when that takes time. Raises LaunchError, saying why it can't be made.
        """
        files = image.files
        if files is None:
            return None
        home = self._folder / f"{image.name}-{_digest(files)}"
        if home.exists():
            return home
        if image.packages is not None:
            tell(f"Installing the npm packages of {image.reference}, once on this machine")
        started = time.monotonic()
        await asyncio.shield(self._in_making(image, files, home))
        if image.packages is not None:
            tell(f"Installed them in {time.monotonic() - started:.0f} s")
        return home

    def _in_making(self, image: Image, files: Path, home: Path) -> asyncio.Task[None]:
        task = self._making.get(image.name)
        if task is None:
            task = self._making[image.name] = asyncio.create_task(self._make(image, files, home))
            task.add_done_callback(lambda done: self._made(image, done))
        return task

    def _made(self, image: Image, task: asyncio.Task[None]) -> None:
        del self._making[image.name]
        if not task.cancelled() and task.exception() is not None:
            # Asked for here, too: those who waited for it may have given up.
            logger.warning("%s can't be made ready: %s", image.reference, task.exception())

    async def _make(self, image: Image, files: Path, home: Path) -> None:
        building = home.with_name(home.name + BUILDING)
        await asyncio.to_thread(shutil.rmtree, building, ignore_errors=True)
        await asyncio.to_thread(shutil.copytree, files, building)
        await asyncio.to_thread(hand_over, building)
        if image.packages is not None:
            await self._install(image, building)
        building.rename(home)

    async def _install(self, image: Image, building: Path) -> None:
        command = [*INSTALL, f"--registry={await _registry()}"]
        try:
            code, said = await self._launcher.run_tool(
                building, image.folder, command, INSTALL_SECONDS
            )
        except TimeoutError:
            code, said = 1, "npm took too long"
        if code:
            raise LaunchError(
                f"the npm packages of {image.reference} can't be installed: {_reason(said)}"
            )

    async def close(self) -> None:
        """Give up what is being made."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)


async def _registry() -> str:
    """Return the registry that npm is set to use by the user who runs the server."""
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    command = ["npm", "config", "get", "registry"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=nothing, stdout=pipe, stderr=nothing
    )
    said, _ = await process.communicate()
    return said.decode().strip()


def _digest(files: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(files)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _reason(said: str) -> str:
    """The first of npm's lines that says what was wrong."""
    lines = [line.removeprefix("npm error").strip() for line in said.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("code ", "errno "))]
    return next(iter(telling), "npm said nothing")
