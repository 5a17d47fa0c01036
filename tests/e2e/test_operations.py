"""What an admin does with a Manta that runs: doctor, metrics, backup."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.blaxel_client import KEY
from tests.support.manta_process import Manta
from tests.support.supervisor import ROOT
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until


def manage(manta: Manta, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make manage ARGS=…`, beside the `make run` that is running."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(manta.state_dir),
        "MANTA_STATE_DIR": str(manta.state_dir),
        "LOCAL_BLAXEL_PORT": str(manta.blaxel.http.base_url.port),
        "LOCAL_BLAXEL_API_KEY": KEY,
        # Empty, so that a developer's .env has no say.
        **dict.fromkeys(["BLAXEL_WORKSPACE_ID", "BLAXEL_API_KEY", "DATABASE_URL", "REDIS_URL"], ""),
    }
    command = [sys.executable, "-m", "scripts.manage", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.exhaustive
def test_the_doctor_finds_nothing_wrong(manta: Manta) -> None:
    done = manage(manta, "doctor", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = {found["name"]: found["verdict"] for found in json.loads(done.stdout)["findings"]}
    assert verdicts.pop("cache") == "skipped"
    assert set(verdicts.values()) == {"ok"}
    assert [name for name in manta.blaxel.names() if name.startswith("doctor-")] == []


@pytest.mark.exhaustive
def test_web_tells_prometheus_what_the_worker_did(manta: Manta, visitor: Visitor) -> None:
    def scrape() -> str:
        return httpx.get(f"{manta.url}/metrics", trust_env=False).raise_for_status().text

    wait_until(lambda: 'manta_sandbox_creates_total{outcome="ready"}' in scrape())

    assert visitor.email not in scrape()


@pytest.mark.exhaustive
def test_a_backup_is_taken_while_it_runs_and_not_restored_over_it(
    manta: Manta, visitor: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    assert manage(manta, "backup", str(file)).returncode == 0

    refused = manage(manta, "restore", str(file))

    assert refused.returncode == 1
    assert "Stop Manta first" in refused.stderr
    assert visitor.email.encode() in file.read_bytes()
    assert visitor.sandbox() is not None


def test_without_a_make_run_it_says_what_to_do(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "MANTA_STATE_DIR": str(tmp_path / "none")}
    command = [sys.executable, "-m", "scripts.manage", "doctor"]

    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "start `make run` first" in done.stdout
