import pytest
from django.core.cache import cache

from sandboxes import tasks
from tests.factories import SandboxFactory, UserFactory


@pytest.fixture(scope="session", autouse=True)
def job_queue():
    tasks.prepare()


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
