"""`make chaos`, for seconds instead of minutes: it finds nothing, and finds what was planted."""

import subprocess
import sys

import pytest

from tests.support.supervisor import ROOT

pytestmark = pytest.mark.exhaustive


def chaos(*arguments):
    command = [sys.executable, "-m", "chaos", "--people", "2", "--seed", "7", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)


@pytest.mark.timeout(600)
def test_killing_processes_loses_nothing():
    ran = chaos("--minutes", "0.5")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "kill -9" in ran.stdout
    assert "no lost file" in ran.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("orphan", "sandboxes without a row: ['user-999999']"),
        ("lost-file", "is None, not"),
    ],
)
def test_a_planted_fault_is_found(fault, found):
    ran = chaos("--minutes", "0.05", "--plant", fault)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "MISMATCH" in ran.stdout
    assert found in ran.stdout
