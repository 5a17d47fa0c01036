"""GET /live/inside: authenticate the page, and add it to the upstream of its sandbox."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from accounts.models import Scope as TokenScope
from sandboxes.errors import SandboxError
from sandboxes.streams import auth, sse
from sandboxes.streams.auth import Principal
from sandboxes.streams.limits import OpenStreams
from sandboxes.streams.revocation import revocation_watcher
from sandboxes.streams.sandbox_events.page import Page
from sandboxes.streams.sandbox_events.upstream import Upstream

_PER_USER = 10
_MAX_STREAMS = 2000


class InsideStream:
    """An ASGI endpoint. While no page listens, nothing is asked of a sandbox."""

    def __init__(self) -> None:
        self._upstreams: dict[int, Upstream] = {}
        # Each upstream has two files open, and each page one; half of all is for the rest.
        self._pages: OpenStreams[Page] = OpenStreams(
            per_user=_PER_USER, most=_MAX_STREAMS, files_share=6
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = await self._allowed(Request(scope))
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        page = Page(found.user.pk)
        self._pages.join(page.user, page)
        try:
            async with revocation_watcher.watching(found.credential) as revoked:
                upstream = self._upstream(found)
                upstream.join(page)
                await page.respond(receive, send, revoked)
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
            gone = isinstance(refused.__cause__, SandboxError)
            return sse.ended("gone") if gone else refused.response
        if self._pages.is_full:
            return auth.too_many("streams", 30)
        return found

    def _upstream(self, principal: Principal) -> Upstream:
        sandbox = principal.sandbox
        if sandbox.pk not in self._upstreams:
            self._upstreams[sandbox.pk] = Upstream(sandbox)
        return self._upstreams[sandbox.pk]

    def _leave(self, sandbox: int, page: Page) -> None:
        self._pages.leave(page.user, page)
        upstream = self._upstreams.get(sandbox)
        if upstream is None or page not in upstream.pages:
            return
        upstream.pages.remove(page)
        if not upstream.pages:
            upstream.close()
            del self._upstreams[sandbox]


inside_stream = InsideStream()
