"""The server's description of itself: of every route, and of no other."""

import re

import pytest
from starlette.routing import WebSocketRoute

from local_blaxel import routes
from local_blaxel.agent import app as agent_app
from local_blaxel.agent.processes import ProcessTable
from local_blaxel.agent.sandbox import Sandbox
from local_blaxel.fleet import Fleet
from local_blaxel.hub.homes import Homes
from local_blaxel.hub.images import Hub
from local_blaxel.openapi.document import document
from local_blaxel.presentation import Presenter
from local_blaxel.preview_connections import PreviewConnections
from local_blaxel.store import Store

INSIDE = "/{}/sandboxes/{}"
METHODS = {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}
# Answered before any route table is asked.
AT_THE_EDGE = {
    ("GET", "/health"),
    ("GET", "/openapi.json"),
    ("POST", f"{INSIDE}/mcp"),
    *((method, f"{INSIDE}/port/{{}}/{{}}") for method in METHODS),
    *((method, "/preview/{}/{}") for method in METHODS),
}


@pytest.fixture
def control(launcher, tmp_path):
    store = Store(tmp_path / "store.sqlite3")
    fleet = Fleet(store, launcher, Hub(), Homes(tmp_path / "homes", launcher))
    presenter = Presenter("http://127.0.0.1", "manta")
    yield routes.control(fleet, store, launcher, presenter, PreviewConnections()).routes
    store.close()


@pytest.fixture
def agent():
    sandbox = Sandbox(instance="", home="/blaxel", isolation="none", environ={})
    return agent_app.routes(sandbox, ProcessTable(sandbox))


def described():
    return {
        (method.upper(), unnamed(path))
        for path, item in document()["paths"].items()
        for method in item
        if method.upper() in METHODS
    }


def routed(prefix, table):
    """Every method of every route; one without a path is the same as the one with an empty path."""
    there = {(method, route.path) for route in table for method in methods(route)}
    return {
        (method, prefix + unnamed(path))
        for method, path in there
        if (method, f"{path}/{{path:path}}") not in there
    }


def methods(route):
    return {"GET"} if isinstance(route, WebSocketRoute) else route.methods - {"HEAD"}


def unnamed(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_route_is_described_and_no_other_is(control, agent):
    there = routed("/v0", control) | routed(INSIDE, agent) | AT_THE_EDGE

    assert described() - there == set()
    assert there - described() == set()


def test_the_description_needs_no_key(server):
    response = server.http.get("/openapi.json", headers={"X-Blaxel-Authorization": ""})

    assert response.status_code == 200
    assert response.json() == document()
