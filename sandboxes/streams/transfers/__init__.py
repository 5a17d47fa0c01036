"""Files of any size, in and out of a sandbox, beside Django: no thread is held meanwhile.

admission lets a transfer in, counts it, and ends it with its session; download, upload and archive
are the three kinds.
"""

from starlette.routing import Route

from sandboxes.streams.transfers.admission import Transfer
from sandboxes.streams.transfers.archive import archive
from sandboxes.streams.transfers.content import content

CONTENT, ARCHIVE = "/api/sandbox/files/content", "/api/sandbox/files/archive"
ROUTES = [
    Route(
        CONTENT,
        Transfer({"GET": content.download, "HEAD": content.download, "PUT": content.upload}),
    ),
    # What it holds of a folder at once is large.
    Route(ARCHIVE, Transfer({"GET": archive}, places=3)),
]

__all__ = ["ARCHIVE", "CONTENT", "ROUTES"]
