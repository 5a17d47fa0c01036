"""GET /live/inside: authenticate the page, and add it to the upstream of its sandbox."""

import resource

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from accounts.models import Scope as TokenScope
from sandboxes.errors import SandboxError
from sandboxes.streams import auth
from sandboxes.streams.auth import Principal, revocation_watcher
from sandboxes.streams.sandbox_events.page import Page
from sandboxes.streams.sandbox_events.upstream import Upstream
from sandboxes.streams.sse import message

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # nginx would keep it back until it has a buffer full.
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PER_USER = 10
_MAX_STREAMS = 2000


class InsideStream:
    """An ASGI endpoint. While no page listens, nothing is asked of a sandbox."""

    def __init__(self) -> None:
        self._upstreams: dict[int, Upstream] = {}
        self._pages: list[Page] = []
        # Each upstream has two files open, and each page one; half of all is for the rest.
        self._capacity = min(_MAX_STREAMS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = await self._allowed(Request(scope))
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        page = Page(found.user.pk)
        self._make_room(page)
        try:
            async with revocation_watcher.watching(found) as ended:
                upstream = self._upstream(found)
                upstream.join(page)
                headers = [
                    (name.lower().encode(), value.encode()) for name, value in _HEADERS.items()
                ]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await page.tell(receive, send, ended)
        finally:
            self._leave(found.sandbox.pk, page)

    async def _allowed(self, request: Request) -> Principal | Response:
        if "Authorization" in request.headers:  # it is for Manta's own pages
            return JSONResponse({"error": "Unauthorized"}, 401)
        try:
            auth.expect_method(request, "GET")
            found = await auth.authenticate(request, TokenScope.FILES_READ)
            auth.expect_parameters(request)
        except auth.AccessDenied as refused:
            # A page can't read why a stream is refused: it is told in the stream.
            return _over() if isinstance(refused.__cause__, SandboxError) else refused.response
        if len(self._pages) >= self._capacity:
            return auth.too_many("streams", 30)
        return found

    def _make_room(self, page: Page) -> None:
        """A person's oldest gives way when they have too many."""
        own = [each for each in self._pages if each.user == page.user and not each.is_over]
        for each in own[: max(0, len(own) - _PER_USER + 1)]:
            each.end("limit")
        self._pages.append(page)

    def _upstream(self, principal: Principal) -> Upstream:
        sandbox = principal.sandbox
        if sandbox.pk not in self._upstreams:
            self._upstreams[sandbox.pk] = Upstream(sandbox)
        return self._upstreams[sandbox.pk]

    def _leave(self, sandbox: int, page: Page) -> None:
        self._pages.remove(page)
        upstream = self._upstreams.get(sandbox)
        if upstream is None or page not in upstream.pages:
            return
        upstream.pages.remove(page)
        if not upstream.pages:
            upstream.close()
            del self._upstreams[sandbox]


def _over() -> Response:
    """A stream that says no more than that there is no sandbox to listen to just now."""
    return Response(message("end", {"reason": "gone"}), headers=_HEADERS)


inside_stream = InsideStream()
