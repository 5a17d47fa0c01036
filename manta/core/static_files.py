"""Static file storage: collect and compress within what a first start can take."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage

from manta.core.joined import JOINED


class StaticFiles(StaticFilesConfig):
    # No page of Manta asks for it.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework"]


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    joins = True

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        if not dry_run:
            paths |= {name: (self, self._joined(name)) for name in JOINED}
        yield from super().post_process(paths, dry_run, **options)

    def _joined(self, name: str) -> str:
        parts = [Path(self.path(part)).read_bytes() for part in JOINED[name]]
        Path(self.path(name)).write_bytes(b"\n".join(parts))
        return name

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress what pages ask for: names with a hash, and no maps. The rest takes longest."""
        asked_for = re.compile(settings.WHITENOISE_IMMUTABLE_FILE_TEST)
        wanted = [path for path in paths if asked_for.match(path) and not path.endswith(".map")]
        compressed: Iterator[tuple[str, str]] = super().compress_files(wanted)
        return compressed
