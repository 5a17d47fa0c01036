"""Output of a process in a sandbox, as it is written: pieces of its streams, with their source."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from manta.core import json_values
from sandboxes import errors
from sandboxes.data_plane import subscriptions
from sandboxes.data_plane.async_client import PASSED_ON, streaming_client
from sandboxes.models.reach import Reach

NDJSON = "application/x-ndjson"
STREAMS = ("stdout", "stderr", "restart")
# In bytes: of a piece, as JSON escapes it.
_MAX_PIECE_LENGTH = 8 * 2**20
# Of JSON: a piece has a few fields.
_MAX_TOKENS = 100
_PREFIX = re.compile(rb"(stdout|stderr):")


@dataclass(frozen=True)
class Output:
    """A piece of a stream; a gap with its bytes and lines, where known; or a keepalive."""

    kind: str
    data: bytes = b""
    size: int | None = None
    lines: int | None = None

    @property
    def is_gap(self) -> bool:
        return self.kind == "truncated"


@asynccontextmanager
async def output_of(reach: Reach, name: str) -> AsyncIterator[AsyncIterator[Output]]:
    """Everything that is kept of a process's output, and what it goes on to say, until it ends.

    Raises ProcessNotFound or ProviderUnavailable.
    """
    address = reach.at(f"{await subscriptions.address_of(reach, name)}/logs/stream")
    # A process that is older than its sandbox's server knows of JSON is told of in lines.
    for accepted in (NDJSON, "text/plain"):
        request = address.as_request({"Accept": accepted})
        async with streaming_client().stream("GET", **request, extensions=PASSED_ON) as response:
            if response.status_code == 409 and accepted == NDJSON:
                continue
            subscriptions.expect_stream(response)
            yield _pieces(response)
            return


def _pieces(response: httpx.Response) -> AsyncIterator[Output]:
    is_json = response.headers.get("Content-Type", "").startswith(NDJSON)
    return _from_json(response) if is_json else _from_lines(response)


async def _from_json(response: httpx.Response) -> AsyncIterator[Output]:
    async for line in subscriptions.lines(response, longest=_MAX_PIECE_LENGTH):
        try:
            yield _read(json_values.loads(line.encode(), _MAX_TOKENS))
        except (ValueError, TypeError, AttributeError, RecursionError) as exc:
            raise errors.ProviderUnavailable("Your sandbox's log can't be read.") from exc


def _read(said: dict[str, Any]) -> Output:
    kind, data = said.get("type"), str(said.get("data") or "")
    if kind in STREAMS:
        is_encoded = said.get("encoding") == "base64"
        return Output(kind, base64.b64decode(data) if is_encoded else data.encode(errors="replace"))
    if kind == "truncated":
        return Output(kind, size=_number(said.get("bytes")), lines=_number(said.get("lines")))
    if kind == "error":
        raise ValueError(data)
    return Output("keepalive")


def _number(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**62 else None


async def _from_lines(response: httpx.Response) -> AsyncIterator[Output]:
    kind = "stdout"
    async for line in subscriptions.lines(response, longest=_MAX_PIECE_LENGTH):
        text = line.encode()
        if text.startswith(b"[keepalive]"):
            yield Output("keepalive")
            continue
        if prefix := _PREFIX.match(text):
            kind = prefix[1].decode()
        yield Output(kind, text[prefix.end() if prefix else 0 :] + b"\n")
