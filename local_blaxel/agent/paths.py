"""Mapping of URLs to files.

The raw URL decides: ``//x`` and ``/%2Fx`` are absolute, ``/x`` is relative.
"""

from __future__ import annotations

import os
import posixpath
import re
from urllib.parse import unquote_to_bytes

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request

from .sandbox import Sandbox
from .wire import ApiError, without_nul


class _AnyPath(PathConvertor):
    """Converter for any path, also one with a newline, where Starlette's own ends."""

    regex = "(?s:.*)"


register_url_convertor("path", _AnyPath())


def requested(request: Request, sandbox: Sandbox, prefix: str) -> str:
    """The path that follows `prefix` in the URL, made absolute from the working directory."""
    wildcard, decoded = _wildcard(request, prefix)
    if b"%2f" not in wildcard.lower():
        decoded = decoded[1:] or "."
    return absolute(decoded, sandbox)


def requested_tree(request: Request, sandbox: Sandbox, prefix: str) -> str:
    """Return the requested path as `requested` does, for tree routes: every path is absolute."""
    _, decoded = _wildcard(request, prefix)
    return absolute("/" + decoded, sandbox)


def absolute(path: str, sandbox: Sandbox) -> str:
    without_nul("path", path)
    if path == "~" or path.startswith("~/"):
        path = sandbox.home + path[1:]
    path = posixpath.join(sandbox.workdir, re.sub("/+", "/", path))
    path = posixpath.normpath(path)
    if not sandbox.is_isolated and (path + "/").startswith("/blaxel/"):
        # Without a mount namespace the home that clients call /blaxel is somewhere else.
        path = sandbox.home + path.removeprefix("/blaxel")
    return path


def _wildcard(request: Request, prefix: str) -> tuple[bytes, str]:
    raw: bytes = request.scope["raw_path"]
    if not raw.startswith(prefix.encode()):
        raise ApiError(400, f"the path must start with {prefix}")
    wildcard = raw[len(prefix) :]
    return wildcard, os.fsdecode(unquote_to_bytes(wildcard))
