"""The whole server, put together; the control plane's own routes are in routes.py."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local_blaxel import auth, routes
from local_blaxel.config import Config
from local_blaxel.edge import Edge
from local_blaxel.egress import Egress
from local_blaxel.errors import ApiError
from local_blaxel.fleet import Fleet
from local_blaxel.health import Health
from local_blaxel.hub.homes import Homes
from local_blaxel.hub.images import Hub
from local_blaxel.hub.roots import Roots
from local_blaxel.launcher import Launcher
from local_blaxel.lifecycle import Lifecycle
from local_blaxel.middleware import ErrorRenderer, PreviewHosts, RequestTracing, RequireApiKey
from local_blaxel.openapi import document
from local_blaxel.presentation import Presenter
from local_blaxel.preview_connections import PreviewConnections
from local_blaxel.preview_edge import PreviewEdge
from local_blaxel.schedules import Scheduler
from local_blaxel.sessions import Sessions
from local_blaxel.store import Store

# Beginnings of the paths that the router knows.
_ROUTED = ("/v0", "/health", "/openapi.json")


def build(config: Config, port: int, store: Store, launcher: Launcher) -> ASGIApp:
    gate = auth.Gate(config.workspace, config.api_key)
    presenter = Presenter(f"http://127.0.0.1:{port}", config.workspace)
    # An image's root is only used where sandboxes have a root of their own.
    roots = None if launcher.isolation == "none" else Roots(config.state_dir / "images")
    hub = Hub(roots)
    homes = Homes(config.state_dir / "homes", launcher)
    fleet = Fleet(store, launcher, hub, homes)
    preview_connections = PreviewConnections()
    preview_edge = PreviewEdge(fleet, store, gate, port, preview_connections)
    control = routes.control(fleet, store, launcher, presenter, preview_connections)
    mounts = [
        Route("/health", Health(fleet, launcher).get),
        Route("/openapi.json", document.get),
        Mount("/v0", control, middleware=[Middleware(RequireApiKey, gate)]),
    ]

    render_error = ErrorRenderer(config.workspace)
    handlers = {ApiError: render_error, HTTPException: render_error}
    lifespan = _lifespan(config, fleet, store, launcher, homes)
    app = Starlette(routes=mounts, exception_handlers=handlers, lifespan=lifespan)
    app.router.redirect_slashes = False
    # And no Mount, whose pattern ends at a newline: a file's name may have one.
    edge = Edge(fleet, gate, Sessions(store, preview_connections))

    async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
        is_preview = scope["raw_path"].startswith(b"/preview/")
        await (preview_edge.by_path if is_preview else edge)(scope, receive, send)

    app.router.default = by_path
    control_plane = RequestTracing(app)

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        # What goes into a sandbox is far more often asked for than all else, and passes no router.
        is_control = scope["type"] == "lifespan" or scope["path"].startswith(_ROUTED)
        await (control_plane if is_control else by_path)(scope, receive, send)

    return PreviewHosts(server, preview_edge)


def _lifespan(
    config: Config, fleet: Fleet, store: Store, launcher: Launcher, homes: Homes
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what runs as long as the server: its background work, and the end of all parts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await fleet.take_over()
        lives = [
            asyncio.create_task(Lifecycle(fleet, store, config).run()),
            asyncio.create_task(Scheduler(fleet, store).run()),
            asyncio.create_task(store.keep_short()),
            asyncio.create_task(Egress(fleet, launcher, config.egress_allow).run()),
        ]
        yield
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        await fleet.close()
        await homes.close()
        await launcher.close()
        store.close()

    return lifespan
