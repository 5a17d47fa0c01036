"""Server-sent events with JSON in them."""

import json
from typing import Any

# Milliseconds until a page asks again after its stream broke off.
RETRY = 1000


def message(name: str, data: dict[str, Any], cursor: object | None = None) -> bytes:
    # The id first: it is what the browser sends back, whatever becomes of the rest.
    lines = [f"id: {cursor}"] if cursor else []
    lines += [f"event: {name}", f"data: {json.dumps(data, separators=(',', ':'))}"]
    return "\n".join([*lines, "", ""]).encode()


def retry(milliseconds: int = RETRY) -> bytes:
    return f"retry: {milliseconds}\n\n".encode()


def comment() -> bytes:
    return b":\n\n"
