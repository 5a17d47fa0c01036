"""JSON of few bytes and many values is refused before it is read."""

import json
from contextlib import suppress

import pytest

from manta.core import json_values
from tests.support.growth import BOUND, growth

MANY = 1_000


@pytest.mark.parametrize("value", ["[]", "{}", '""', "1", '{"a":1}', '"\\\\"', '"\\""'])
def test_what_has_too_many_values_is_refused(value):
    text = f"[{','.join([value] * (MANY + 1))}]".encode()

    with pytest.raises(json_values.TooManyValues):
        json_values.loads(text, MANY)


@pytest.mark.parametrize("text", ["x" * 99_999, ',"[{' * 99_999, "\\", 'a\\"' * 9_999, "é\n"])
def test_a_long_text_is_one_value(text):
    assert json_values.loads(json.dumps({"content": text}).encode(), 10) == {"content": text}


@pytest.mark.parametrize(
    "text", [b'"' * 9_999, b'"\\' * 9_999, b"[" * 9_999, b'{"a' + b"," * 9_999]
)
def test_what_is_no_json_ends_too(text):
    with pytest.raises((ValueError, RecursionError)):
        json_values.loads(text, MANY)


@pytest.mark.parametrize("piece", [b'"', b'\\"', b'"\\', b"[,", b'"",'])
def test_it_costs_no_more_than_its_length(piece):
    texts = [piece * size for size in (5_000, 20_000)]

    assert growth(lambda text: _counted(text), *texts) < BOUND


def _counted(text):
    with suppress(json_values.TooManyValues):
        json_values.check(text, len(text) // 4)
