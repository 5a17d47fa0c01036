"""Reads of the database that a call of an agent takes, in this process."""

import asyncio
import logging

import httpx
import pytest

from accounts import agent_permissions
from accounts.models import PersonalToken
from sandboxes.mcp.endpoint import PATH, endpoint

pytestmark = [pytest.mark.data_plane, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def statements(settings):
    """The statements of all threads, as Django logs them."""
    settings.DEBUG = True
    found = []
    logger, handler = logging.getLogger("django.db.backends"), logging.Handler()
    handler.emit = lambda record: found.append(record.sql)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_call_looks_its_sandbox_up_once(made, token, statements):
    headers = {
        "Authorization": f"Bearer {token(made.owner)}",
        "Accept": "application/json, text/event-stream",
    }
    # Held to a folder, it asks the sandbox itself before the call.
    key = PersonalToken.objects.get().key
    agent_permissions.issue(
        user=made.owner, key=key, capabilities=["read"], path_prefix="/blaxel/app"
    )
    params = {"name": "fsReadFile", "arguments": {"path": "/blaxel/app/README.md"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

    async def call():
        transport = httpx.ASGITransport(endpoint)
        async with (
            endpoint.running(),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
        ):
            statements.clear()
            answer = await http.post(PATH, json=message, headers=headers)
            return answer.text, list(statements)

    told, asked = asyncio.run(call())

    assert '"isError":true' not in told, told
    assert "Manta" in told
    reads = [each for each in asked if each.startswith("SELECT")]
    assert len([each for each in reads if 'FROM "sandboxes_sandbox"' in each]) == 1, reads
