"""`manage.py doctor`: everything works, or the step that doesn't is named, and nothing is left."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import call_command

from operations.doctor.examinations import examine_installation
from operations.doctor.finding import Verdict
from sandboxes.models import Heartbeat, Orphan, Sandbox
from tests.support.waiting import wait_until
from tests.support.web_process import database_url

pytestmark = pytest.mark.django_db

NO = {"code": "QUOTA_EXCEEDED", "message": "no", "error": "no", "status_code": 403}
# Below the address of the sandbox's own API there is more: its calls come by a preview, too.
APP_PREVIEW = "^/preview/[^/]+/?$"
SANDBOX_STEPS = ["create", "starter", "file", "process", "port", "preview", "mcp", "delete"]


@pytest.fixture
def provider(provider, db):
    """With all calls on the way past the proxy, and a worker that gave a sign of life."""
    provider.carries_all = True
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
    return provider


def examine():
    return {finding.name: finding for finding in examine_installation()}


def verdicts(findings, *names):
    return [findings[name].verdict for name in names]


def run(capsys, *options):
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", *options)
    return ended.value.code, capsys.readouterr().out


def test_where_everything_works_nothing_fails(provider):
    found = examine()

    passed = ["settings", "database", "worker", "credentials", "image"]
    assert verdicts(found, *passed, *SANDBOX_STEPS) == [Verdict.OK] * 13
    assert found["create"].seconds > 0
    assert provider.server.names() == []


def test_the_throwaway_sandbox_is_nobodys(provider):
    examination = examine_installation()
    wait_until(lambda: next(examination).name == "create")

    (record,) = provider.server.records()
    labels = record["metadata"]["labels"]
    examination.close()

    assert record["metadata"]["name"].startswith("doctor-")
    assert "manta-doctor" in labels
    assert "manta-owner" not in labels
    assert record["spec"]["lifecycle"]["expirationPolicies"][0]["type"] == "date"
    assert not Sandbox.objects.exists()
    assert not Orphan.objects.exists()
    assert provider.server.names() == []


def test_the_command_says_all_and_ends_with_0(provider, capsys):
    status, said = run(capsys)

    assert status == 0
    assert "Private preview. The private preview opens, and only with a token." in said
    assert "FAILED" not in said


def test_as_json_it_is_one_object(provider, capsys):
    status, said = run(capsys, "--json")

    report = json.loads(said)
    assert (status, report["ok"]) == (0, True)
    assert [finding["name"] for finding in report["findings"]][-8:] == SANDBOX_STEPS


@pytest.mark.exhaustive
def test_a_refused_create_is_named_and_the_rest_is_not_tried(provider, capsys):
    provider.fails("POST", "/sandboxes", 403, NO, times=9)

    status, said = run(capsys)

    assert status == 1
    assert "FAILED" in said
    assert "quota" in said
    assert "Skipped: “Creating a sandbox” failed." in said
    assert "→ Make sure that the provider works, the image exists" in said


@pytest.mark.parametrize(
    ("method", "path", "step"),
    [
        ("PUT", "/filesystem//tmp/manta-check-", "file"),
        ("PUT", "/filesystem/tree", "starter"),
        ("GET", "/port/3000/", "port"),
        ("POST", "preview-3000/tokens", "preview"),
        ("GET", APP_PREVIEW, "preview"),
        ("POST", "/mcp", "mcp"),
    ],
)
def test_a_planted_fault_is_found_where_it_is(provider, method, path, step):
    provider.fails(method, path, 502, {"error": {"code": "BROKEN"}}, times=50)

    found = examine()

    failed = [name for name, finding in found.items() if finding.verdict is Verdict.FAILED]
    assert failed == [step]
    assert found[step].detail
    assert found[step].remedy
    assert found["delete"].verdict is Verdict.OK
    assert provider.server.names() == []


def test_an_answer_over_mcp_that_makes_no_sense_fails_that_step(provider):
    provider.fails("POST", "/mcp", 200, b"<html>", times=9)

    assert examine()["mcp"].verdict is Verdict.FAILED


def test_a_preview_that_is_open_to_everybody_fails(provider):
    provider.fails("GET", APP_PREVIEW, 200, b"come in", times=9)

    found = examine()

    assert found["preview"].verdict is Verdict.FAILED
    assert "open to everyone" in found["preview"].detail


def test_a_deletion_that_does_not_work_is_said(provider):
    provider.carries_all = False
    provider.fails("DELETE", "/sandboxes/doctor-", 503, {"error": "no"})

    found = examine()

    assert found["delete"].verdict is Verdict.FAILED
    assert "doctor-" in found["delete"].remedy
    assert provider.server.names() == []


def test_a_create_whose_answer_was_lost_leaves_nothing(provider):
    provider.loses_answer("POST", "/sandboxes")

    found = examine()

    assert found["create"].verdict is Verdict.FAILED
    assert provider.server.names() == []


def test_wrong_credentials_are_named(provider):
    provider.fails("GET", "/sandboxes/doctor-asks", 401, {"error": "no"}, times=9)

    found = examine()

    assert found["credentials"].verdict is Verdict.FAILED
    assert "BLAXEL_API_KEY" in found["credentials"].remedy
    assert found["create"].verdict is Verdict.SKIPPED


@pytest.mark.exhaustive
def test_an_image_that_the_hub_has_not_is_left_to_the_create(provider, settings):
    settings.SANDBOX_IMAGE = "acme/nope:latest"

    found = examine()

    assert found["image"].verdict is Verdict.SKIPPED
    assert found["create"].verdict is Verdict.FAILED
    assert "acme/nope:latest" in found["create"].detail


def test_a_missing_worker_is_named(provider):
    Heartbeat.objects.all().delete()

    found = examine()

    assert found["worker"].verdict is Verdict.FAILED
    assert "manage.py worker" in found["worker"].remedy
    assert found["create"].verdict is Verdict.OK


def test_a_mistake_in_the_settings_is_named(provider, settings):
    settings.SANDBOX_STARTER = "nope"

    found = next(examine_installation())

    assert (found.name, found.verdict) == ("settings", Verdict.FAILED)
    assert "SANDBOX_STARTER" in found.detail


def test_a_database_without_its_migrations_is_named(provider, monkeypatch):
    monkeypatch.setattr(
        "operations.doctor.installation.MigrationExecutor.migration_plan", lambda *args: ["one"]
    )

    assert "1 migrations have not been applied" in examine()["database"].detail


@pytest.mark.exhaustive
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["/sandboxes", "/mcp"])
def test_whoever_stops_it_leaves_no_sandbox(provider, number, moment):
    provider.hangs("POST", moment, seconds=3)
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "manta.settings",
        "DATABASE_URL": database_url(),
        "BLAXEL_API_URL": provider.url,
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "doctor"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As in a terminal: what a shell has in the background ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        # It has everything to do again that comes before that, on a machine that may have other
        # work; should it end early, it has said why.
        wait_until(lambda: provider.is_asked("POST", moment) or process.poll() is not None, 120)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130, out + err
    assert "has been deleted" in err
    wait_until(lambda: provider.server.names() == [])
