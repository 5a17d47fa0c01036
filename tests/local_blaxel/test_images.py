"""The files that images put into /blaxel, which start with the command that the hub names."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from local_blaxel.hub import images
from tests.support.local_blaxel import Server, new_name
from tests.support.waiting import wait_until

INSTALL_SECONDS = 120


@pytest.fixture(scope="session")
def registry() -> None:
    """Skips where npm is missing or its registry does not answer."""
    npm = shutil.which("npm", path=images.PROGRAMS)
    if npm is None:
        pytest.skip("there is no npm on this machine")
    try:
        asked = subprocess.run([npm, "view", "vite", "name"], capture_output=True, timeout=30)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if asked.returncode:
        pytest.skip("the npm registry does not answer")


def create(server: Server, image: str, **headers: str) -> httpx.Response:
    body = {"metadata": {"name": new_name()}, "spec": {"runtime": {"image": f"blaxel/{image}"}}}
    return server.http.post("/v0/sandboxes", json=body, headers=headers, timeout=INSTALL_SECONDS)


def start(server: Server, image: str) -> tuple[dict[str, Any], str]:
    """Create a sandbox, start what the hub says, and read its first page."""
    response = create(server, image)
    assert response.status_code == 200, response.text
    record = response.json()
    name = record["metadata"]["name"]
    entry = next(e for e in server.http.get("/v0/sandbox/hub").json() if e["name"] == image)
    port = entry["ports"][-1]["target"]
    server.run(
        name,
        entry["command"],
        workingDir="/blaxel/app",
        waitForCompletion=False,
        waitForPorts=[port],
        timeout=60,
    )
    page = server.http.get(server.inside(name, f"/port/{port}/"), timeout=60)
    server.http.delete(f"/v0/sandboxes/{name}")
    return record, page.text


def test_the_python_app_starts_with_its_command(server):
    _, page = start(server, "py-app")

    assert "Hello from Python" in page


def test_the_node_image_has_node_and_npm(server, registry):
    name = create(server, "node").json()["metadata"]["name"]

    assert server.run(name, "node --version && npm --version")["exitCode"] == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("ts-app", "Hello from TypeScript"),
        ("vite", "/@vite/client"),
        ("nextjs", "Next.js app"),
    ],
)
def test_an_app_with_packages_starts_with_its_command(server, registry, image, text):
    record, page = start(server, image)

    assert text in page
    said = [event["message"] for event in record["events"] if event["status"] == "DEPLOYING"]
    assert said[1].startswith("Installing the npm packages of")
    assert said[2].startswith("Installed them in")


@pytest.mark.exhaustive
def test_first_uses_at_once_install_once_and_go_on_past_their_time(own_server, registry):
    with ThreadPoolExecutor(3) as pool:
        hurried = [
            pool.submit(create, own_server, "ts-app", **{"X-Blaxel-Creation-Timeout": "1"})
            for _ in range(3)
        ]
    assert [each.result().status_code for each in hurried] == [408, 408, 408]
    assert hurried[0].result().json()["code"] == "CREATION_TIMEOUT"

    wait_until(
        lambda: not list((own_server.state_dir / "homes").glob("*.building")), INSTALL_SECONDS
    )

    assert create(own_server, "ts-app", **{"X-Blaxel-Creation-Timeout": "5"}).status_code == 200
    assert len(list((own_server.state_dir / "homes").glob("ts-app-*"))) == 1


@pytest.mark.exhaustive
def test_packages_that_can_t_be_installed_fail_the_create(registry, registryless_server):
    response = create(registryless_server, "vite")

    assert response.status_code == 500
    assert response.json()["code"] == "DEPLOYMENT_FAILED"
    assert "npm packages of blaxel/vite:latest can't be installed" in response.json()["message"]


def test_an_image_whose_programs_are_missing_is_not_offered(monkeypatch, tmp_path):
    monkeypatch.setattr(images, "PROGRAMS", str(tmp_path))

    assert images.Hub().find("blaxel/vite") is None
    assert "py-app" in [image.name for image in images.Hub().all()]
