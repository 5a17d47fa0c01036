"""Joining a page's WebSocket with that of a shell inside; neither side can fill Manta's memory."""

import asyncio
import json
import logging
import time
from contextlib import suppress
from typing import Any

from django.db import Error as DatabaseError
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from sandboxes import services
from sandboxes.models import Sandbox
from sandboxes.streams.auth import Principal
from sandboxes.streams.tasks import until_first
from sandboxes.streams.terminal.window import Window

logger = logging.getLogger(__name__)

# Characters that a page may say at once; it sends a larger paste in pieces.
LARGEST_INPUT = 256 * 1024
# Messages that may wait for a sandbox that takes none. A page that is told of what was taken has
# fewer under way: what it says of its screen is heard although a program reads nothing.
MAX_WAITING = 12
# Seconds of typing after which the sandbox is noted as used.
_NOTE_EVERY = 3600.0


class TooLarge(Exception):
    """The page said more at once than it may."""


class Relay:
    def __init__(self, page: WebSocket, inside: ClientConnection, principal: Principal) -> None:
        self._page = page
        self._inside = inside
        self._principal = principal
        # A program that says nothing of what it has shown is slowed down by its connection alone.
        self._window = Window() if page.query_params.get("acks") else None
        self._tells_taken = bool(page.query_params.get("taken"))
        self._waiting: asyncio.Queue[tuple[str, bool]] = asyncio.Queue(MAX_WAITING)
        self._noted_at = time.monotonic()

    async def run(self) -> int | None:
        """Relay until either side leaves; return the shell side's close code. Raises TooLarge."""
        works = (self._show(), self._hear(), self._pass_on())
        tasks = [asyncio.create_task(work) for work in works]
        await until_first(*tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()
        return None if tasks[0].cancelled() else self._inside.close_code

    async def _show(self) -> None:
        with suppress(ConnectionClosed):
            async for message in self._inside:
                text = message if isinstance(message, str) else message.decode(errors="replace")
                if self._window:
                    self._window.sent(len(text))
                await self._page.send({"type": "websocket.send", "text": text})
                if self._window:
                    await self._window.room()
                else:
                    await asyncio.sleep(0)  # what floods may not keep others waiting

    async def _hear(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                message = await self._page.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._take(message.get("text") or "")

    async def _pass_on(self) -> None:
        """Hand over what was typed, as fast as the sandbox takes it."""
        with suppress(ConnectionClosed):
            while True:
                text, is_input = await self._waiting.get()
                await self._inside.send(text)
                if self._tells_taken and is_input:
                    await self._page.send_json({"type": "taken", "messages": 1})

    async def _take(self, text: str) -> None:
        if len(text) > LARGEST_INPUT:
            raise TooLarge
        said = _understood(text)
        match said.get("type"):
            case "input" if isinstance(said.get("data"), str):
                await self._waiting.put((text, True))
                await self._note_use()
            case "resize":
                await self._waiting.put((text, False))
            case "shown" if self._window and type(said.get("messages")) is int:
                self._window.shown(said["messages"])

    async def _note_use(self) -> None:
        """Note that the sandbox is used, so that it doesn't expire while a person types."""
        if time.monotonic() - self._noted_at < _NOTE_EVERY:
            return
        self._noted_at = time.monotonic()
        pk = self._principal.sandbox.pk
        try:
            await self._principal.does(
                lambda: services.row_updates.touch(Sandbox.objects.get(pk=pk))
            )
        except (DatabaseError, Sandbox.DoesNotExist) as exc:
            logger.warning("The use of a terminal was not noted: %s", exc)


def _understood(text: str) -> dict[str, Any]:
    """The JSON object, or none: what can't be understood is ignored."""
    with suppress(ValueError, RecursionError):
        if isinstance(said := json.loads(text), dict):
            return said
    return {}
