from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.local_blaxel import new_name
from tests.support.waiting import wait_until


def test_the_sdk_creates_a_sandbox_runs_a_command_and_deletes_it(sdk):
    sandbox = sdk.create({"name": new_name(), "image": "blaxel/prod-base:latest"})

    result = sandbox.process.exec({"command": "echo hello", "wait_for_completion": True})

    assert result.stdout == "hello\n"
    assert sdk.delete(sandbox.metadata.name).status == "DELETING"
    wait_until(lambda: sdk.get(sandbox.metadata.name).status == "TERMINATED")


def test_what_the_sdk_asked_for_comes_back_without_a_drift_warning(sdk, server):
    wanted = {
        "name": new_name(),
        "image": "blaxel/prod-base:latest",
        "memory": 1024,
        "region": "eu-lon-1",
        "ports": [{"name": "web", "target": 3000, "protocol": "HTTP"}],
        "envs": [{"name": "GREETING", "value": "hi"}],
        "labels": {"manta-owner": "7"},
        "ttl": "24h",
    }

    made = sdk.create_if_not_exists(wanted)
    again = sdk.create_if_not_exists(wanted)

    assert made.metadata.url == f"{server.url}/manta/sandboxes/{wanted['name']}"
    assert (made.spec.runtime.image, made.spec.runtime.memory) == ("blaxel/prod-base:latest", 1024)
    assert again.metadata.created_at == made.metadata.created_at
    assert again.metadata.labels["manta-owner"] == "7"
    assert 86_300 <= again.expires_in <= 86_400


def test_create_if_not_exists_never_changes_a_live_sandbox_and_the_sdk_says_so(sdk):
    name = new_name()
    sdk.create({"name": name, "memory": 512})

    with pytest.warns(UserWarning, match="memory"):
        again = sdk.create_if_not_exists({"name": name, "memory": 1024})

    assert again.spec.runtime.memory == 512


def test_a_name_that_is_taken_is_a_conflict(sdk, name):
    from blaxel.core.sandbox.default.sandbox import SandboxAPIError

    with pytest.raises(SandboxAPIError) as caught:
        sdk.create({"name": name})

    assert (caught.value.status_code, caught.value.code) == (409, "SANDBOX_ALREADY_EXISTS")


def test_twenty_creates_at_once_make_one_sandbox(server):
    body = {"metadata": {"name": new_name()}, "spec": {}}

    def create(_):
        return server.http.post("/v0/sandboxes?createIfNotExist=true", json=body)

    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(create, range(20)))

    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["metadata"]["createdAt"] for response in responses}) == 1
    started = {tuple(e["time"] for e in r.json()["events"]) for r in responses}
    assert len(started) == 1


def test_a_name_is_invented_when_none_is_given(server):
    first = server.http.post("/v0/sandboxes", json={"metadata": {}, "spec": {}}).json()
    second = server.http.post("/v0/sandboxes?createIfNotExist=true", json={}).json()

    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first["spec"]["runtime"]["image"] == "blaxel/base-image:latest"


def test_a_deleted_sandbox_is_a_tombstone_hidden_from_lists_and_its_name_is_free(server, name):
    server.http.delete(f"/v0/sandboxes/{name}")
    wait_until(lambda: server.get(name)["status"] == "TERMINATED")

    assert name not in server.names()
    shown = server.http.get("/v0/sandboxes?showTerminated=true&limit=200").json()["data"]
    assert name in [record["metadata"]["name"] for record in shown]
    assert server.http.delete(f"/v0/sandboxes/{name}").status_code == 404
    server.create(name)
    assert server.get(name)["status"] == "DEPLOYED"


def test_a_create_right_after_a_delete_waits_for_it(server, name):
    server.run(name, "touch /blaxel/old")

    server.http.delete(f"/v0/sandboxes/{name}")
    body = {"metadata": {"name": name}}
    made = server.http.post("/v0/sandboxes?createIfNotExist=true", json=body)

    assert made.status_code == 200
    assert server.run(name, "ls /blaxel/old")["exitCode"] != 0


def test_an_unknown_image_is_refused_by_name_with_the_supported_ones(sdk):
    from blaxel.core.sandbox.default.sandbox import SandboxAPIError

    with pytest.raises(SandboxAPIError, match="nobody/nothing:1") as caught:
        sdk.create({"name": new_name(), "image": "nobody/nothing:1"})

    assert (caught.value.status_code, caught.value.code) == (400, "IMAGE_NOT_FOUND")
    assert "blaxel/prod-base:latest" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"metadata": {"name": "Not_A_Name"}}, "VALIDATION_ERROR", "metadata.name"),
        ({"metadata": {"name": "n" * 50}}, "VALIDATION_ERROR", "metadata.name"),
        ({"metadata": {"name": 7}}, "VALIDATION_ERROR", "metadata.name"),
        ({"metadata": []}, "VALIDATION_ERROR", "metadata"),
        ({"metadata": {"labels": {"a": 1}}}, "VALIDATION_ERROR", "metadata.labels.a"),
        ({"spec": "x"}, "VALIDATION_ERROR", "spec"),
        ({"spec": {"region": "moon-1"}}, "INVALID_REGION", "spec.region"),
        ({"spec": {"volumes": [{"name": "v"}]}}, "INVALID_VOLUME", "spec.volumes"),
        ({"spec": {"runtime": {"memory": "lots"}}}, "VALIDATION_ERROR", "spec.runtime.memory"),
        ({"spec": {"runtime": {"memory": 10**30}}}, "VALIDATION_ERROR", "spec.runtime.memory"),
        ({"spec": {"runtime": {"image": 1}}}, "VALIDATION_ERROR", "spec.runtime.image"),
        ({"spec": {"runtime": {"ttl": "soon"}}}, "VALIDATION_ERROR", "spec.runtime.ttl"),
        ({"spec": {"runtime": {"expires": "never"}}}, "VALIDATION_ERROR", "spec.runtime.expires"),
        ({"spec": {"runtime": {"ports": [{"target": 0}]}}}, "INVALID_PORTS", "ports[0].target"),
        (
            {"spec": {"runtime": {"ports": [{"target": 1, "protocol": "SMOKE"}]}}},
            "INVALID_PORTS",
            "ports[0].protocol",
        ),
        ({"spec": {"runtime": {"envs": [{"name": "A=B"}]}}}, "VALIDATION_ERROR", "envs[0].name"),
        (
            {"spec": {"runtime": {"extraArgs": {"warp": "enabled"}}}},
            "VALIDATION_ERROR",
            "warp",
        ),
        (
            {"spec": {"runtime": {"extraArgs": {"nfs": "enabled", "iptables": "enabled"}}}},
            "VALIDATION_ERROR",
            "nfs",
        ),
        (
            {"spec": {"lifecycle": {"expirationPolicies": [{"type": "x", "value": "1h"}]}}},
            "VALIDATION_ERROR",
            "expirationPolicies[0].type",
        ),
    ],
)
def test_a_wrong_field_is_named_in_the_shape_of_a_create(server, body, code, field):
    response = server.http.post("/v0/sandboxes", json=body)

    error = response.json()
    assert response.status_code == error["status_code"] == 400
    assert error["code"] == code
    assert field in error["message"]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"metadata":{"name":NaN}}'),
        b"[" * 100_000,
        b'{"spec":{"network":' + b'{"a":' * 300 + b"1" + b"}" * 302,
    ],
)
def test_a_body_that_is_no_json_object_is_a_400(server, content):
    response = server.http.post("/v0/sandboxes", content=content)

    assert response.status_code == 400
    assert response.json()["code"] in ("INVALID_INPUT", "VALIDATION_ERROR")


def test_half_a_surrogate_pair_is_a_400(server):
    content = b'{"metadata":{"displayName":"\\ud800"}}'

    assert server.http.post("/v0/sandboxes", content=content).status_code == 400


def test_a_body_of_ten_megabytes_is_a_413(server):
    response = server.http.post("/v0/sandboxes", content=b'"' + b"x" * 10_000_000 + b'"')

    assert response.status_code == 413
    assert response.json()["code"] == "REQUEST_ENTITY_TOO_LARGE"


def test_a_port_listed_as_8080_is_accepted_and_written_in_upper_case(server):
    ports = [{"name": "api", "target": 8080, "protocol": "tls"}]

    name = server.create(runtime={"ports": ports})

    assert server.get(name)["spec"]["runtime"]["ports"] == [
        {"name": "api", "target": 8080, "protocol": "TLS"}
    ]


@pytest.mark.parametrize("timeout", ["0", "51", "soon", ""])
def test_a_creation_timeout_out_of_range_is_refused(server, timeout):
    headers = {"X-Blaxel-Creation-Timeout": timeout}

    assert server.http.post("/v0/sandboxes", json={}, headers=headers).status_code == 400


def test_the_sdk_gets_a_404_in_the_shape_it_reads(sdk):
    from blaxel.core.sandbox.default.sandbox import SandboxAPIError

    with pytest.raises(SandboxAPIError, match="not found") as caught:
        sdk.get("nobody-has-this")

    assert caught.value.status_code == 404


def test_an_unknown_address_of_the_control_plane_has_the_error_shape(server):
    missing = server.http.get("/v0/nothing-here")
    wrong_method = server.http.patch("/v0/sandboxes")

    assert (missing.status_code, missing.json()["code"]) == (404, 404)
    assert (wrong_method.status_code, wrong_method.json()["code"]) == (405, 405)


def test_secrets_are_masked_unless_asked_for_and_reach_the_process(server):
    envs = [{"name": "KEY", "value": "s3cret", "secret": True}, {"name": "OPEN", "value": "o"}]
    name = server.create(runtime={"envs": envs})

    shown = server.http.get(f"/v0/sandboxes/{name}?show_secrets=true").json()

    assert server.get(name)["spec"]["runtime"]["envs"][0]["value"] == "****"
    assert server.get(name)["spec"]["runtime"]["envs"][1]["value"] == "o"
    assert shown["spec"]["runtime"]["envs"][0]["value"] == "s3cret"
    assert server.run(name, "echo $KEY")["stdout"] == "s3cret\n"


def test_hub_images_and_locations_are_what_the_sdk_can_read(sdk):
    from blaxel.core.client.api.images.get_image import sync as get_image
    from blaxel.core.client.api.images.list_images import sync as list_images
    from blaxel.core.client.api.locations.list_locations import sync as list_locations
    from blaxel.core.client.api.sandboxhub.list_sandbox_hub_definitions import sync as list_hub
    from blaxel.core.client.client import client

    assert "blaxel/prod-base:latest" in [each.image for each in list_hub(client=client)]
    assert "blaxel/prod-base" in [each.metadata.name for each in list_images(client=client).data]
    image = get_image("sandbox", "blaxel/prod-base", client=client)
    assert image.spec.tag_count == 1
    assert "us-pdx-1" in [each.region for each in list_locations(client=client)]
