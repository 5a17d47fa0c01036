import pytest

from sandboxes.streams.status.cursor import Cursor


def test_it_has_everything_up_to_an_id_and_some_beyond():
    cursor = Cursor(5).after(8)

    assert [number for number in range(1, 11) if cursor.has(number)] == [1, 2, 3, 4, 5, 8]


def test_it_is_read_as_it_was_written():
    cursor = Cursor(5, frozenset({12, 8}))

    assert str(cursor) == "5.8.12"
    assert Cursor.parse(str(cursor)) == cursor


def test_what_is_settled_needs_no_name_of_its_own():
    cursor = Cursor(5, frozenset({8, 12}))

    assert cursor.settled(10) == Cursor(10, frozenset({12}))
    assert cursor.settled(3) == cursor


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "5.", "5..6", "1e5", " 5", "\u0665", "5" * 30, "1" + ".2" * 1001]
)
def test_what_a_page_made_up_is_no_cursor(text):
    assert Cursor.parse(text) is None
