"""What is collected for browsers, and made small, within a first start's patience."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from manta.joined import JOINED


class StaticFiles(StaticFilesConfig):
    # No page of Manta asks for it.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework"]


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    joins = True

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        for name, parts in JOINED.items():
            self.delete(name)
            self.save(name, ContentFile(b"\n".join(self.open(part).read() for part in parts)))
            paths[name] = (self, name)
        yield from super().post_process(paths, dry_run, **options)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress what pages ask for: names with a hash, and no maps. The rest takes longest."""
        asked_for = re.compile(settings.WHITENOISE_IMMUTABLE_FILE_TEST)
        wanted = [path for path in paths if asked_for.match(path) and not path.endswith(".map")]
        compressed: Iterator[tuple[str, str]] = super().compress_files(wanted)
        return compressed
