"""Static file storage: collect and compress within what a first start can take."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(StaticFilesConfig):
    # No page asks for these: pages have the minified ones, and those of Django's admin do, too.
    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        *("rest_framework", "htmx-4*", "htmax-*"),
        *("htmx-2.js", "jquery.js", "xregexp.js", "select2.full.js"),
    ]


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    def hashed_name(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Leave a name that has a hash: a copy under a second one would be compressed, too."""
        if _has_hash(name):
            return name
        hashed: str = super().hashed_name(name, *args, **kwargs)
        return hashed

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress what pages ask for: names with a hash, and no maps. The rest takes longest."""
        wanted = [path for path in paths if _has_hash(path) and not path.endswith(".map")]
        compressed: Iterator[tuple[str, str]] = super().compress_files(wanted)
        return compressed


def _has_hash(name: str) -> bool:
    return re.match(settings.WHITENOISE_IMMUTABLE_FILE_TEST, name) is not None
