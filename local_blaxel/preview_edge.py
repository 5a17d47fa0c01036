"""Previews: one port of a sandbox, each on a host name of its own.

`http://<id>.localhost:PORT/` is the preview: a site of its own, for no two names below localhost
have a registrable domain in common. `/preview/<id>/` on this server's own origin is for programs,
whose resolvers don't know `*.localhost`. A browser is sent from there to the preview's own host,
and no cookie passes, so that the content is never of the origin the API is on, or of Manta's host.
"""

import contextlib
import hmac
import math
import re
import time
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from local_blaxel import access, edge, errors, preview_pages, sandbox_api
from local_blaxel.auth import Gate, Headers
from local_blaxel.errors import ApiError, NotFound, Unauthorized
from local_blaxel.fleet import Fleet
from local_blaxel.preview_connections import AccessEnded, PreviewConnections
from local_blaxel.preview_request import (
    COOKIE,
    OF_THE_HOST,
    PreviewRequest,
    confined,
    without_cookies,
    without_our_cookies,
)
from local_blaxel.proxy import Outgoing
from local_blaxel.store import PreviewRow, Record, Store, TokenRow

_BY_PATH = re.compile(rb"/preview/([a-z0-9-]{1,63})(/.*)?", re.DOTALL)
_SANDBOX_API = 443
# Manta on this machine shows a private preview in a frame; a page of another preview may not.
_FRAMED_BY = b"frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
POLICY_VIOLATION = 1008
# An address that opens a preview stays in no cache, and reaches no other site as a referrer.
_UNTRACED = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class PreviewEdge:
    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        gate: Gate,
        port: int,
        preview_connections: PreviewConnections,
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._gate = gate
        self._preview_connections = preview_connections
        self._own_port = port

    async def by_host(self, preview_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that came on the preview's own host name."""
        request = PreviewRequest(preview_id, scope["raw_path"], True, scope)
        await self._serve(request, receive, send)

    async def by_path(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request for `/preview/<id>/...`; browsers are sent to the host name."""
        match = _BY_PATH.fullmatch(scope["raw_path"])
        preview_id = match[1].decode() if match else ""
        request = PreviewRequest(preview_id, (match and match[2]) or b"/", False, scope)
        await self._serve(request, receive, send)

    async def _serve(self, request: PreviewRequest, receive: Receive, send: Send) -> None:
        row = None
        try:
            row = self._row(request)
            token = None if row.record["spec"]["public"] else self._token(request, row)
            response = self._answered_here(request, row, token)
            if response is not None:
                return await response(request.scope, receive, send)
            await self._carry_while_allowed(request, row, token, receive, send)
        except ApiError as error:
            port = row.record["spec"]["port"] if row else None
            render = _Renderer(request, port)
            await edge.answer(error, request.scope, receive, send, render)

    def _row(self, request: PreviewRequest) -> PreviewRow:
        row = self._store.preview_by_id(request.preview_id)
        ended = row is not None and row.expires_at is not None and row.expires_at <= time.time()
        if row is None or ended:
            raise NotFound("There is no such preview.", code="WORKLOAD_NOT_FOUND")
        return row

    def _answered_here(
        self, request: PreviewRequest, row: PreviewRow, token: TokenRow | None
    ) -> Response | None:
        """An answer that needs no sandbox: a redirect, or a preflight's; Unauthorized otherwise."""
        if not request.on_host and request.scope["type"] == "http" and request.comes_from_a_browser:
            return _redirect(307, self._host_url(request) + _with(request.scope["query_string"]))
        if row.record["spec"]["public"]:
            return None
        if token is None:
            if edge.is_preflight(request.scope):
                return Response(status_code=204, headers=_preflight_headers(row))
            raise Unauthorized("This preview is private.", code="AUTHENTICATION_REQUIRED")
        if request.on_host and request.reads and request.link_token == token.value.encode():
            return self._opened(request, row, token)
        return None

    def _token(self, request: PreviewRequest, row: PreviewRow) -> TokenRow | None:
        """The token that lets the request in: shown by it, of this preview, and not ended."""
        now = time.time()
        valid = [token for token in self._store.tokens(row.id) if token.expires_at > now]
        for shown in request.tokens():
            for token in valid:
                if hmac.compare_digest(shown, token.value.encode()):
                    return token
        return None

    def _opened(self, request: PreviewRequest, row: PreviewRow, token: TokenRow) -> Response:
        """Turn the token of a link into a cookie, and clear it from the address."""
        ends_at = min(token.expires_at, row.expires_at or math.inf)
        response = _redirect(303, self._host_url(request) + _with(request.query))
        cookie = (
            f"{COOKIE}{row.id}={token.value}; Path=/; Max-Age={math.ceil(ends_at - time.time())};"
            " Secure; HttpOnly; SameSite=None; Partitioned"
        )
        response.headers["Set-Cookie"] = cookie
        return response

    def _host_url(self, request: PreviewRequest) -> str:
        host = f"{request.preview_id}.localhost:{self._own_port}"
        return f"http://{host}{request.path.decode('ascii', 'replace')}"

    async def _carry_while_allowed(
        self,
        request: PreviewRequest,
        row: PreviewRow,
        token: TokenRow | None,
        receive: Receive,
        send: Send,
    ) -> None:
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        name, ends_at = (token.name, token.expires_at) if token else (None, math.inf)
        ends_at = min(ends_at, row.expires_at or math.inf)
        try:
            async with self._preview_connections.until(ends_at, row.id, name):
                await self._carry(request, row, receive, sent)
        except AccessEnded as exc:
            if not has_begun:
                raise Unauthorized("What opened this preview has ended.") from exc
            if request.scope["type"] == "websocket":
                # The client may have left at the same moment.
                with contextlib.suppress(OSError):
                    await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
            # An answer over HTTP shows by its missing end that it was broken off.

    async def _carry(
        self, request: PreviewRequest, row: PreviewRow, receive: Receive, send: Send
    ) -> None:
        spec = row.record["spec"]
        sandbox = self._fleet.live(row.sandbox)
        headers = without_our_cookies(self._gate.without_credentials(request.scope["headers"]))
        if not request.on_host:
            headers = without_cookies(headers)
        headers = _overlaid(headers, spec.get("requestHeaders", {}))
        if spec["port"] == _SANDBOX_API:
            # A session: the whole API of the sandbox, as by its own address.
            return await sandbox_api.carry(
                sandbox,
                request.path,
                request.query,
                headers,
                request.scope,
                receive,
                _amending(send, lambda answer: _amended(answer, spec, request.on_host)),
            )
        outgoing = Outgoing(
            access.target(request.path, request.query),
            access.forwarded(request.scope, headers),
            amend=lambda answer: _amended(answer, spec, request.on_host),
        )
        await access.port(sandbox, spec["port"], outgoing, request.scope, receive, send)


class _Renderer:
    """A page for a person, JSON for a program."""

    def __init__(self, request: PreviewRequest, port: int | None) -> None:
        self._request = request
        self._port = port

    def __call__(self, error: ApiError) -> Response:
        if self._request.wants_page:
            return preview_pages.explained(error, self._port)
        return errors.gateway(error)


def _redirect(status: int, location: str) -> Response:
    return Response(status_code=status, headers={**_UNTRACED, "Location": location})


def _with(query: bytes) -> str:
    return "?" + query.decode("ascii", "replace") if query else ""


def _amending(send: Send, amend: Callable[[Headers], Headers]) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": amend(list(message["headers"]))}
        await send(message)

    return sent


def _amended(answer: Headers, spec: Record, on_host: bool) -> Headers:
    """An answer's headers as the preview's settings and its privacy want them."""
    headers = confined(_overlaid(answer, spec.get("responseHeaders", {})))
    if not on_host:
        headers = without_cookies(headers)
    # Beside a policy of the app's own, not in its place: both hold.
    return headers if spec["public"] else [*headers, (b"content-security-policy", _FRAMED_BY)]


def _preflight_headers(row: PreviewRow) -> dict[str, str]:
    given: dict[str, str] = row.record["spec"].get("responseHeaders", {})
    return {
        name: value for name, value in given.items() if name.lower().encode() not in OF_THE_HOST
    }


def _overlaid(headers: Headers, extra: dict[str, str]) -> Headers:
    """Headers with some set to other values."""
    named = {name.lower().encode() for name in extra}
    kept = [pair for pair in headers if pair[0].lower() not in named]
    added = [(name.lower().encode(), value.encode("latin-1")) for name, value in extra.items()]
    return kept + added
