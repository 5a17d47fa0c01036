"""One sandbox's own HTTP API, as the tools use it."""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

from local_blaxel import call, changes
from local_blaxel.errors import BadGateway
from local_blaxel.sandbox import Sandbox

CALL_SECONDS = 58.0
# As the agent inside reads it.
BENEATH = "x-local-blaxel-beneath"


class ToolError(Exception):
    """Told to the model, as the tool's failure."""


class OutOfReach(ToolError):
    """A path that leads out of the folder which the call is held to."""


class Agent:
    """The caller keeps the sandbox awake. With a folder, its API holds every path below it; the
    folder is percent-encoded.
    """

    def __init__(self, sandbox: Sandbox, beneath: str = "") -> None:
        self.sandbox = sandbox
        self.beneath = beneath

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
        """Call the agent as `call` does, for responses that are not JSON."""
        encoded = urlencode(query or {}, errors="surrogateescape")
        target = f"{path}?{encoded}" if encoded else path
        data = b"" if body is None else json.dumps(body).encode()
        try:
            async with asyncio.timeout(seconds):
                status, answer = await call.exchange(
                    self.sandbox, method, target, data, self._headers()
                )
        except BadGateway as exc:
            raise ToolError(exc.message) from exc
        if status >= 400:
            error = OutOfReach if status == 403 and self.beneath else ToolError
            raise error(_reason(status, answer))
        return answer

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return ((BENEATH, self.beneath),) if self.beneath else ()


def _reason(status: int, answer: bytes) -> str:
    try:
        told = json.loads(answer)["error"]
    except (ValueError, KeyError, TypeError):
        told = answer.decode(errors="replace").strip()
    return str(told) or f"the sandbox answered {status}"


def at(prefix: str, path: str) -> str:
    """The URL for a path; a slash in it stays one, because an encoded one makes it absolute."""
    return f"{prefix}/{quote(path, safe='/~', errors='surrogateescape')}"


def of_process(identifier: str) -> str:
    encoded = quote(identifier, safe="", errors="surrogateescape")
    # Dots alone would lead elsewhere.
    return f"/process/{encoded if encoded.strip('.') else encoded.replace('.', '%2E')}"
