"""A limit for how long an answer may take to begin: httpx limits each piece of it alone.

A server that sends a line of its head every few seconds would hold a thread for ever.
"""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_of_thread = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the time in which this thread reads from the network, or raise ReadTimeout."""
    _of_thread.ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        del _of_thread.ends_at


def begins_within(request: httpx.Request) -> float:
    """Return the seconds in which an answer has to begin, from the request's own timeouts."""
    timeouts = request.extensions["timeout"]
    return sum(float(timeouts[kind] or 0) for kind in ("connect", "read"))


def hold(client: httpx.Client) -> None:
    """Have the client's connections hold to these limits."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Backend()


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        ends_at: float | None = vars(_of_thread).get("ends_at")
        if ends_at is not None:
            left = ends_at - time.monotonic()
            if left <= 0:
                raise httpcore.ReadTimeout("The answer took too long to begin.")
            timeout = left if timeout is None else min(timeout, left)
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*args, **options))
