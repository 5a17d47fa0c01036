import pytest

from tests.support.oauth_client import Agent


@pytest.fixture
def agent(db):
    return Agent()


@pytest.fixture
def browser(client, alice):
    client.force_login(alice)
    return client
