from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def sessions(sdk, name):
    return sdk.get(name).sessions


def test_sessions_are_made_listed_got_and_deleted(sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})

    listed = sessions.list()
    got = sessions.get(made.name)
    sessions.delete(made.name)

    assert [(each.name, each.token) for each in listed] == [(made.name, made.token)]
    assert (got.url, got.token) == (made.url, made.token)
    assert sessions.list() == []


def test_a_session_is_used_again_until_it_has_almost_expired(sessions):
    first = sessions.create_if_expired({"expires_at": datetime.now(UTC) + timedelta(hours=3)})
    again = sessions.create_if_expired({"expires_at": datetime.now(UTC) + timedelta(hours=3)})
    later = sessions.create_if_expired(
        {"expires_at": datetime.now(UTC) + timedelta(hours=9)}, delta_seconds=4 * 3600
    )

    assert again.token == first.token
    assert later.token != first.token


def test_a_deleted_session_lets_nobody_in(sdk, sessions):
    made = sessions.create({"expires_at": datetime.now(UTC) + timedelta(hours=1)})
    remote = sdk.from_session(made)
    sessions.delete(made.name)

    with pytest.raises(Exception, match=r"404|preview"):
        remote.fs.ls("/")
