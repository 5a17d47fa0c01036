"""One sandbox's own HTTP API, as the tools use it."""

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlencode

import h11

from local_blaxel import changes
from local_blaxel.sandbox import Sandbox
from local_blaxel.upstream import Connection

# What a model could read is far less; what is more would be held in memory several times.
LARGEST_ANSWER = 32 * 2**20
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
        async with asyncio.timeout(seconds):
            connection = await self.sandbox.connect_agent()
            try:
                await _ask(connection, method, target, body)
                status, answer = await _hear(connection)
            except (OSError, h11.RemoteProtocolError) as exc:
                raise ToolError(f"the sandbox broke off: {exc}") from exc
            finally:
                # One that is not through with its answer is closed by this.
                self.sandbox.agent.give_back(connection)
        if status >= 400:
            raise ToolError(_reason(status, answer))
        return answer


async def _ask(
    connection: Connection, method: str, target: str, body: dict[str, Any] | None
) -> None:
    data = b"" if body is None else json.dumps(body).encode()
    headers = [("Host", "sandbox"), ("Content-Length", str(len(data)))]
    headers.append(("Content-Type", "application/json"))
    await connection.send(h11.Request(method=method, target=target, headers=headers))
    await connection.send(h11.Data(data))
    await connection.send(h11.EndOfMessage())


async def _hear(connection: Connection) -> tuple[int, bytes]:
    status, answer = 0, bytearray()
    while True:
        match await connection.receive():
            case h11.Response() as response:
                status = response.status_code
            case h11.Data() as data:
                answer += data.data
                if len(answer) > LARGEST_ANSWER:
                    raise ToolError(f"the answer is larger than {LARGEST_ANSWER} bytes")
            case h11.EndOfMessage():
                return status, bytes(answer)
            case h11.ConnectionClosed():
                raise ConnectionResetError("it closed the connection")


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
