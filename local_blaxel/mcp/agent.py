"""One sandbox's own HTTP API, as the tools use it."""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from local_blaxel import call, changes
from local_blaxel.errors import BadGateway
from local_blaxel.sandbox import Sandbox

CALL_SECONDS = 58.0


class ToolError(Exception):
    """Told to the model, as the tool's failure."""


class Agent:
    """The caller keeps the sandbox awake."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    @property
    def variables(self) -> dict[str, str]:
        """The environment that the sandbox was given."""
        return changes.environment(self.sandbox.row.record)

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """The JSON that the API answers. Raises ToolError with its message, or TimeoutError."""
        return json.loads(await self.fetch(method, path, body, query=query, seconds=seconds))

    async def fetch(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> bytes:
        """Like `call`, for what is not JSON."""
        target = path + (f"?{urlencode(query)}" if query else "")
        data = b"" if body is None else json.dumps(body).encode()
        try:
            async with asyncio.timeout(seconds):
                status, answer = await call.exchange(self.sandbox, method, target, data)
        except BadGateway as exc:
            raise ToolError(exc.message) from exc
        if status >= 400:
            raise ToolError(_reason(status, answer))
        return answer


def _reason(status: int, answer: bytes) -> str:
    try:
        told = json.loads(answer)["error"]
    except (ValueError, KeyError, TypeError):
        told = answer.decode(errors="replace").strip()
    return str(told) or f"the sandbox answered {status}"


def at(prefix: str, path: str) -> str:
    """The URL for a path; a slash in it stays one, because an encoded one makes it absolute."""
    return f"{prefix}/{quote(path, safe='/~')}"


def of_process(identifier: str) -> str:
    return f"/process/{quote(identifier, safe='')}"
