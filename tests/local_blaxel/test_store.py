import time

import pytest

from local_blaxel.store import PreviewRow, SandboxRow, Store, TokenRow


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


def sandbox(name="one", **facts):
    record = {"metadata": {"name": name}, "spec": {"runtime": {}}}
    return SandboxRow(name, record, "DEPLOYED", 1.0, 2.0, **facts)


def preview(**facts):
    return PreviewRow(**{"id": "p1", "sandbox": "one", "name": "web", "record": {}} | facts)


def test_a_store_of_an_earlier_version_is_opened(store, tmp_path):
    store.save_sandbox(sandbox())
    store._db.execute("UPDATE sandboxes SET record = json_remove(record, '$.origin', '$.archive')")
    store._db.execute("UPDATE sandboxes SET record = json_remove(record, '$.restartDue')")
    store._db.execute("DROP TABLE records")

    opened = Store(tmp_path / "store.sqlite3")

    assert opened.sandboxes() == [sandbox()]
    assert opened.volumes.all() == []
    opened.close()


def test_a_checkpoint_moves_the_log_into_the_database(store, tmp_path):
    store.save_sandbox(sandbox())
    path = tmp_path / "store.sqlite3"

    store.checkpoint()

    # A copy without its log: what the database itself holds.
    (tmp_path / "copy.sqlite3").write_bytes(path.read_bytes())
    copy = Store(tmp_path / "copy.sqlite3")
    assert copy.sandboxes() == [sandbox()]
    copy.close()


def test_a_sandbox_is_read_as_it_was_saved(store, tmp_path):
    saved = sandbox(instance="i1", asleep=True, events=[{"status": "DEPLOYED"}])
    store.save_sandbox(saved)

    assert store.sandbox("one") == saved
    assert Store(tmp_path / "store.sqlite3").sandboxes() == [saved]


def test_saving_again_replaces(store):
    store.save_sandbox(sandbox())
    store.save_sandbox(sandbox(instance="i2"))

    assert [row.instance for row in store.sandboxes()] == ["i2"]


def test_only_sandboxes_that_ended_are_tombstones(store):
    store.save_sandbox(sandbox("one"))
    store.save_sandbox(sandbox("two", ended_at=3.0))

    assert [row.name for row in store.ended_sandboxes()] == ["two"]


def test_a_preview_name_is_taken_once_in_a_sandbox(store):
    assert store.add_preview(preview(created_at=1.0))
    assert not store.add_preview(preview(id="p2", created_at=2.0))
    assert store.add_preview(preview(id="p3", sandbox="two", created_at=2.0))


def test_tokens_end_with_their_preview(store):
    store.add_preview(preview(created_at=1.0))
    store.add_token(TokenRow("t", "p1", "value", time.time() + 60, 1.0))

    store.forget_preview("p1")

    assert store.tokens("p1") == []


def test_what_has_expired_is_forgotten(store):
    now = time.time()
    store.add_preview(preview(created_at=1.0, expires_at=now - 1))
    store.add_preview(preview(id="p2", name="other", created_at=1.0))
    store.add_token(TokenRow("old", "p2", "a", now - 7200, 1.0))
    store.add_token(TokenRow("new", "p2", "b", now + 60, 2.0))

    store.forget_expired(now)

    assert store.preview_by_id("p1") is None
    assert [token.name for token in store.tokens("p2")] == ["new"]


def test_only_its_owner_may_read_the_file(store, tmp_path):
    assert (tmp_path / "store.sqlite3").stat().st_mode & 0o077 == 0
