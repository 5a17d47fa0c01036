"""The worker, as a process."""

import os
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from sandboxes import gateway, services, tasks
from sandboxes.models import Heartbeat, Phase, Sandbox, SandboxEvent
from tests.factories import SandboxFactory, UserFactory, pending
from tests.local_blaxel.running import until

pytestmark = pytest.mark.django_db(transaction=True)


def database_url():
    """Of the database that the tests use just now."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    host, port = found["HOST"] or "127.0.0.1", found["PORT"] or 5432
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{host}:{port}/{found['NAME']}"


@contextmanager
def running_worker(blaxel):
    environ = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        "DJANGO_SETTINGS_MODULE": "manta.settings",
        "DATABASE_URL": database_url(),
        "BLAXEL_API_URL": blaxel.url,
    }
    command = [sys.executable, "manage.py", "worker"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "Worker ready.\n"
            yield process
            process.terminate()
            assert process.wait(3) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def process(blaxel, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), running_worker(blaxel) as process:
        yield process


@pytest.fixture
def worker(process, provider):
    """A worker that runs, and is idle when the test ends."""
    yield process
    assert process.poll() is None
    Sandbox.objects.all().delete()


def phase():
    return Sandbox.objects.get().phase


def test_a_new_sandbox_is_made(worker):
    services.ensure_sandbox(user=UserFactory())

    until(lambda: phase() == Phase.READY)


def test_it_is_made_without_a_kick(worker):
    SandboxFactory(**pending())

    until(lambda: phase() == Phase.READY)


def test_a_failure_is_tried_again_until_it_works(worker, provider):
    provider.fails("POST", "/sandboxes", 503, {"code": "X", "message": "no"}, times=2)

    services.ensure_sandbox(user=UserFactory())

    until(lambda: phase() == Phase.READY)
    assert provider.count("POST", "/sandboxes") == 3


def test_a_watched_row_follows_its_sandbox_to_sleep(worker):
    services.ensure_sandbox(user=UserFactory())

    def seen_asleep():
        sandbox = Sandbox.objects.get()
        services.watch(sandbox)
        return sandbox.status == "standby"

    until(seen_asleep)


def test_signs_of_life_are_left_in_the_database(worker):
    services.watch(SandboxFactory())

    until(lambda: Heartbeat.of("worker").ok_at and Heartbeat.of("provider").ok_at)


def test_a_provider_that_hangs_is_said_to_be_failing(worker, provider):
    provider.hangs("GET", "/sandboxes", seconds=4)

    services.watch(SandboxFactory())

    until(lambda: Heartbeat.of("provider").is_failing)


def sqlite_queue():
    return not settings.REDIS_URL and "sqlite" in settings.DATABASES["default"]["ENGINE"]


@pytest.mark.skipif(not sqlite_queue(), reason="the job queue is not a SQLite file here")
def test_a_locked_queue_costs_a_request_little_and_loses_nothing(worker):
    lock = sqlite3.connect(settings.QUEUE_FILE, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")

    services.ensure_sandbox(user=UserFactory())
    assert not tasks.is_up()
    until(lambda: phase() == Phase.READY)

    lock.execute("ROLLBACK")
    lock.close()
    until(tasks.is_up)


def test_what_was_recorded_too_long_ago_is_forgotten(blaxel):
    long_ago = timezone.now() - settings.AUDIT_RETENTION - timedelta(days=1)
    SandboxEvent.objects.create(action="ready", actor_kind="job", created_at=long_ago)
    kept = SandboxEvent.objects.create(action="ready", actor_kind="job")

    with running_worker(blaxel):
        until(lambda: list(SandboxEvent.objects.all()) == [kept])


def test_a_worker_sends_the_reminders_that_are_due(made, blaxel):
    soon = (timezone.now() + timedelta(minutes=30)).replace(microsecond=0)
    gateway.set_expiry(made.name, soon)
    month = timedelta(days=30)
    Sandbox.objects.update(
        ttl=month, used_at=soon - month, expires_at=soon, remind_at=timezone.now()
    )

    with running_worker(blaxel):
        until(lambda: SandboxEvent.objects.filter(action="reminded").exists(), 30)

    assert made.reminders.get().lead == timedelta(hours=1)
    assert SandboxEvent.objects.get(action="reminded").outcome == "ok"
