"""What a page is told of a sandbox, for how long, and that the sandbox sleeps without one."""

import httpx
import pytest
from django.contrib.sessions.models import Session

from sandboxes import control_plane, data_plane
from sandboxes.models import Phase, Sandbox
from sandboxes.reconciler.reconcile import reconcile
from sandboxes.streams.paths import SANDBOX_EVENTS
from tests.support.factories import SandboxFactory, make_token, pending
from tests.support.waiting import wait_until
from tests.support.web_process import TIMEOUT

pytestmark = pytest.mark.django_db(transaction=True)
SERVER = "python3 -m http.server 4321"


def paths(page):
    return [change["path"] for told in page.all("files") for change in told["changes"]]


def process(page, name):
    latest = page.all("processes")[-1:]
    found = [each for told in latest for each in told["processes"] if each["name"] == name]
    return found[0] if found else {}


def ports(page):
    return {each["port"]: each for told in page.all("ports")[-1:] for each in told["ports"]}


@pytest.mark.exhaustive
def test_a_page_hears_of_files_processes_and_ports(listen, made):
    page = listen(made.owner)
    wait_until(lambda: page.all("files"), TIMEOUT)

    data_plane.files.write_file(made.reach, "/blaxel/app/new <b>.txt", "text")
    data_plane.processes.start_process(made.reach, {"name": "web", "command": SERVER})

    wait_until(lambda: "/blaxel/app/new <b>.txt" in paths(page), TIMEOUT)
    wait_until(lambda: ports(page).get(4321, {}).get("process") == "web", TIMEOUT)
    assert process(page, "web")["status"] == "running"
    assert process(page, "web")["ports"] == [4321]
    assert ports(page)[4321]["loopbackOnly"] is False

    data_plane.processes.kill_process(made.reach, "web")

    wait_until(lambda: process(page, "web").get("status") == "killed", TIMEOUT)
    wait_until(lambda: 4321 not in ports(page), TIMEOUT)
    assert not [
        each
        for told in page.all("processes")
        for each in told["processes"]
        if each["name"].startswith("manta-")
    ]


def test_a_second_page_is_told_what_the_first_knows(listen, made):
    first = listen(made.owner)
    wait_until(lambda: first.all("processes"), TIMEOUT)

    second = listen(made.owner)

    wait_until(lambda: second.all("processes") and second.all("connected"), TIMEOUT)
    running = [
        each
        for each in data_plane.processes.list_processes(made.reach)
        if each["name"] == "manta-snapshot"
    ]
    assert len(running) == 1


def test_a_sandbox_stays_awake_while_a_page_listens_and_sleeps_after(listen, made, provider, bob):
    unused = SandboxFactory(owner=bob, **pending())
    page = listen(made.owner)
    wait_until(lambda: page.all("connected"), TIMEOUT)

    reconcile(unused.pk)
    # It is younger, so the time after which a sandbox sleeps has passed for both.
    wait_until(lambda: provider.server.sleeps(unused.name), TIMEOUT)
    assert not provider.server.sleeps(made.name)

    page.close()

    wait_until(lambda: provider.server.sleeps(made.name), TIMEOUT)


@pytest.mark.exhaustive
def test_a_sign_out_ends_it(listen, made):
    page = listen(made.owner)
    wait_until(lambda: page.all("connected"), TIMEOUT)

    Session.objects.all().delete()

    assert page.ends() == "over"


def test_it_ends_with_its_sandbox(listen, made):
    page = listen(made.owner)
    wait_until(lambda: page.all("connected"), TIMEOUT)

    Sandbox.objects.filter(pk=made.pk).update(phase=Phase.DELETING)
    control_plane.sandboxes.delete(made.name)

    assert page.ends() == "gone"


def test_strangers_and_tokens_hear_nothing(web, made):
    raw = make_token(made.owner, "files:read", "processes")

    stranger = httpx.get(f"{web.url}{SANDBOX_EVENTS}", trust_env=False)
    token = httpx.get(
        f"{web.url}{SANDBOX_EVENTS}", headers={"Authorization": f"Bearer {raw}"}, trust_env=False
    )

    assert (stranger.status_code, token.status_code) == (401, 401)


def test_a_page_is_told_in_the_stream_that_there_is_nothing_to_listen_to(listen, made):
    Sandbox.objects.filter(pk=made.pk).update(phase=Phase.DELETING)

    page = listen(made.owner)

    assert page.status == 200
    assert page.ends() == "gone"
