"""The end of a test that commits, while a process of the test still works."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection, transaction

from accounts.models import User
from sandboxes.models import Sandbox
from tests.support.factories import SandboxFactory
from tests.support.flushing import delete_all_rows
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return cursor.fetchone()[0]


def test_nothing_stays_but_what_migrations_made():
    SandboxFactory().owner.user_permissions.add(Permission.objects.first())

    delete_all_rows()

    assert not User.objects.exists()
    assert not Sandbox.objects.exists()
    assert not User.user_permissions.through.objects.exists()
    assert Permission.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
def test_a_deadlock_does_not_end_it():
    SandboxFactory()
    holds_the_sandbox = threading.Event()

    def commit_late():
        try:
            with transaction.atomic():
                list(Sandbox.objects.select_for_update())
                holds_the_sandbox.set()
                wait_until(somebody_waits)
                list(User.objects.select_for_update())
        except OperationalError:
            pass  # PostgreSQL may end either of the two
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(commit_late)
        holds_the_sandbox.wait()
        delete_all_rows()
        late.result()

    assert not Sandbox.objects.exists()
