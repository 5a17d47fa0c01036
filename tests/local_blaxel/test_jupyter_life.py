"""What a code interpreter remembers outlives standby and a kill of the server."""

import json

import pytest

from tests.support.waiting import wait_until


@pytest.fixture
def interpreter(own_server):
    """A sandbox with an interpreter that answers."""
    name = own_server.create(runtime={"image": "blaxel/jupyter-server:latest"})
    yield name
    own_server.http.delete(f"/v0/sandboxes/{name}")


def ask(server, name, path, **body):
    url = server.inside(name, f"/port/8888{path}")
    return server.http.post(url, json=body).raise_for_status()


def result(server, name, code, context):
    """What an execution's last expression was."""
    lines = ask(server, name, "/execute", code=code, context_id=context).text.splitlines()
    said = [json.loads(line) for line in lines if line]
    return next(each["text"] for each in said if each["type"] == "result")


@pytest.mark.exhaustive
def test_a_context_outlives_standby_and_a_kill_of_the_server(own_server, interpreter):
    context = ask(own_server, interpreter, "/contexts", language="python").json()["id"]
    ask(own_server, interpreter, "/execute", code="x = 20", context_id=context)
    wait_until(lambda: own_server.sleeps(interpreter))

    after_standby = result(own_server, interpreter, "x + 1", context)
    own_server.kill()
    own_server.start()
    after_the_kill = result(own_server, interpreter, "x + 2", context)

    assert (after_standby, after_the_kill) == ("21", "22")
