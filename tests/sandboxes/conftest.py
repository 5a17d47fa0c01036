"""Alice's sandbox at a real provider, and a real web process that knows it."""

import pytest
from django.utils import timezone

from sandboxes.models import Sandbox
from sandboxes.reconciler.reconcile import reconcile
from tests.support import odd_names
from tests.support.hostile_server import Hostile
from tests.support.web_process import Web


@pytest.fixture
def look_again():
    """Have the reconciler look at a row now, whenever it meant to."""

    def look_again(sandbox):
        Sandbox.objects.filter(pk=sandbox.pk).update(next_attempt_at=timezone.now())
        reconcile(sandbox.pk)
        sandbox.refresh_from_db()

    return look_again


@pytest.fixture
def record_at_provider(provider):
    return lambda sandbox: provider.server.get(sandbox.name)


@pytest.fixture
def files_api(client, made):
    """Ask the files API as the owner of the sandbox: method, route, body and query."""
    client.force_login(made.owner)

    def files_api(method, route="", body=None, /, **query):
        where = "/api/sandbox/files" + route
        if method in ("get", "delete"):
            return client.generic(method.upper(), where, query_params=query)
        return getattr(client, method)(where, body, content_type="application/json")

    return files_api


@pytest.fixture
def run(made, provider):
    """Run a command in the sandbox's home."""
    return lambda command: provider.server.run(made.name, command, workingDir="/blaxel")


@pytest.fixture
def odd(run):
    """Files of names that are not UTF-8, in a folder of such a name: see odd_names."""
    assert run(odd_names.making())["exitCode"] == 0


@pytest.fixture(scope="session")
def whole_web(django_db_setup, blaxel):
    running = Web(BLAXEL_API_URL=blaxel.url).until_ready()
    yield running
    said = running.clear_away()
    assert "Traceback" not in said, said
    assert "manta_pat_" not in said


@pytest.fixture
def web(transactional_db, whole_web):
    return whole_web


@pytest.fixture
def hostile():
    """A server of a sandbox's that answers as the test says."""
    server = Hostile()
    yield server
    server.stop()
