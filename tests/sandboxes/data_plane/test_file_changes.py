"""What a sandbox's watch says, and how it is told on."""

import json

import pytest

from sandboxes.data_plane import file_changes
from sandboxes.data_plane.file_changes import Burst, Change, read


def line(op, name="a", path="/blaxel", error=None):
    return json.dumps({"op": op, "name": name, "path": path, "error": error})


@pytest.mark.parametrize(
    ("op", "kind"),
    [("CREATE", "created"), ("WRITE", "changed"), ("REMOVE", "deleted"), ("RENAME", "deleted")],
)
def test_each_operation_has_its_kind(op, kind):
    assert read(line(op)) == Change("/blaxel/a", kind)


@pytest.mark.parametrize("said", ["", "[keepalive]", line("CHMOD"), line("WHATEVER")])
def test_what_changes_nothing_is_not_told(said):
    assert read(said) is None


@pytest.mark.parametrize("said", ["{", "[]", line("", error="lost"), '[{"a":' * 10_000])
def test_what_was_lost_is_known(said):
    with pytest.raises(ValueError):
        read(said)


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["created", "changed"], "created"),
        (["deleted", "created"], "changed"),
        (["created", "deleted"], "deleted"),
    ],
)
def test_of_one_path_one_change_is_told(kinds, told):
    burst = Burst()

    for kind in kinds:
        burst.add(Change("/a", kind))

    assert burst.as_json() == {"changes": [{"path": "/a", "kind": told, "times": 2}]}


def test_bursts_that_are_told_together_are_counted_together():
    first, second = Burst(), Burst()
    first.add(Change("/a", "created"))
    second.add(Change("/a", "changed"))
    second.add(Change("/a", "changed"))

    first.join(second)

    assert first.as_json() == {"changes": [{"path": "/a", "kind": "created", "times": 3}]}


def test_too_many_are_told_as_many():
    burst = Burst()

    for number in range(file_changes.MAX_CHANGES + 1):
        burst.add(Change(f"/{number}", "created"))

    assert burst.as_json() == {"many": True, "changes": []}
