import os
import threading
import zlib
from pathlib import Path

import pytest
import xdist.scheduler
from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from manta.core import database
from sandboxes import control_plane
from sandboxes.control_plane.client import sdk
from sandboxes.data_plane.client import client
from sandboxes.data_plane.shares import shares
from sandboxes.models import Phase, Sandbox
from sandboxes.reconciler import pending
from sandboxes.reconciler.reconcile import reconcile
from tests.support import prepared_state
from tests.support.factories import SandboxFactory, UserFactory
from tests.support.factories import pending as fields_of_pending
from tests.support.faulty_provider import Provider
from tests.support.local_blaxel import Server
from tests.support.worker_process import running_worker

pytest_plugins = [
    "tests.support.flushing",
    "tests.support.leftovers",
]

TESTS = Path(__file__).parent
# Folders whose tests start processes. Those of BUSY use a processor all the time, and have the
# longest files; the others mostly wait.
BUSY_FOLDERS = ("serve", "chaos", "e2e")
PROCESS_FOLDERS = (*BUSY_FOLDERS, "local_blaxel", "scripts")
# Fixtures that start a process; a test that gets none of them, even through others, is fast.
PROCESS_FIXTURES = {"blaxel", "provider", "webs", "whole_web", "worker_process", "process"}


def pytest_xdist_auto_num_workers(config):
    """Two for each core, because tests of processes wait for these; one where no test does."""
    cores = os.cpu_count() or 1
    return cores if config.option.markexpr == "fast" else 2 * cores


def pytest_configure(config):
    if not _is_worker(config):
        prepared_state.make_folder()


def pytest_unconfigure(config):
    if not _is_worker(config):
        prepared_state.remove_folder()


def _is_worker(config):
    return hasattr(config, "workerinput")


class _Scheduling(xdist.scheduler.LoadFileScheduling):
    """A file is one worker's; files that share what is slow to start are few workers'.

    Browser tests need whole Mantas and Chromium, which takes most of a minute, and those of
    local_blaxel three servers.
    """

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        if file.startswith("tests/e2e/accessibility/"):
            return "accessibility"
        for folder in ("e2e", "local_blaxel"):
            if file.startswith(f"tests/{folder}/"):
                return f"{folder} {zlib.crc32(file.encode()) % 2}"
        return file


def pytest_xdist_make_scheduler(config, log):
    return _Scheduling(config, log)


def pytest_ignore_collect(collection_path, config):
    """Import no folder of which no test is fast, when only these are asked for."""
    is_left_out = config.option.markexpr == "fast" and _folder(collection_path) in PROCESS_FOLDERS
    return is_left_out or None


def pytest_itemcollected(item):
    """Mark what uses the database and what is fast, before -m selects by it."""
    fixtures = set(getattr(item, "fixturenames", ()))
    uses_database = "db" in fixtures or item.get_closest_marker("django_db")
    if uses_database and not item.get_closest_marker("data_plane"):
        item.add_marker("database")
    starts_a_process = (
        _folder(item.path) in PROCESS_FOLDERS
        or fixtures & PROCESS_FIXTURES
        or item.get_closest_marker("process")
        or item.get_closest_marker("exhaustive")
    )
    if not starts_a_process:
        item.add_marker("fast")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Put files that wait between those that are busy, so that processors always have work.

    The order stays random otherwise, but for fast tests, which are last: a worker that takes a
    long file last keeps the others waiting.
    """
    files = {item.path: None for item in items}
    busy = [path for path in files if _folder(path) in BUSY_FOLDERS]
    others = [path for path in files if _folder(path) not in BUSY_FOLDERS]
    # Busy files are long: none of them is to start when the others are nearly done.
    places = {path: 0.8 * number / len(busy) for number, path in enumerate(busy)}
    places |= {path: number / len(others) for number, path in enumerate(others)}
    items.sort(key=lambda item: 1 if item.get_closest_marker("fast") else places[item.path])


def _folder(path):
    return path.relative_to(TESTS).parts[0] if path != TESTS else ""


@pytest.fixture(scope="session", autouse=True)
def threads_close_their_connections(django_db_setup, django_db_blocker):
    yield
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
    shares.forget_all()


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
    control_plane.client.warm()
    blaxel.reset()
    yield blaxel
    blaxel.reset()
    blaxel.delete_all()


@pytest.fixture
def wanted(alice, provider):
    """Alice's sandbox, requested and not created yet."""
    return SandboxFactory(owner=alice, **fields_of_pending())


@pytest.fixture
def made(wanted, monkeypatch):
    """Alice's sandbox, which exists at the provider.

    The starter's files are there. Its server is not: to start it takes as long as all the rest.
    """
    with monkeypatch.context() as without_server:
        without_server.setattr(pending, "run_starter", lambda sandbox: None)
        made = _reconciled(wanted)
    made.starter_checked_at = timezone.now()
    made.save(update_fields=["starter_checked_at"])
    return made


@pytest.fixture
def serving(wanted):
    """Alice's sandbox, which exists at the provider; the starter's server answers."""
    return _reconciled(wanted)


def _reconciled(sandbox):
    reconcile(sandbox.pk)
    sandbox.refresh_from_db()
    assert sandbox.phase == Phase.READY, sandbox.error_message
    return sandbox


@pytest.fixture(scope="module")
def worker_process(blaxel, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), running_worker(blaxel) as process:
        yield process


@pytest.fixture
def worker(worker_process, provider):
    """A worker that runs, and is idle when the test ends."""
    yield worker_process
    assert worker_process.poll() is None
    Sandbox.objects.all().delete()
