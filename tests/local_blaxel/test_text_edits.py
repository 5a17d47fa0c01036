"""The time that an edit takes: the texts are an agent's."""

import pytest

from local_blaxel.mcp.text_edits import replaced
from tests.support.growth import BOUND, MORE, growth

SIZE = 20_000


@pytest.mark.parametrize("kept", ["", "\r\n"], ids=["one kind of line end", "both kinds"])
@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("\n", lambda size: "\n" * (size // 2) + "x"),
        ("a\n", lambda size: "a"),
        ("ab", lambda size: "ba"),
    ],
    ids=["line ends", "many occurrences", "no line ends"],
)
def test_an_edit_costs_no_more_than_its_length(text, old, kept):
    def work(size):
        replaced(kept + text * size, old(size), "x\ny")

    assert growth(work, SIZE, MORE * SIZE) < BOUND
