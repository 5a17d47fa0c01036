"""The database is emptied after a test that commits, by deleting its rows.

Django's own flush takes a tenth of a second on SQLite and a whole one on PostgreSQL: it truncates
every table, which locks all of them, and makes content types and permissions anew.
"""

import time
from functools import cache

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

TRIES = 5
PAUSE = 0.2
# What migrations make, and no test changes.
KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def flush_deletes_rows():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: delete_all_rows())
        yield


def delete_all_rows():
    """Delete every row, again when what a process of the test still commits stood in the way.

    PostgreSQL may end the deletion to resolve a deadlock, and refuses it for a row that was added
    to a table which had been emptied already.
    """
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            return _delete_all_rows()
        except DatabaseError:
            if last:
                raise
        time.sleep(PAUSE)


def _delete_all_rows():
    # Foreign keys are checked at the end of the transaction, so that any order does.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


@cache
def _tables():
    of_models = set(connection.introspection.django_table_names(only_existing=True))
    return sorted(of_models - KEPT | {settings.CACHES["shared"]["LOCATION"]})
