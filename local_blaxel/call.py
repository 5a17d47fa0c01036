"""One call of the server's own to a sandbox's API. It wakes the sandbox, as any other does."""

import asyncio
import json
from typing import Any

from local_blaxel.errors import BadGateway
from local_blaxel.sandbox import Sandbox
from local_blaxel.upstream import Connection, Malformed

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
    connection = await sandbox.agent.take()
    try:
        await _ask(connection, method, target, body, headers)
        return await _answer(connection)
    except (OSError, Malformed) as exc:
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
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in others),
        (b"host", b"sandbox"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await connection.send_head(method, target.encode(), headers)
    if body:
        await connection.send_body(body)
    await connection.end_body()


async def _answer(connection: Connection) -> tuple[int, bytes]:
    head, body = await connection.head(), bytearray()
    while part := await connection.part():
        body += part
        if len(body) > LARGEST_ANSWER:
            raise ConnectionError(f"it says more than {LARGEST_ANSWER} bytes")
    return head.status, bytes(body)
