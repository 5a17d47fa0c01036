"""Paths and texts of files, as people and programs send them."""

import posixpath
from typing import Any
from urllib.parse import parse_qsl

from django.core.validators import ProhibitNullCharactersValidator
from django.http import QueryDict
from rest_framework import serializers

from sandboxes.data_plane import names

# Of a path; Linux takes no longer one.
MAX_BYTES = 4096


class PathField(serializers.CharField):
    """An absolute path as Manta shows it, made normal. No NUL and no lone surrogate is in it."""

    def __init__(self, **options: Any) -> None:
        # Each byte may be percent-encoded.
        super().__init__(trim_whitespace=False, max_length=3 * MAX_BYTES, **options)

    def to_internal_value(self, data: Any) -> str:
        path = super().to_internal_value(data)
        if not path.startswith("/"):
            raise serializers.ValidationError("A path must begin with /.")
        if names.is_raw(path):
            path = names.told(path)
        if len(names.raw(path).encode("utf-8", "replace")) > MAX_BYTES:
            raise serializers.ValidationError(f"A path can have at most {MAX_BYTES} bytes.")
        return posixpath.normpath("/" + path.lstrip("/"))


class TextField(serializers.CharField):
    """Any text that UTF-8 can have, NUL included: what was read can be saved again."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, **options)
        self.validators = [
            each
            for each in self.validators
            if not isinstance(each, ProhibitNullCharactersValidator)
        ]


def query_of(text: str) -> QueryDict:
    """Return a query with bytes that are not UTF-8 as names have them: QueryDict replaces them."""
    query = QueryDict(mutable=True)
    for name, value in parse_qsl(text, keep_blank_values=True, errors="surrogateescape"):
        query.appendlist(name, names.told(value) if names.is_raw(value) else value)
    return query
