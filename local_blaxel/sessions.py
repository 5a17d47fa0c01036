"""Access to one sandbox only, by the token of a session: a private preview of its API."""

import contextlib
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.types import Message, Scope, Send

from local_blaxel.auth import header, query_value
from local_blaxel.errors import Unauthorized
from local_blaxel.preview_connections import AccessEnded, PreviewConnections
from local_blaxel.store import PreviewRow, Store, TokenRow

_SANDBOX_API = 443
_POLICY_VIOLATION = 1008


@dataclass(frozen=True)
class Session:
    preview: PreviewRow
    token: TokenRow

    @property
    def ends_at(self) -> float:
        return min(self.token.expires_at, self.preview.expires_at or math.inf)


@dataclass(frozen=True)
class Sessions:
    store: Store
    preview_connections: PreviewConnections

    def shown(self, scope: Scope, sandbox: str) -> Session | None:
        """The session of this very sandbox whose token came along, in the header or the query."""
        token = header(scope, b"x-blaxel-preview-token") or query_value(scope, b"bl_preview_token")
        if not token:
            return None
        for preview in self.store.previews(sandbox):
            spec = preview.record["spec"]
            if spec["port"] != _SANDBOX_API or spec["public"]:
                continue
            for row in self.store.tokens(preview.id):
                session = Session(preview, row)
                if hmac.compare_digest(token, row.value.encode()) and session.ends_at > time.time():
                    return session
        return None

    async def while_admitted(
        self, session: Session, send: Send, work: Callable[[Send], Awaitable[None]]
    ) -> None:
        """Work on a WebSocket until its session ends. Raises Unauthorized before it began."""
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            name = session.token.name
            async with self.preview_connections.until(session.ends_at, session.preview.id, name):
                await work(sent)
        except AccessEnded as exc:
            if not has_begun:
                raise Unauthorized("The session has ended.") from exc
            # The client may have left at the same moment.
            with contextlib.suppress(OSError):
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
