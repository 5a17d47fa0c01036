"""HTTP clients for sandboxes' own servers, which may answer without end, or not at all.

Every answer is read up to a limit of bytes, `extensions={"most": …}` of the request; None is for
what is passed on as it comes. Compressed answers are not asked for, as the size that they unpack to
is not known. No cookie is kept.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from http.cookiejar import CookieJar
from typing import Any, cast

import httpx

from sandboxes.data_plane import deadline
from sandboxes.data_plane.shares import Outcome, shares
from sandboxes.models.reach import gateway_code_in, note_answer

MAX_BYTES = 8 * 2**20
# Seconds that an answer may take from its first byte to its last.
_WHOLE_WITHIN = 30.0
PLAIN = {"Accept-Encoding": "identity"}


class AnswerTooLong(httpx.ReadError):
    """Raised when an answer is longer than the request's limit."""


class NoCookies(CookieJar):
    """Jar that stays empty, for clients that ask more than one sandbox.

    A cookie counts for a host on all of its ports, or for a whole domain: what one sandbox sets
    would be sent to all others.
    """

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep none, and don't parse what a sandbox made up."""

    def add_cookie_header(self, request: Any) -> None:
        """Add none."""


class SandboxClient(httpx.Client):
    """Keeps to one sandbox's share of the threads. Raises ProviderUnavailable besides."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cookies=NoCookies(), **options)
        deadline.hold(self)

    def send(
        self, request: httpx.Request, *, stream: bool = False, **options: Any
    ) -> httpx.Response:
        outcome = shares.take(str(request.url))
        try:
            with deadline.within(deadline.begins_within(request)):
                response = super().send(request, stream=True, **options)
            outcome.answered = True
        except httpx.TimeoutException:
            outcome.answered = False
            raise
        finally:
            if not outcome.answered:
                outcome.end()
        body = cast(httpx.SyncByteStream, response.stream)
        response.stream = _Bounded(body, _most(response), outcome)
        if not stream or _may_be_the_gateways(response):
            with_body(response)
        _note(response)
        return response


def with_body(response: httpx.Response) -> None:
    try:
        response.read()
    finally:
        response.close()


class AsyncSandboxClient(httpx.AsyncClient):
    """Holds no thread while it waits, so it has no share: those who use it have limits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cookies=NoCookies(), **options)

    async def send(
        self, request: httpx.Request, *, stream: bool = False, **options: Any
    ) -> httpx.Response:
        response = await super().send(request, stream=True, **options)
        most = _most(response)
        if most is not None:
            body = cast(httpx.AsyncByteStream, response.stream)
            response.stream = _AsyncBounded(body, most)
        if not stream or _may_be_the_gateways(response):
            await _with_body(response)
        _note(response)
        return response


async def _with_body(response: httpx.Response) -> None:
    try:
        async with asyncio.timeout(_WHOLE_WITHIN):
            await response.aread()
    except TimeoutError as exc:
        raise httpx.ReadTimeout("The answer took too long.") from exc
    finally:
        await response.aclose()


def _may_be_the_gateways(response: httpx.Response) -> bool:
    """Return True where only the body tells the gateway's "not found" from the sandbox's."""
    kind = str(response.headers.get("Content-Type", ""))
    return response.status_code == 404 and kind.startswith("application/json")


def _note(response: httpx.Response) -> None:
    code = gateway_code_in(response.content) if _may_be_the_gateways(response) else None
    note_answer(response.status_code, response.request.headers, code)


def _most(response: httpx.Response) -> int | None:
    most: int | None = response.request.extensions.get("most", MAX_BYTES)
    if most is None and _may_be_the_gateways(response):
        most = MAX_BYTES
    coding = response.headers.get("Content-Encoding", "identity").lower()
    return most if coding == "identity" or most is None else 0


class _Bounded(httpx.SyncByteStream):
    def __init__(self, body: httpx.SyncByteStream, most: int | None, outcome: Outcome) -> None:
        self._body, self._outcome = body, outcome
        self._left = most
        self._ends_at = time.monotonic() + _WHOLE_WITHIN

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._body:
                self._left = _less(self._left, chunk)
                if time.monotonic() > self._ends_at:
                    raise httpx.ReadTimeout("The answer took too long.")
                yield chunk
        except httpx.TimeoutException:
            self._outcome.answered = False
            raise

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._outcome.end()


class _AsyncBounded(httpx.AsyncByteStream):
    def __init__(self, body: httpx.AsyncByteStream, most: int) -> None:
        self._body, self._left = body, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            self._left = _less(self._left, chunk) or 0
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()


def _less(left: int | None, chunk: bytes) -> int | None:
    if left is None:
        return None
    if len(chunk) > left:
        raise AnswerTooLong("The answer is longer than is read.")
    return left - len(chunk)
