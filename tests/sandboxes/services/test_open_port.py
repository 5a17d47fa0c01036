"""Opening a port leads to its private preview, or says why not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from sandboxes import control_plane, data_plane, errors, services
from sandboxes.data_plane.preview_url import with_path, with_token
from sandboxes.models import Sandbox
from tests.support.waiting import wait_until

pytestmark = pytest.mark.data_plane

PREVIEW = "http://x.preview.example"


def serve(sandbox, host, port):
    command = f"python3 -m http.server --bind {host} {port}"
    process = {"name": f"on-{port}", "command": command, "waitForCompletion": False}
    data_plane.processes.start_process(sandbox.reach, process)
    wait_until(
        lambda: (
            port in [found.port for found in data_plane.listening.list_listening(sandbox.reach)]
        ),
        30,
    )


def test_open_leads_to_the_starter_by_a_link_with_a_token(serving):
    link = services.ports.open_port(sandbox=serving, port=3000, actor=serving.owner)

    assert "bl_preview_token=" in link
    assert "It&rsquo;s running." in httpx.get(link).text
    assert httpx.get(link.partition("?")[0]).status_code == 401


def test_open_of_a_port_on_which_nothing_listens_says_what_to_do(serving, provider):
    provider.server.http.delete(provider.server.inside(serving.name, "/process/starter"))
    Sandbox.objects.update(starter_written_at=None)
    serving.refresh_from_db()

    with pytest.raises(errors.PortClosed, match=r"Nothing is listening on port 3000.*0\.0\.0\.0"):
        services.ports.open_port(sandbox=serving, port=3000, actor=serving.owner)


def test_a_port_that_is_in_no_list_opens_at_a_page(serving):
    serve(serving, "0.0.0.0", 5050)

    link = services.ports.open_port(
        sandbox=serving, port=5050, path="/?of=now", actor=serving.owner
    )

    assert "?of=now&bl_preview_token=" in link
    assert "Directory listing" in httpx.get(link).text


def test_a_server_on_loopback_is_refused_with_the_option_that_opens_it(serving):
    serve(serving, "127.0.0.1", 5051)

    with pytest.raises(errors.PortLoopbackOnly, match=r"127\.0\.0\.1.*--bind 0\.0\.0\.0"):
        services.ports.open_port(sandbox=serving, port=5051, actor=serving.owner)


def test_the_advice_names_the_address_on_which_the_server_listens(serving):
    serve(serving, "::1", 5052)

    with pytest.raises(errors.PortLoopbackOnly, match="port 5052 listens on ::1, inside"):
        services.ports.open_port(sandbox=serving, port=5052, actor=serving.owner)


@pytest.mark.parametrize("port", [80, 443, 8080])
def test_reserved_ports_are_refused_with_the_reason(alices_sandbox, port):
    with pytest.raises(errors.PortReserved, match=f"Port {port} is reserved"):
        services.ports.open_port(sandbox=alices_sandbox, port=port, actor=alices_sandbox.owner)


@pytest.mark.parametrize("port", [0, 65_536, 10**9])
def test_what_is_no_port_is_refused(alices_sandbox, port):
    with pytest.raises(errors.PortClosed, match="from 1 to 65535"):
        services.ports.open_port(sandbox=alices_sandbox, port=port, actor=alices_sandbox.owner)


def test_a_token_ends_at_the_server_whatever_the_browser_keeps(serving):
    address, token = control_plane.previews.mint_preview_token(
        serving.name, 3000, timedelta(seconds=2)
    )
    shown = {"X-Blaxel-Preview-Token": token}

    assert httpx.get(address, headers=shown).status_code == 200
    wait_until(lambda: httpx.get(address, headers=shown).status_code == 401, 30)


def test_a_token_opens_its_own_port_only(serving):
    _, token = control_plane.previews.mint_preview_token(serving.name, 3000, timedelta(hours=1))
    other = control_plane.previews.ensure_preview(serving.name, 5052)

    assert httpx.get(other, headers={"X-Blaxel-Preview-Token": token}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "http:evil.example",
        "@evil.example",
        ":80@evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "/..//evil.example",
        "/%2e%2e/%2E%2E//evil.example",
        "?next=//evil.example",
        "#//evil.example",
        "/a\r\nLocation: https://evil.example",
    ],
)
def test_no_path_leads_to_another_host(path):
    address = urlsplit(with_path(f"{PREVIEW}/", path))

    assert (address.scheme, address.netloc) == ("http", "x.preview.example")
    assert "//" not in address.path
    assert not {"\\", "\r", "\n", "\t", " "} & set(address.geturl())


def test_no_path_leaves_the_preview_where_that_is_a_folder_of_a_host():
    assert with_path("http://h/preview/abc", "/../../v0/sandboxes") == (
        "http://h/preview/abc/v0/sandboxes"
    )


def test_a_path_keeps_its_query_and_fragment_and_no_token_of_another():
    address = with_path(PREVIEW, "docs/a b?q=1&bl_preview_token=old&%62l_preview_token=x#part")

    assert with_token(address, "new") == (f"{PREVIEW}/docs/a%20b?q=1&bl_preview_token=new#part")


def test_a_script_from_a_closed_port_is_an_error_and_nothing_that_runs(serving):
    address, token = control_plane.previews.mint_preview_token(
        serving.name, 5053, timedelta(hours=1)
    )
    asked = {"Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "no-cors"}
    headers = {"X-Blaxel-Preview-Token": token, **asked}
    # By path a browser is sent on to the preview's own host, which httpx can't resolve.
    own = urlsplit(httpx.get(f"{address}/app.js", headers=headers).headers["Location"])
    server = urlsplit(address).netloc

    answer = httpx.get(f"http://{server}{own.path}", headers={**headers, "Host": own.netloc})

    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "application/json"


def test_several_look_at_once_and_nothing_of_it_is_shown(serving):
    with ThreadPoolExecutor(4) as pool:
        looks = list(
            pool.map(lambda _: data_plane.listening.list_listening(serving.reach), range(4))
        )

    assert {tuple(found.port for found in look) for look in looks} == {(3000,)}
    assert "manta-ports" not in str(services.processes.list_processes(sandbox=serving).processes)
