"""Static file storage: collect and compress within what a first start can take."""

import re
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    # No page of Manta asks for it.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework"]


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress what pages ask for: names with a hash, and no maps. The rest takes longest."""
        asked_for = re.compile(settings.WHITENOISE_IMMUTABLE_FILE_TEST)
        wanted = [path for path in paths if asked_for.match(path) and not path.endswith(".map")]
        compressed: Iterator[tuple[str, str]] = super().compress_files(wanted)
        return compressed
