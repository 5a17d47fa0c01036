"""Root filesystems that people import: each is offered as an image of its own."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

from local_blaxel.launcher import LaunchError
from local_blaxel.launcher.confinement import Bubblewrap
from local_blaxel.launcher.runtime import ETC
from local_blaxel.launcher.tools import hand_over, run

NAME = re.compile(r"(?=.{1,49}$)[a-z0-9]+(?:-[a-z0-9]+)*")
BUILDING = ".building"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
IMPORT_SECONDS = 1800.0

UNPACK = (Path(__file__).parent / "unpack.sh").read_text()


class ImageError(Exception):
    """An image can't be imported or removed; the text says why."""


class Roots:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> dict[str, Path]:
        """Each image's root by its name."""
        if not self._folder.is_dir():
            return {}
        names = sorted(path.name for path in self._folder.iterdir())
        return {name: self._folder / name / "root" for name in names if NAME.fullmatch(name)}

    def add(self, name: str, archive: Path) -> None:
        """Unpack a tar file, maybe a compressed one, as the image's root filesystem."""
        if not NAME.fullmatch(name):
            raise ImageError(
                f"{name!r} can't be an image's name: at most 49 lower-case letters, digits and "
                "single hyphens"
            )
        if name in self.all():
            raise ImageError(f"there is an image {name} already: remove it first")
        building = self._folder / f"{name}{BUILDING}"
        shutil.rmtree(building, ignore_errors=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        building.mkdir(mode=0o755)
        try:
            self._unpack(archive, building)
            building.rename(self._folder / name)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _unpack(self, archive: Path, building: Path) -> None:
        try:
            shutil.copyfile(archive, building / "archive")
        except OSError as exc:
            raise ImageError(f"{archive} can't be read: {exc.strerror}") from exc
        with archive.open("rb") as file:
            if file.read(4) == ZSTD_MAGIC and shutil.which("zstd") is None:
                raise ImageError("zstd is missing: install it, or import an uncompressed tar file")
        try:
            confinement = Bubblewrap()
            hand_over(building)
            tool = confinement.tool(building, ".", ["sh", "-c", UNPACK, "unpack", *ETC])
            code, said = asyncio.run(run(tool, IMPORT_SECONDS))
        except (LaunchError, TimeoutError) as exc:
            raise ImageError(f"{archive} can't be unpacked: {str(exc) or 'too late'}") from exc
        if code:
            # tar's last line only says that there were others.
            lines = [line for line in said.splitlines() if "previous errors" not in line]
            raise ImageError(f"{archive} can't be imported: {(lines or ['it ended'])[-1]}")

    def remove(self, name: str) -> None:
        if name not in self.all():
            raise ImageError(f"there is no image {name}")
        shutil.rmtree(self.withdraw(name))

    def withdraw(self, name: str) -> Path:
        """Offer the image no more, and leave its files in the folder that is returned."""
        return (self._folder / name).rename(self._folder / f"{name}{BUILDING}")
