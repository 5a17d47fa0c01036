"""GET /process: a sandbox's processes, without the last output of each that the list carries.

Eighty processes that ended with much output are a hundred megabytes of JSON. The output is left
out while it arrives, so that no more than the rest is ever held.
"""

import re
from typing import Any

from manta.core import json_values
from sandboxes.data_plane.client import objects_of, understood

# Bytes that arrive, and that are held.
MAX_READ = 128 * 2**20
_MAX_KEPT = 4 * 2**20
# Within a string of JSON every quote is escaped: this is the name of a field, and nothing else.
_OUTPUT = re.compile(rb'"(?:stdout|stderr|logs)"\s{0,4}:\s{0,4}"')
_REST_OF_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
# As long as what _OUTPUT matches may be: the end of a piece may be the beginning of one.
_HELD_BACK = 24


class ListReader:
    """Takes the list piece by piece."""

    def __init__(self) -> None:
        self._kept, self._rest = bytearray(), b""
        self._is_in_output = False

    def feed(self, piece: bytes) -> None:
        """Raises ValueError for a list that is too long without its output."""
        data, self._rest = self._rest + piece, b""
        at = 0
        while at < len(data):
            at = self._pass_over(data, at) if self._is_in_output else self._keep(data, at)
        if len(self._kept) > _MAX_KEPT:
            raise ValueError("The list of processes is too long.")

    def _pass_over(self, data: bytes, at: int) -> int:
        found = _REST_OF_TEXT.match(data, at)
        at = found.end() if found else at
        if data[at : at + 1] == b'"':
            self._is_in_output = False
        elif at < len(data):  # a backslash, and what it stands before is still to come
            self._rest, at = data[at:], len(data)
        return at

    def _keep(self, data: bytes, at: int) -> int:
        found = _OUTPUT.search(data, at)
        if found:
            self._kept += data[at : found.end()]
            self._is_in_output = True
            return found.end()
        end = max(at, len(data) - _HELD_BACK)
        self._kept += data[at:end]
        self._rest = data[end:]
        return len(data)

    def processes(self) -> list[dict[str, Any]]:
        """Raises ProviderUnavailable for what is no list."""
        with understood():
            return objects_of(json_values.loads(bytes(self._kept) + self._rest))
