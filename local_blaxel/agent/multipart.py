"""``/filesystem-multipart``: a large file in parts, several at a time, in any order."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import paths
from .files import failing_with, octal, uploaded_file
from .sandbox import Sandbox
from .wire import ApiError, Body, Json, query_text, read_json
from .writing import CHUNK, DEFAULT_MODE, written

PREFIX = "/filesystem-multipart"
INITIATE = PREFIX + "/initiate"
MAX_PARTS = 10_000
# What a client that vanished left behind is dropped when another upload starts.
ABANDONED_AFTER = 24 * 3600.0


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Part:
    number: int
    etag: str
    size: int
    uploaded_at: str

    def describe(self) -> dict[str, Any]:
        return {
            "partNumber": self.number,
            "etag": self.etag,
            "size": self.size,
            "uploadedAt": self.uploaded_at,
        }


@dataclass
class Upload:
    path: str
    # None: as the file has them that it takes the place of.
    mode: int | None
    folder: Path
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    initiated_at: str = field(default_factory=_now)
    used_at: float = field(default_factory=time.monotonic)
    parts: dict[int, Part] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        return {
            "uploadId": self.id,
            "path": self.path,
            "permissions": DEFAULT_MODE if self.mode is None else self.mode,
            "initiatedAt": self.initiated_at,
            "parts": {str(part.number): part.describe() for part in self.sorted_parts()},
        }

    def sorted_parts(self) -> list[Part]:
        return [self.parts[number] for number in sorted(self.parts)]

    def store(self, number: int, source: BinaryIO) -> Part:
        """Keep a part, whole or not at all; the same number again replaces it."""
        digest, size = hashlib.md5(usedforsecurity=False), 0
        part = str(self.folder / str(number))
        with failing_with(422, "write", self.path), written(part) as file:
            while data := source.read(CHUNK):
                digest.update(data)
                size += file.write(data)
        return Part(number, digest.hexdigest(), size, _now())

    def assemble(self, numbers: list[int]) -> None:
        with failing_with(422, "open", self.path), written(self.path, self.mode) as whole:
            for number in numbers:
                with (self.folder / str(number)).open("rb") as part:
                    shutil.copyfileobj(part, whole, CHUNK)

    def drop(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class MultipartApi:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._uploads: dict[str, Upload] = {}

    def routes(self) -> list[Route]:
        upload = PREFIX + "/{id}"
        return [
            Route(PREFIX, self.list, methods=["GET"]),
            Route(INITIATE + "/{path:path}", self.initiate, methods=["POST"]),
            Route(upload + "/part", self.put_part, methods=["PUT"]),
            Route(upload + "/parts", self.parts, methods=["GET"]),
            Route(upload + "/complete", self.complete, methods=["POST"]),
            Route(upload + "/abort", self.abort, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        return Json({"uploads": [upload.describe() for upload in self._uploads.values()]})

    async def initiate(self, request: Request) -> Response:
        path = paths.requested(request, self._sandbox, INITIATE)
        mode = octal((await read_json(request)).text("permissions"))
        self._drop_abandoned()
        with failing_with(422, "mkdir", path):
            folder = Path(tempfile.mkdtemp(prefix="upload-"))
        upload = Upload(path, mode, folder)
        self._uploads[upload.id] = upload
        return Json({"uploadId": upload.id, "path": path})

    async def put_part(self, request: Request) -> Response:
        upload = self._find(request)
        number = _part_number(query_text(request, "partNumber"))
        async with uploaded_file(request) as (file, _):
            part = await asyncio.to_thread(upload.store, number, file)
        upload.parts[number] = part
        return Json({"partNumber": number, "etag": part.etag, "size": part.size})

    async def parts(self, request: Request) -> Response:
        upload = self._find(request)
        parts = [part.describe() for part in upload.sorted_parts()]
        return Json({"uploadId": upload.id, "parts": parts})

    async def complete(self, request: Request) -> Response:
        upload = self._find(request)
        parts = (await read_json(request)).objects("parts")
        numbers = sorted(_confirmed(upload, part) for part in parts)
        if not numbers or len(set(numbers)) != len(numbers):
            raise ApiError(400, "parts must name each part once")
        await asyncio.to_thread(upload.assemble, numbers)
        self._drop(upload)
        done = "Multipart upload completed successfully"
        return Json({"path": upload.path, "message": done})

    async def abort(self, request: Request) -> Response:
        upload = self._find(request)
        self._drop(upload)
        return Json({"path": upload.path, "message": "Multipart upload aborted successfully"})

    def _find(self, request: Request) -> Upload:
        upload = self._uploads.get(request.path_params["id"])
        if upload is None:
            raise ApiError(404, "upload not found")
        upload.used_at = time.monotonic()
        return upload

    def _drop(self, upload: Upload) -> None:
        self._uploads.pop(upload.id, None)
        upload.drop()

    def _drop_abandoned(self) -> None:
        oldest = time.monotonic() - ABANDONED_AFTER
        for upload in [each for each in self._uploads.values() if each.used_at < oldest]:
            self._drop(upload)


def _part_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MAX_PARTS:
        raise ApiError(400, f"partNumber must be a number from 1 to {MAX_PARTS}")
    return int(text[:9])


def _confirmed(upload: Upload, named: Body) -> int:
    """The part's number, if what was uploaded under it is what the client believes."""
    number, etag = named.number("partNumber"), named.text("etag")
    part = upload.parts.get(number or 0)
    if part is None:
        raise ApiError(400, f"part {number} was not uploaded")
    if etag.strip('"') != part.etag:
        raise ApiError(400, f"the etag of part {number} is {part.etag}, not {etag}")
    return part.number
