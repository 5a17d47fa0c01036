import pytest

from operations import failures, metrics_store


@pytest.fixture
def no_failures():
    """Nothing that other tests have made go wrong is counted."""
    failures._kinds.clear()
    yield
    failures._kinds.clear()


@pytest.fixture
def first_flush():
    """As in a process that has just started: its counts are written with the next flush."""
    metrics_store._written.clear()
