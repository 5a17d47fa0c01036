"""Settings as other variables make them, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

NAMES = [
    "DEBUG",
    "SESSION_COOKIE_NAME",
    "CSRF_COOKIE_NAME",
    "SESSION_COOKIE_SECURE",
    "ACCOUNT_EMAIL_VERIFICATION",
]


def start(tmp_path, **variables):
    code = f"""
import json
from manta import settings
print(json.dumps([getattr(settings, name) for name in {NAMES}]))
"""
    environ = {"PATH": os.environ["PATH"], "MANTA_STATE_DIR": str(tmp_path), **variables}
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
    )


def test_over_https_cookies_are_bound_to_the_host(tmp_path):
    found = json.loads(start(tmp_path, SECRET_KEY="x").stdout)

    assert found == [False, "__Host-sessionid", "__Host-csrftoken", True, "mandatory"]


def test_local_mode_is_production_with_plain_http_cookies(tmp_path):
    found = json.loads(start(tmp_path, SECRET_KEY="x", MANTA_LOCAL="1").stdout)

    assert found == [False, "sessionid", "csrftoken", False, "optional"]


def test_there_is_no_default_secret_key(tmp_path):
    process = start(tmp_path)

    assert process.returncode != 0
    assert "SECRET_KEY is not set" in process.stderr
