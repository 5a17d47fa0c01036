"""The official TypeScript SDK, unmodified: the vitest suite beside this module."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.local_blaxel import KEY, Server

pytestmark = pytest.mark.exhaustive

SUITE = Path(__file__).with_name("typescript")
INSTALL_SECONDS, RUN_SECONDS = 150, 120
# What npm leaves behind when an installation was finished.
INSTALLED = SUITE / "node_modules" / ".package-lock.json"


@pytest.fixture(scope="session")
def npx() -> str:
    """The program that starts vitest; skips where it can't be had."""
    npm, npx = shutil.which("npm"), shutil.which("npx")
    if npm is None or npx is None:
        pytest.skip("there is no npm on this machine")
    lock = SUITE / "package-lock.json"
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < lock.stat().st_mtime:
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            installing = subprocess.run(
                command, cwd=SUITE, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            pytest.skip("the npm registry does not answer")
        assert "EUSAGE" not in installing.stderr, installing.stderr  # the lock is out of step
        if installing.returncode:
            pytest.skip(f"npm ci failed: {installing.stderr[-300:]}")
        INSTALLED.touch()
    return npx


def test_the_typescript_suite_passes(npx: str, server: Server):
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "BL_API_URL": f"{server.url}/v0",
        "BL_RUN_URL": server.url,
        "BL_WORKSPACE": "manta",
        "BL_API_KEY": KEY,
        "BL_REGION": "us-pdx-1",
        "BL_DISABLE_H2": "1",
        "DO_NOT_TRACK": "1",
    }

    ran = subprocess.run(
        [npx, "--no-install", "vitest", "run"],
        cwd=SUITE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
