from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sandboxes import errors
from sandboxes.models import Heartbeat, Phase, Sandbox
from sandboxes.presenters.panel import Panel
from tests.support.factories import SandboxFactory, pending

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def a_worker_and_a_provider_that_work(db):
    Heartbeat.note(Heartbeat.Subject.WORKER, ok=True)
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=True)


def test_the_workspace_shows_the_sandbox(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.get("/workspace/")

    assert response.status_code == 200
    assert alices_sandbox.name in response.text
    assert "Active" in response.text


def test_the_panel_is_a_page_without_htmx_and_a_fragment_with_it(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    page = client.get("/sandbox/panel/")
    fragment = client.get("/sandbox/panel/", headers=HTMX)

    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert alices_sandbox.name in fragment.text


def test_a_panel_that_has_not_changed_is_not_sent_again(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    client.get("/sandbox/panel/")
    version = Panel.of(Sandbox.objects.get()).version

    response = client.get("/sandbox/panel/", {"v": version}, headers=HTMX)

    assert response.status_code == 204
    assert "sandbox:checked" in response["HX-Trigger"]


@pytest.mark.parametrize("path", ["/account/", "/accounts/email/", "/nowhere/"])
def test_every_page_has_the_play_button(client, alices_sandbox, path):
    client.force_login(alices_sandbox.owner)

    response = client.get(path)

    assert 'id="play"' in response.text
    assert alices_sandbox.name in response.text


def test_reading_the_panel_has_the_worker_watch_the_row(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    client.get("/sandbox/panel/")

    assert Sandbox.objects.watched().get() == alices_sandbox


def test_initialize_asks_for_a_sandbox(client, alice):
    client.force_login(alice)

    response = client.post("/sandbox/initialize/")

    assert response.status_code == 302
    assert response.url == "/workspace/"
    assert Sandbox.objects.get(owner=alice).phase == Phase.PENDING


def test_retry_after_a_failure_starts_over_with_a_new_deadline(client, alice):
    past = timezone.now() - timedelta(minutes=5)
    SandboxFactory(
        owner=alice, phase=Phase.FAILED, provision_deadline=past, attempts=6, error_code="x"
    )
    client.force_login(alice)

    response = client.post("/sandbox/initialize/", headers=HTMX)

    sandbox = Sandbox.objects.get()
    assert response.status_code == 200
    assert sandbox.phase == Phase.PENDING
    assert sandbox.attempts == 0
    assert sandbox.error_code == ""
    assert sandbox.provision_deadline > timezone.now()


def test_refresh_marks_the_row_due(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    client.post("/sandbox/refresh/", headers=HTMX)

    assert Sandbox.objects.due().get() == alices_sandbox


@pytest.mark.parametrize(("port", "status"), [(8080, 400), (80, 400), (443, 400), (99999, 409)])
def test_a_port_that_can_have_no_preview_says_why(client, alices_sandbox, port, status):
    client.force_login(alices_sandbox.owner)

    answer = client.post(f"/sandbox/open/{port}/")

    assert answer.status_code == status
    assert "Port" in answer.text


def test_open_before_the_sandbox_is_ready_says_so(client, alice):
    SandboxFactory(owner=alice, **pending())
    client.force_login(alice)

    response = client.post("/sandbox/open/3000/")

    assert response.status_code == 409
    assert "not ready yet" in response.text


def test_open_of_a_sandbox_that_does_not_answer_is_a_page_and_not_a_traceback(
    client, alices_sandbox
):
    client.force_login(alices_sandbox.owner)

    response = client.post("/sandbox/open/3000/")

    assert response.status_code == 503
    assert "not answering" in response.text


def test_only_the_error_in_a_frame_may_be_framed(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    in_a_tab = client.post("/sandbox/open/3000/")
    in_a_frame = client.post("/sandbox/open/3000/?frame=1")

    assert "frame-ancestors 'none'" in in_a_tab["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in in_a_frame["Content-Security-Policy"]
    assert in_a_frame["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["/sandbox/refresh/", "/sandbox/open/3000/"])
def test_who_has_no_sandbox_has_nothing_to_act_on(client, alice, path):
    client.force_login(alice)

    assert client.post(path).status_code == 404


def test_an_error_is_a_notice_to_htmx(client, alice):
    SandboxFactory(owner=alice, phase=Phase.DELETING)
    client.force_login(alice)

    response = client.post("/sandbox/initialize/", headers=HTMX)

    assert response.status_code == 409
    assert response["HX-Retarget"] == "#notices"
    assert "<html" not in response.text


def test_the_panel_says_when_the_provider_does_not_answer(client, alices_sandbox):
    Heartbeat.note(Heartbeat.Subject.PROVIDER, ok=False)
    client.force_login(alices_sandbox.owner)

    response = client.get("/workspace/")

    assert "provider is not answering" in response.text


def test_the_panel_says_when_no_worker_runs(client, alices_sandbox):
    Heartbeat.objects.filter(subject="worker").update(ok_at=timezone.now() - timedelta(minutes=1))
    client.force_login(alices_sandbox.owner)

    response = client.get("/workspace/")

    assert "worker is not running" in response.text


@pytest.mark.parametrize(
    ("fields", "state", "action"),
    [
        (pending(), "provisioning", ""),
        ({"phase": Phase.FAILED, "error_message": "No such image."}, "failed", "Retry"),
        ({"phase": Phase.GONE}, "expired", "Recreate"),
        ({"phase": Phase.DELETING}, "deleting", ""),
        ({"provider_state": "STANDBY"}, "standby", ""),
        ({"provider_status": "NEW"}, "unknown", ""),
        ({"provider_status": "DEACTIVATED"}, "stopped", ""),
        ({"provider_status": "FAILED"}, "failed", "Retry"),
    ],
)
def test_each_state_has_a_page_and_a_way_out(client, alice, fields, state, action):
    sandbox = SandboxFactory(owner=alice, **fields)
    client.force_login(alice)

    response = client.get("/workspace/")

    panel = Panel.of(sandbox)
    assert (panel.state, panel.action_label) == (state, action)
    assert panel.word in response.text
    assert action in response.text


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, True),
        ({"restart_wanted_at": timezone.now()}, False),
        ({"provider_state": "STANDBY"}, False),
    ],
)
def test_a_preview_is_shown_by_itself_unless_that_would_wake(
    client, alice, settings, fields, shown
):
    settings.FRAME_PREVIEWS = True
    SandboxFactory(owner=alice, **fields)
    client.force_login(alice)

    response = client.get("/workspace/")

    assert ("data-autoload" in response.text) is shown


def test_the_stage_is_sent_only_to_who_has_another(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)
    here = {"view": Panel.of(alices_sandbox).view}

    same = client.get("/sandbox/stage/", here, headers=HTMX)
    other = client.get("/sandbox/stage/", {"view": "none"}, headers=HTMX)

    assert same.status_code == 204
    assert f'data-view="{here["view"]}"' in other.text


def test_hostile_text_from_outside_is_shown_as_text(client, alice):
    script = "<script>alert(1)</script>"
    SandboxFactory(owner=alice, phase=Phase.FAILED, error_message=script, image=script)
    client.force_login(alice)

    response = client.get("/workspace/")

    assert script not in response.text
    assert "&lt;script&gt;" in response.text


def test_the_workspace_makes_a_constant_number_of_queries(
    client, alices_sandbox, django_assert_max_num_queries
):
    client.force_login(alices_sandbox.owner)
    client.get("/workspace/")

    # session, user, sandbox, heartbeats, the last call, public ports
    with django_assert_max_num_queries(6):
        client.get("/workspace/")


def test_a_post_without_a_csrf_token_is_refused_and_does_nothing(alices_sandbox):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alices_sandbox.owner)

    response = client.post("/sandbox/refresh/")

    assert response.status_code == 403
    assert not Sandbox.objects.due().exists()


def test_the_panel_shows_where_agents_connect(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    text = client.get("/sandbox/panel/").text

    assert "http://localhost:8000/mcp" in text
    assert 'href="/sandbox/connect/"' in text


def test_the_workspace_is_painted_without_the_sandbox(client, alices_sandbox, provider):
    # Calls inside would be counted, like those to the provider.
    Sandbox.objects.filter(pk=alices_sandbox.pk).update(data_url=provider.root)
    client.force_login(alices_sandbox.owner)

    page = client.get("/workspace/").text

    assert 'id="pane-files"' in page
    assert provider.calls == []


@pytest.mark.parametrize("path", ["/workspace/", "/sandbox/stage/"])
def test_the_workspace_is_a_few_queries(path, client, alices_sandbox, django_assert_num_queries):
    client.force_login(alices_sandbox.owner)
    client.get(path)  # notes the browser, and has the row watched

    # The session, the user, the sandbox, the heartbeats, public ports, the last agent's call.
    with django_assert_num_queries(6):
        client.get(path)


def test_the_ports_of_a_sandbox_that_does_not_answer_say_so_in_their_place(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.get("/workspace/inside/ports/?look", headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert "3000" in response.text
    assert "not answering" in response.text


@pytest.mark.parametrize("pane", ["ports/?look", "processes/"])
@pytest.mark.parametrize("error", [errors.ProviderRejected, errors.ProviderUnavailable])
def test_why_a_pane_can_not_be_filled_is_said_in_it(
    client, alices_sandbox, monkeypatch, pane, error
):
    def refuse(*asked):
        raise error("The sandbox said no.")

    monkeypatch.setattr("sandboxes.data_plane.listening.list_listening", refuse)
    monkeypatch.setattr("sandboxes.data_plane.processes.find_process", refuse)
    client.force_login(alices_sandbox.owner)

    response = client.get(f"/workspace/inside/{pane}", headers={"HX-Request": "true"})

    assert response.status_code == 200
    assert "The sandbox said no." in response.text


def test_processes_that_can_not_be_listed_leave_what_was_listed(client, alices_sandbox):
    client.force_login(alices_sandbox.owner)

    response = client.get("/workspace/inside/processes/", headers={"HX-Request": "true"})

    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#process-trouble", "outerHTML")
