"""One name for a request, from the proxy in front of Manta to the provider behind it."""

import pytest
from django.urls import reverse
from starlette.testclient import TestClient

from manta.asgi import application
from manta.core.request_context import HEADER, bound, current_request_id
from sandboxes import control_plane, data_plane, errors
from sandboxes.models.reach import Reach
from tests.support.factories import SandboxFactory

GIVEN = "from-the-proxy-7f3a"


def test_every_answer_has_a_name_of_its_own(client):
    first, second = client.get("/"), client.get("/")

    assert len(first[HEADER]) == 16
    assert first[HEADER] != second[HEADER]


def test_a_strangers_name_is_not_believed(client):
    assert client.get("/", headers={HEADER: GIVEN})[HEADER] != GIVEN


def test_a_name_given_by_a_proxy_of_ours_is_kept(client, settings):
    settings.TRUSTED_PROXY_COUNT = 1

    assert client.get("/", headers={HEADER: GIVEN})[HEADER] == GIVEN


@pytest.mark.parametrize("name", ["short", "x" * 65, "a b c d e f g", "12345678\x0b", "<script>"])
def test_a_name_that_is_none_is_not_kept(client, settings, name):
    settings.TRUSTED_PROXY_COUNT = 1

    assert len(client.get("/", headers={HEADER: name})[HEADER]) == 16


@pytest.mark.parametrize("path", ["/healthz", "/mcp", "/live/sandbox", "/"])
def test_every_route_answers_under_the_name_that_a_proxy_of_ours_gave(db, settings, path):
    settings.TRUSTED_PROXY_COUNT = 1

    answer = TestClient(application).get(path, headers={HEADER: GIVEN})

    assert answer.headers.get_list(HEADER) == [GIVEN]


@pytest.mark.parametrize("path", ["/healthz", "/mcp", "/live/sandbox"])
def test_no_route_believes_a_strangers_name(db, path):
    answer = TestClient(application).get(path, headers={HEADER: GIVEN})

    assert len(answer.headers[HEADER]) == 16


def test_a_call_to_the_provider_carries_the_name(provider):
    with bound(GIVEN):
        control_plane.sandboxes.get("nobody")

    assert provider.request_id_of("GET", "/sandboxes/nobody") == GIVEN


@pytest.mark.exhaustive
def test_a_call_for_no_request_carries_none(provider):
    control_plane.sandboxes.get("nobody")

    assert provider.request_id_of("GET", "/sandboxes/nobody") is None


def test_a_call_to_a_sandbox_carries_the_name(provider):
    with bound(GIVEN), pytest.raises(errors.ProviderError):
        data_plane.processes.list_processes(Reach(f"{provider.root}/manta/sandboxes/nobody"))

    assert provider.request_id_of("GET", "/manta/sandboxes/nobody/process") == GIVEN


def test_the_error_page_shows_the_name_that_the_provider_got(client, alice, provider):
    sandbox = SandboxFactory(owner=alice, url=f"{provider.root}/manta/sandboxes/user-0")
    client.force_login(alice)
    path = "/manta/sandboxes/user-0/process"

    page = client.post(reverse("sandboxes:open", args=[sandbox.first_port]))

    assert page[HEADER] in page.text
    assert provider.request_id_of("POST", path) == page[HEADER]


def test_the_name_ends_with_the_request(client):
    client.get("/")

    assert current_request_id() == "-"


def test_local_blaxel_answers_under_the_callers_name(provider):
    answer = provider.server.http.get("/v0/sandboxes", headers={HEADER: GIVEN})

    assert answer.headers[HEADER] == GIVEN


def test_local_blaxel_logs_the_name_with_each_change(provider):
    provider.server.http.delete("/v0/sandboxes/nobody", headers={HEADER: "of-a-deletion-0c4e"})

    assert (
        "DELETE /v0/sandboxes/nobody: 404 [of-a-deletion-0c4e]" in provider.server.log.read_text()
    )
