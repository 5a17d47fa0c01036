"""Globs that find at least the names that a query means."""

from fnmatch import fnmatchcase

import pytest

from sandboxes.data_plane.name_search import folded, globs


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("as", "aß"),
        ("strasse gross strasse", "straße groß straße"),
        ("strasse gross strasse", "strasse groß straße"),
        ("oﬃce", "OFFICE"),
        ("σ", "ς"),  # noqa: RUF001
        ("½", "1\u20442"),
        ("ŉ", "ʼN"),  # noqa: RUF001
        ("x-y_z.a", "X-Y_Z.A"),
        ("a b", "a\xa0b"),
        ("caf%E9", "caf%E9.txt"),
        ("[1]", "a[1]"),
    ],
)
def test_a_name_that_is_meant_has_a_glob(query, name):
    assert folded(query) in folded(name)
    assert any(fnmatchcase(name, glob) for glob in globs(query))


@pytest.mark.parametrize("query", ["km" * 100, "ss" * 100, "a" * 200, "é" * 200, "%E9" * 66])
def test_globs_are_no_longer_than_an_address_may_be(query):
    assert sum(len(glob.encode()) for glob in globs(query)) < 16_000


def test_other_names_have_none():
    assert not any(fnmatchcase("abc.txt", glob) for glob in globs("abd"))
