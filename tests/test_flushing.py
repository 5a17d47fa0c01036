"""A flush after a test, while a process of the test still commits."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction

from accounts.models import User
from sandboxes.models import Sandbox
from tests.support.factories import SandboxFactory
from tests.support.waiting import wait_until

TABLES = f"{Sandbox._meta.db_table}, {User._meta.db_table}"
WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted)"


def flush_waits():
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return cursor.fetchone()[0]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks the whole database")
@pytest.mark.django_db(transaction=True)
def test_it_is_tried_again_after_a_deadlock():
    SandboxFactory()
    holds_the_users = threading.Event()

    def commit_late():
        try:
            with transaction.atomic():
                list(User.objects.select_for_update())
                holds_the_users.set()
                wait_until(flush_waits)
                list(Sandbox.objects.select_for_update())
        except OperationalError:
            pass  # PostgreSQL may end either of the two
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(commit_late)
        holds_the_users.wait()
        connection.ops.execute_sql_flush([f"TRUNCATE {TABLES} CASCADE"])
        late.result()

    assert not Sandbox.objects.exists()
