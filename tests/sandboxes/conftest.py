"""Alice's sandbox at a real provider, and a real web process that knows it."""

import pytest
from django.utils import timezone

from sandboxes.models import Phase, Sandbox
from sandboxes.reconcile import reconcile
from tests.factories import SandboxFactory, pending
from tests.sandboxes.live.running import Web


@pytest.fixture
def wanted(alice, provider):
    """Asked for, and not made yet."""
    return SandboxFactory(owner=alice, **pending())


@pytest.fixture
def made(wanted):
    reconcile(wanted.pk)
    wanted.refresh_from_db()
    assert wanted.phase == Phase.READY, wanted.error_message
    return wanted


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


@pytest.fixture(scope="module")
def whole_web(django_db_setup, blaxel):
    running = Web(BLAXEL_API_URL=blaxel.url).until_ready()
    yield running
    said = running.clear_away()
    assert "Traceback" not in said, said
    assert "manta_pat_" not in said


@pytest.fixture
def web(transactional_db, whole_web):
    return whole_web
