"""What is kept of a call's arguments."""

import json

import pytest

from sandboxes.mcp.masking import masked

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
