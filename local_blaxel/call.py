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
# Held in memory several times while it is read and passed on.
LARGEST_ANSWER = 32 * 2**20


async def agent(sandbox: Sandbox, method: str, target: str, body: Json) -> tuple[int, Json]:
    """The status and the JSON object of the answer; ApiError when there is none."""
    async with sandbox.use():
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                status, text = await exchange(sandbox, method, target, json.dumps(body).encode())
            answer = json.loads(text)
        except (TimeoutError, ValueError) as exc:
            raise BadGateway(f"Sandbox {sandbox.name} did not answer: {exc}.") from exc
    return status, answer if isinstance(answer, dict) else {}


async def exchange(
    sandbox: Sandbox,
    method: str,
    target: str,
    body: bytes,
    headers: tuple[tuple[str, str], ...] = (),
) -> tuple[int, bytes]:
    """The status and the whole answer; ApiError when there is none.

    The caller keeps the sandbox awake, and limits the time.
    """
    connection = await sandbox.connect_agent()
    try:
        await _ask(connection, method, target, body, headers)
        return await _answer(connection)
    except (OSError, h11.ProtocolError) as exc:
        raise BadGateway(f"Sandbox {sandbox.name} did not answer: {exc}.") from exc
    finally:
        # One that is not through with its answer is closed by this.
        sandbox.agent.give_back(connection)


async def _ask(
    connection: Connection,
    method: str,
    target: str,
    body: bytes,
    others: tuple[tuple[str, str], ...],
) -> None:
    headers = [
        *others,
        ("host", "sandbox"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
    ]
    await connection.send(h11.Request(method=method, target=target, headers=headers))
    await connection.send(h11.Data(body))
    await connection.send(h11.EndOfMessage())


async def _answer(connection: Connection) -> tuple[int, bytes]:
    status, body = 0, bytearray()
    while True:
        match await connection.receive():
            case h11.Response() as response:
                status = response.status_code
            case h11.Data() as data:
                body += data.data
                if len(body) > LARGEST_ANSWER:
                    raise ConnectionError(f"it says more than {LARGEST_ANSWER} bytes")
            case h11.EndOfMessage():
                return status, bytes(body)
            case h11.ConnectionClosed():
                raise ConnectionResetError("it closed the connection")
