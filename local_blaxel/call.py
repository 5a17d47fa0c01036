"""One call of the server's own to a sandbox's API. It wakes the sandbox, as any other does."""

import asyncio
import json
from typing import Any

import h11

from local_blaxel.errors import BadGateway
from local_blaxel.sandbox import Sandbox
from local_blaxel.upstream import Connection

Json = dict[str, Any]

ANSWERS_WITHIN = 60.0


async def agent(sandbox: Sandbox, method: str, target: str, body: Json) -> tuple[int, Json]:
    """The status and the JSON object of the answer; ApiError when there is none."""
    async with sandbox.use():
        connection = await sandbox.connect_agent()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await _ask(connection, method, target, json.dumps(body).encode())
                return await _answer(connection)
        except (OSError, h11.ProtocolError, ValueError) as exc:
            raise BadGateway(f"Sandbox {sandbox.name} did not answer: {exc}.") from exc
        finally:
            sandbox.agent.give_back(connection)


async def _ask(connection: Connection, method: str, target: str, body: bytes) -> None:
    headers = [
        ("host", "sandbox"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    await connection.send(h11.Request(method=method, target=target, headers=headers))
    await connection.send(h11.Data(body))
    await connection.send(h11.EndOfMessage())


async def _answer(connection: Connection) -> tuple[int, Json]:
    status, text = 0, b""
    while True:
        match await connection.receive():
            case h11.Response() as response:
                status = response.status_code
            case h11.Data() as data:
                text += bytes(data.data)
            case h11.EndOfMessage():
                answer = json.loads(text)
                return status, answer if isinstance(answer, dict) else {}
            case h11.ConnectionClosed():
                raise ConnectionResetError("it closed the connection")
