import threading

import pytest
from django.core.cache import cache
from django.db import connection, connections

from manta import database
from sandboxes import gateway, tasks
from sandboxes.dataplane.client import client
from sandboxes.gateway.client import sdk
from tests.factories import SandboxFactory, UserFactory
from tests.local_blaxel.running import Server
from tests.provider import Provider


@pytest.fixture(scope="session", autouse=True)
def job_queue(django_db_setup, django_db_blocker):
    """The queue's tables, in the database of the tests where it is in one."""
    with django_db_blocker.unblock():
        tasks.prepare()
    yield
    tasks.queue.storage.close()
    # PostgreSQL drops no database that a thread of this process still has open.
    all_at_once = threading.Barrier(database.THREADS)
    close_all = database.threads.map(
        lambda _: (all_at_once.wait(30), connections.close_all()), range(database.THREADS)
    )
    list(close_all)
    if connection.vendor == "postgresql":
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


@pytest.fixture(autouse=True)
def no_rate_limits_from_other_tests():
    cache.clear()


@pytest.fixture
def alice(db):
    return UserFactory(email="alice@example.com")


@pytest.fixture
def bob(db):
    return UserFactory(email="bob@example.com")


@pytest.fixture
def alices_sandbox(alice):
    return SandboxFactory(owner=alice)


@pytest.fixture
def admin_user(db):
    return UserFactory(email="admin@example.com", is_staff=True, is_superuser=True)


@pytest.fixture(scope="session")
def blaxel():
    """local_blaxel, running, behind a proxy that can be told to misbehave."""
    server = Server()
    provider = Provider(server)
    provider.start()
    yield provider
    client().close()
    provider.stop()
    server.clear_away()


@pytest.fixture
def provider(db, blaxel, settings):
    """The provider that Manta uses in this test; empty and well-behaved at first."""
    settings.BLAXEL_API_URL = blaxel.url
    sdk.cache_clear()  # a test without this fixture may have set it up for another address
    gateway.warm()
    blaxel.reset()
    yield blaxel
    blaxel.reset()
    blaxel.delete_all()
