import pytest

from tests.support.local_blaxel import Server, new_name


@pytest.fixture
def volumes(sdk):
    from blaxel.core import SyncVolumeInstance

    return SyncVolumeInstance


@pytest.fixture
def volume(volumes):
    return volumes.create({"name": new_name(), "size": 2048, "region": "us-pdx-1"})


def attach(sdk, volume, path="/data", **more):
    volumes = [{"name": volume, "mount_path": path, **more}]
    return sdk.create({"name": new_name(), "region": "us-pdx-1", "volumes": volumes})


def refusal(server, *volumes):
    return server.http.post("/v0/sandboxes", json={"spec": {"volumes": list(volumes)}})


def test_the_sdk_makes_finds_grows_lists_and_deletes_a_volume(volumes, volume):
    again = volumes.create_if_not_exists({"name": volume.name, "region": "us-pdx-1"})
    grown = volumes.update(volume.name, {"size": 4096, "labels": {"a": "b"}})
    listed = {each.name for each in volumes.list().data}
    volumes.delete(volume.name)

    assert (volume.size, again.size, grown.size) == (2048, 2048, 4096)
    assert grown.metadata.labels["a"] == "b"
    assert volume.name in listed
    assert volume.name not in {each.name for each in volumes.list().data}


def test_a_volume_is_written_at_its_path_and_outlives_its_sandbox(sdk, server, volumes, volume):
    first = attach(sdk, volume.name, "/mnt/deep/data").metadata.name
    server.run(first, "echo kept > /mnt/deep/data/file")
    attached_to = volumes.get(volume.name).volume.state.attached_to
    server.delete(first)

    second = attach(sdk, volume.name).metadata.name

    assert attached_to == f"sandbox:{first}"
    assert server.run(second, "cat /data/file")["stdout"] == "kept\n"
    server.delete(second)
    volumes.delete(volume.name)


def test_a_volume_outlives_its_sandbox_whoever_runs_the_server(any_server):
    any_server.http.post("/v0/volumes", json={"metadata": {"name": "kept"}}).raise_for_status()
    volumes = [{"name": "kept", "mountPath": "/mnt/deep/data"}]
    first = any_server.create(volumes=volumes)
    any_server.run(first, "echo kept > /mnt/deep/data/file")
    under_it = any_server.http.delete("/v0/volumes/kept").status_code
    any_server.delete(first)

    second = any_server.create(volumes=volumes)

    assert any_server.run(second, "cat /mnt/deep/data/file")["stdout"] == "kept\n"
    any_server.delete(second)
    assert (under_it, any_server.http.delete("/v0/volumes/kept").status_code) == (409, 200)


@pytest.fixture
def unconfined_server():
    running = Server(LOCAL_BLAXEL_ISOLATION="none")
    yield running
    running.clear_away()


@pytest.mark.exhaustive
def test_without_isolation_nothing_is_mounted(unconfined_server):
    scratch = {"name": "s", "type": "ephemeral", "sizeMb": 1, "mountPath": "/data"}

    refused = refusal(unconfined_server, scratch)

    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_VOLUME")
    assert "without isolation" in refused.json()["message"]
    assert unconfined_server.names() == []


def test_a_volume_has_one_sandbox_and_is_not_deleted_under_it(sdk, server, volumes, volume):
    from blaxel.core.sandbox.default.sandbox import SandboxAPIError
    from blaxel.core.volume.volume import VolumeAPIError

    holder = attach(sdk, volume.name)

    with pytest.raises(SandboxAPIError) as second:
        attach(sdk, volume.name)
    with pytest.raises(VolumeAPIError) as deletion:
        volumes.delete(volume.name)

    assert (second.value.status_code, second.value.code) == (409, "VOLUME_ALREADY_ATTACHED")
    assert deletion.value.status_code == 409
    server.delete(holder.metadata.name)
    volumes.delete(volume.name)


def test_a_volume_is_there_after_the_sandbox_was_restarted(sdk, server, volume):
    name = attach(sdk, volume.name).metadata.name
    server.run(name, "echo kept > /data/file")
    record = server.get(name)
    record["spec"]["runtime"]["envs"] = [{"name": "NEW", "value": "1"}]

    server.http.put(f"/v0/sandboxes/{name}", json=record).raise_for_status()

    assert server.run(name, "cat /data/file; echo $NEW")["stdout"] == "kept\n1\n"


def test_scratch_space_and_read_only_volumes(server, volume):
    scratch = {"name": "s", "type": "ephemeral", "sizeMb": 100, "mountPath": "/blaxel/scratch"}
    closed = {"name": volume.name, "mountPath": "/srv/data", "readOnly": True}
    name = server.create(volumes=[scratch, closed])

    written = server.run(name, "echo hi > /blaxel/scratch/x && cat /blaxel/scratch/x")
    refused = server.run(name, "touch /srv/data/x")

    assert written["stdout"] == "hi\n"
    assert "Read-only" in refused["stderr"]
    server.delete(name)


@pytest.mark.parametrize("folder", ["/blaxel", "/srv"])
def test_a_link_on_the_way_to_a_mount_is_not_followed_out_of_the_sandbox(server, tmp_path, folder):
    path = f"{folder}/way/to/data"
    scratch = {"name": "s", "type": "ephemeral", "sizeMb": 1, "mountPath": path}
    name = server.create(volumes=[scratch])
    link = f"mv {folder}/way {folder}/old && ln -s ../../oldroot/{tmp_path} {folder}/way"
    assert server.run(name, link)["exitCode"] == 0
    record = server.get(name)
    record["spec"]["runtime"]["envs"] = [{"name": "NEW", "value": "1"}]

    server.http.put(f"/v0/sandboxes/{name}", json=record).raise_for_status()

    assert server.run(name, f"touch {path}/x")["exitCode"] == 0
    assert list(tmp_path.iterdir()) == []
    server.delete(name)


@pytest.mark.parametrize(
    "path",
    [
        *("", "data", "/", "/blaxel", "/tmp", "/usr/local/x", "/etc/x", "/proc/1", "/dev/shm/x"),
        *("/data/../etc", "//data", "/lib64", "/opt/local_blaxel/lib", "/da\nta", 7, None),
    ],
)
def test_a_place_that_is_not_free_is_refused(server, path):
    refused = refusal(server, {"name": "v", "mountPath": path})

    assert refused.status_code == 400
    assert "volumes[0].mountPath" in refused.json()["message"]


def test_what_is_attached_is_checked_field_by_field(server, volume):
    one = {"name": volume.name, "mountPath": "/one"}
    nested = {"name": "s", "type": "ephemeral", "sizeMb": 1, "mountPath": "/one/two"}
    elsewhere = {"region": "eu-lon-1", "volumes": [one]}

    answers = {
        "VOLUME_NOT_FOUND": refusal(server, {"name": "nobody-has-this", "mountPath": "/data"}),
        "REGION_MISMATCH": server.http.post("/v0/sandboxes", json={"spec": elsewhere}),
        "INVALID_VOLUME": refusal(server, one, {**one, "mountPath": "/two"}),
    }

    assert {code: answer.json()["code"] for code, answer in answers.items()} == {
        code: code for code in answers
    }
    assert "within" in refusal(server, one, nested).json()["message"]
    assert "sizeMb" in refusal(server, {**nested, "sizeMb": None}).json()["message"]
    assert "type" in refusal(server, {**one, "type": "tape"}).json()["message"]


def test_what_a_volume_can_not_become_is_refused(server, volume):
    url = f"/v0/volumes/{volume.name}"

    def change(**spec):
        return server.http.put(url, json={"spec": spec}).status_code

    assert [change(size=1024), change(region="eu-lon-1"), change(template="t")] == [400, 400, 400]
    assert change(size=True) == change(size=0) == 400
    taken = server.http.post("/v0/volumes", json={"metadata": {"name": volume.name}})
    assert (taken.status_code, taken.json()["error"]) == (409, "VOLUME_ALREADY_EXISTS")
    assert server.http.get("/v0/volumes/nobody-has-this").status_code == 404


def test_a_volume_is_found_by_the_id_its_owner_gave_it(server):
    external_id = new_name()
    made = server.http.post("/v0/volumes", json={"metadata": {"externalId": external_id}}).json()

    found = server.http.get(f"/v0/volumes/by-external-id/{external_id}").json()
    listed = server.http.get("/v0/volumes", params={"externalId": external_id}).json()

    assert found["metadata"]["name"] == made["metadata"]["name"]
    assert listed["data"] == [found]


async def test_the_asynchronous_sdk_attaches_a_volume(async_box, server, volume):
    volumes = [{"name": volume.name, "mount_path": "/data"}]
    sandbox = await type(async_box).create({"name": new_name(), "volumes": volumes})

    assert server.run(sandbox.metadata.name, "touch /data/x")["exitCode"] == 0
    server.delete(sandbox.metadata.name)
