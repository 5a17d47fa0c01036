"""WebSockets to sandboxes' own servers, which follow no redirect.

The library follows one by itself, to any host and with the sandbox's token: what runs in a sandbox
would have Manta connect to wherever it likes.
"""

from websockets.asyncio import client as asyncio_client
from websockets.sync import client as sync_client


class AsyncWebSocket(asyncio_client.connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocket(sync_client.reconnect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc
