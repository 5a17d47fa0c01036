"""Each state of a sandbox as the panel, the live stream, the API and the admin's filter have it."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from sandboxes.admin.sandbox import SandboxAdmin, StatusFilter
from sandboxes.models import Phase, Sandbox
from sandboxes.models.status import NONE, STATES, UNKNOWN, Status
from sandboxes.presenters.panel import Panel
from sandboxes.presenters.serializers import SandboxSerializer
from sandboxes.streams.status import messages
from tests.support.factories import SandboxFactory, pending

pytestmark = pytest.mark.django_db


def rows():
    """Rows by name, with the state that each is in."""
    for state in STATES.values():
        if state.rows:
            more = pending() if state.rows["phase"] == Phase.PENDING else {}
            yield state, {**more, **state.rows}
        for report in sorted(state.reported):
            status, _, of_it = report.partition("/")
            yield (
                state,
                {
                    "provider_status": status,
                    "provider_state": of_it,
                    "known_status": state.status,
                },
            )
    odd = {"provider_status": "SOMETHING_NEW", "provider_state": "", "known_status": ""}
    yield UNKNOWN, odd


@pytest.fixture(scope="module")
def expected():
    return list(rows())


@pytest.fixture
def made(expected):
    return [(state, SandboxFactory(**fields)) for state, fields in expected]


def test_every_state_but_that_of_no_sandbox_has_rows(made):
    assert {state.name for state, _ in made} == STATES.keys() - {NONE.name}


def test_the_panel_and_the_live_stream_say_it_in_its_words(made):
    wrong = []
    for state, row in [*made, (NONE, None)]:
        panel = Panel.of(row)
        told = messages.state(panel)
        said = (panel.state, panel.word, panel.action_label, told["state"], told["word"])
        if said != (state.name, state.word, state.action, state.name, state.word):
            wrong.append((state.name, said))

    assert wrong == []


def test_programs_read_its_status(made):
    told = [(state, SandboxSerializer(row).data["status"]) for state, row in made]

    # What was never known is still to come.
    wrong = [
        (state.name, status)
        for state, status in told
        if status != (Status.PROVISIONING if state is UNKNOWN else state.status)
    ]
    assert wrong == []


def test_the_admin_finds_it_by_its_status_alone(made):
    wrong = []
    for status in Status:
        found = filtered(status)
        wrong += [
            (state.name, status)
            for state, row in made
            if (row.pk in found) != (state.status is status and state is not UNKNOWN)
        ]

    assert wrong == []


def filtered(status):
    request = RequestFactory().get("/", {"status": status})
    parameters = {"status": [str(status)]}
    model_admin = SandboxAdmin(Sandbox, admin.site)
    chosen = StatusFilter(request, parameters, Sandbox, model_admin)
    return {row.pk for row in chosen.queryset(request, Sandbox.objects.all())}
