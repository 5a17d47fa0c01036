"""Routes of the transfers: which work answers which method, and how many places it takes."""

from starlette.routing import Route

from sandboxes.streams.paths import FILE_CONTENT, FOLDER_ARCHIVE
from sandboxes.streams.transfers.admission import Transfer
from sandboxes.streams.transfers.archive import archive
from sandboxes.streams.transfers.content import content

ROUTES = [
    Route(
        FILE_CONTENT,
        Transfer({"GET": content.download, "HEAD": content.download, "PUT": content.upload}),
    ),
    # What it holds of a folder at once is large.
    Route(FOLDER_ARCHIVE, Transfer({"GET": archive}, places=3)),
]
