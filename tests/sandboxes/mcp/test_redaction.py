"""What is kept of a call's arguments."""

import json
import math

import pytest

from sandboxes.mcp.redaction import masked
from tests.support.growth import BOUND, growth

LONG = "Zx9" * 14


@pytest.mark.parametrize(
    "arguments",
    [
        {"token": LONG},
        {"apiKey": LONG, "api_key": LONG},
        {"headers": {"Authorization": LONG}},
        {"env": {"ANYTHING": LONG}},
        {"secrets": [LONG]},
        {"command": f"curl -H 'Authorization: Bearer {LONG}' x"},
        {"command": f"GITHUB_TOKEN={LONG} gh pr list"},
        {"command": f'export DB_PASSWORD="{LONG} and more {LONG}"'},
        {"command": f"login --password {LONG}"},
        {"command": f"psql postgres://me:{LONG}@db/x"},
        {"content": f'{{"client_secret": "{LONG}"}}'},
        {"content": f"sk-{LONG} ghp_{LONG} github_pat_{LONG} xoxb-{LONG}"},
        {"content": "manta_pat_0123456789abcdef_" + "5" * 64},
        {"content": f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}\n{LONG}"},
        {"list": [{"deep": {"password": LONG}}]},
        {"x" * 1990 + f" sk-{LONG}": 1},
    ],
)
def test_a_secret_is_masked(arguments):
    kept = masked(arguments)

    assert LONG not in kept and "5" * 64 not in kept
    assert "[masked]" in kept


def test_what_is_none_stays():
    arguments = {"command": "npm test", "tokenLimit": 30, "path": "/blaxel/app/keys.ts", "ok": True}

    assert json.loads(masked(arguments)) == arguments


def test_what_is_long_is_cut_and_its_length_noted():
    kept = json.loads(masked({"content": "x" * 16_000_000, "list": list(range(99))}))

    assert kept["content"].endswith("… [16,000,000 characters]")
    assert len(kept["content"]) < 2_100
    assert kept["list"][-1] == "[49 more]"


def test_what_no_database_takes_is_replaced():
    assert "\0" not in masked({"a": "x\0y"}) and "\\u0000" not in masked({"a\0": "x\0y"})
    assert masked({"a": "\ud800"}).encode()


def test_what_is_nested_without_end_ends():
    nested = {}
    for _ in range(200):
        nested = {"a": nested}

    assert "[…]" in masked(nested)


@pytest.mark.parametrize(
    "text",
    [
        f"x=token={LONG}",
        f'password="{LONG}' + "y" * 5_000,
        "-" + "eyJ" + LONG + "." + LONG + ".",
        "A" * 1_900 + f" token={'b' * 1_900} " + f"sk-{LONG}" * 9,
    ],
)
def test_a_secret_that_is_cut_or_nested_is_masked(text):
    kept = masked({"content": text})

    assert LONG[:20] not in kept and "bbb" not in kept


def test_a_number_without_end_is_not_written():
    assert json.loads(masked({"number": 10**5_000})) == {"number": "[number]"}


WORDS = ["token-", "token=", "eyJ-", 'password="', "-----BEGIN ", "://a:", "Bearer ", "sk-"]


@pytest.mark.parametrize("word", WORDS)
def test_repeated_words_cost_no_more_than_their_length(word):
    texts = [{"x": (word * 4_000)[:size]} for size in (900, 3_600)]

    assert growth(masked, *texts) < BOUND


@pytest.mark.parametrize(
    "much",
    [
        lambda size: {"x": "token-" * 6 * size},
        lambda size: {str(number): ["token-" * 9] * 60 for number in range(size)},
        lambda size: {"token-" * 9 * size: {"token-" * 9 * size: "token-" * 9}},
    ],
)
def test_a_call_of_any_size_costs_what_its_budget_does(much):
    assert growth(masked, much(1_000), much(20_000)) < BOUND


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_what_is_kept_is_json(number):
    def refuse(constant):
        raise AssertionError(constant)

    json.loads(masked({"limit": number, "list": [number]}), parse_constant=refuse)
