"""One open page, and what it has still to be told of its sandbox."""

from sandboxes.data_plane.file_changes import Burst
from sandboxes.streams import sse


class Page(sse.EventStream):
    """Queue for one page: a slow reader holds one burst of changes and the latest of all else."""

    beat_every = 10.0

    def __init__(self, user: int) -> None:
        super().__init__()
        self.user = user
        self._files = Burst()
        self._latest: dict[str, bytes] = {}
        self._first = sse.retry()
        self._wake.set()

    def changed(self, burst: Burst) -> None:
        self._files.join(burst)
        self._wake.set()

    def show(self, name: str, said: bytes) -> None:
        """Have the latest of a kind told; what waited of that kind is forgotten."""
        self._latest[name] = said
        self._wake.set()

    def _take(self) -> bytes:
        first, self._first = self._first, b""
        latest, self._latest = self._latest, {}
        files, self._files = self._files, Burst()
        said = first + b"".join(latest.values())
        return said + sse.message("files", files.as_json()) if files else said
