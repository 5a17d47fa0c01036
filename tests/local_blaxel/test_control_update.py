import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.local_blaxel import new_name


def change(server, name, **edits):
    """Read a sandbox, edit its spec's runtime or the spec itself, and send all of it back."""
    record = server.get(name)
    for field, value in edits.items():
        part = (
            record["spec"]
            if field in ("lifecycle", "network", "region")
            else record["spec"]["runtime"]
        )
        part[field] = value
    return server.http.put(f"/v0/sandboxes/{name}", json=record)


def test_labels_ttl_lifecycle_and_network_change_without_a_restart(sdk, server):
    sandbox = sdk.create({"name": new_name(), "labels": {"a": "1"}})
    name = sandbox.metadata.name
    server.run(name, "sleep 60", name="sleeper", waitForCompletion=False)

    from blaxel.core.sandbox.types import SandboxUpdateMetadata, SandboxUpdateNetwork

    sdk.update_metadata(name, SandboxUpdateMetadata(labels={"b": "2"}))
    sdk.update_ttl(name, "2h")
    sdk.update_network(name, SandboxUpdateNetwork(network={"allowedDomains": ["*"]}))

    record = server.get(name)
    assert record["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert 7000 < record["expiresIn"] <= 7200
    assert record["spec"]["network"] == {"allowedDomains": ["*"]}
    running = server.http.get(server.inside(name, "/process/sleeper")).json()
    assert running["status"] == "running"


def test_null_and_absence_clear_what_limits_a_life(sdk, server):
    sandbox = sdk.create({"name": new_name(), "ttl": "1h"})
    name = sandbox.metadata.name

    from blaxel.core.sandbox.types import SandboxUpdateNetwork

    sdk.update_ttl(name, None)
    sdk.update_lifecycle(name, None)
    sdk.update_network(name, SandboxUpdateNetwork(network=None))

    record = server.get(name)
    assert "expiresIn" not in record
    assert "ttl" not in record["spec"]["runtime"]
    assert "network" not in record["spec"]


def test_changed_environment_variables_restart_the_sandbox_and_keep_its_files(server):
    name = server.create(runtime={"envs": [{"name": "A", "value": "1"}]})
    server.run(name, "echo kept > /blaxel/kept; touch /tmp/cleared")
    server.run(name, "sleep 100", name="ended", waitForCompletion=False)

    changed = change(server, name, envs=[{"name": "A", "value": "2"}])

    assert changed.status_code == 200
    assert server.run(name, "echo $A; cat /blaxel/kept; ls /tmp")["stdout"] == "2\nkept\n"
    assert server.http.get(server.inside(name, "/process/ended")).status_code == 404


def test_a_mask_sent_back_keeps_the_secret(server):
    envs = [{"name": "KEY", "value": "s3cret", "secret": True}]
    name = server.create(runtime={"envs": envs})

    change(server, name, ttl="1h")

    assert server.run(name, "echo $KEY")["stdout"] == "s3cret\n"


def test_a_mask_for_a_variable_nobody_set_is_refused(server, name):
    refused = change(server, name, envs=[{"name": "NEW", "value": "****"}])

    assert refused.status_code == 400
    assert "envs[0].value" in refused.json()["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("image", "blaxel/base-image:latest"), ("memory", 512), ("region", "eu-lon-1")],
)
def test_a_field_that_can_not_change_is_refused_by_name(server, field, value):
    name = server.create(runtime={"image": "blaxel/prod-base:latest"})

    refused = change(server, name, **{field: value})

    assert refused.status_code == 400
    assert field in refused.json()["message"]


def test_fields_of_the_server_are_ignored_and_unknown_ones_kept(server, name):
    record = server.get(name)
    record |= {"status": "FAILED", "state": "STANDBY", "events": []}
    record["metadata"] |= {"url": "http://evil.example", "createdAt": "1999-01-01T00:00:00Z"}
    record["spec"]["extension"] = {"of": "ours"}

    server.http.put(f"/v0/sandboxes/{name}", json=record)

    read = server.get(name)
    assert read["status"] == "DEPLOYED"
    assert read["metadata"]["url"].startswith(server.url)
    assert not read["metadata"]["createdAt"].startswith("1999")
    assert read["spec"]["extension"] == {"of": "ours"}


def test_updating_a_sandbox_that_is_not_there_is_a_404(server):
    assert server.http.put("/v0/sandboxes/nobody-has-this", json={}).status_code == 404


def test_volumes_can_not_change(server, name):
    attached = server.get(name)
    attached["spec"]["volumes"] = [{"name": "late", "type": "ephemeral", "mountPath": "/data"}]

    answer = server.http.put(f"/v0/sandboxes/{name}", json=attached)

    assert answer.status_code == 400
    assert "spec.volumes" in answer.json()["message"]


def test_an_external_id_changes_and_finds_the_sandbox(server, name):
    first, second = new_name(), new_name()
    for external_id in (first, second):
        record = server.get(name)
        record["metadata"]["externalId"] = external_id
        changed = server.http.put(f"/v0/sandboxes/{name}", json=record)
        assert changed.json()["metadata"]["externalId"] == external_id

    found = server.http.get(f"/v0/sandboxes/by-external-id/{second}").json()
    assert found["metadata"]["name"] == name
    assert server.http.get(f"/v0/sandboxes/by-external-id/{first}").status_code == 404


@pytest.mark.parametrize("nothing", ["", None])
def test_an_external_id_that_is_left_out_stays_and_an_empty_one_goes(server, name, nothing):
    record = server.get(name)
    record["metadata"]["externalId"] = kept = new_name()
    server.http.put(f"/v0/sandboxes/{name}", json=record)

    del record["metadata"]["externalId"]
    left_out = server.http.put(f"/v0/sandboxes/{name}", json=record).json()
    record["metadata"]["externalId"] = nothing
    emptied = server.http.put(f"/v0/sandboxes/{name}", json=record).json()

    assert left_out["metadata"]["externalId"] == kept
    assert "externalId" not in emptied["metadata"]


def rules_of(record):
    return record["spec"]["network"]["proxy"]["routing"]


def test_a_secret_of_the_network_is_echoed_once_and_never_shown_again(server):
    rule = {"destinations": ["*"], "headers": {"X": "{{key}}"}, "secrets": {"key": "s3cret"}}
    shown = {"destinations": ["*"], "headers": {"X": "{{key}}"}}
    network = {"proxy": {"routing": [rule, {"destinations": ["example.com"]}]}}
    name = new_name()
    body = {"metadata": {"name": name}, "spec": {"network": network}}

    made = server.http.post("/v0/sandboxes", json=body).json()
    reads = {
        "get": server.http.get(f"/v0/sandboxes/{name}"),
        "with secrets": server.http.get(f"/v0/sandboxes/{name}?show_secrets=true"),
        "list": server.http.get("/v0/sandboxes"),
        "update": server.http.put(f"/v0/sandboxes/{name}", json=server.get(name)),
        "found": server.http.post(
            "/v0/sandboxes?createIfNotExist=true", json={"metadata": {"name": name}}
        ),
        "delete": server.http.delete(f"/v0/sandboxes/{name}"),
    }

    assert rules_of(made)[0] == rule
    assert {how for how, answer in reads.items() if "s3cret" in answer.text} == set()
    assert rules_of(reads["get"].json()) == [shown, {"destinations": ["example.com"]}]
    assert rules_of(reads["with secrets"].json())[0] == shown


def test_an_update_without_them_keeps_the_secrets_of_the_network(own_server):
    rule = {"destinations": ["*"], "secrets": {"key": "s3cret"}}
    name = own_server.create(network={"proxy": {"routing": [rule]}})

    own_server.http.put(f"/v0/sandboxes/{name}", json=own_server.get(name)).raise_for_status()

    with closing(sqlite3.connect(own_server.state_dir / "local_blaxel.sqlite3")) as store:
        query = "SELECT record FROM sandboxes WHERE name = ?"
        (record,) = store.execute(query, (name,)).fetchone()
    assert rules_of(json.loads(record)) == [rule]


@pytest.mark.exhaustive
def test_a_restart_that_a_kill_kept_from_an_update_is_made_up_for(own_server):
    name = own_server.create(runtime={"envs": [{"name": "A", "value": "1"}]})
    own_server.run(name, "echo kept > /blaxel/kept")
    own_server.kill()
    with sqlite3.connect(own_server.state_dir / "local_blaxel.sqlite3") as store:
        saved = (
            "json_set(record, '$.spec.runtime.envs[0].value', '2', '$.restartDue', json('true'))"
        )
        store.execute(f"UPDATE sandboxes SET record = {saved} WHERE name = ?", (name,))
    store.close()

    own_server.start()

    assert own_server.run(name, "echo $A; cat /blaxel/kept")["stdout"] == "2\nkept\n"
    assert "environment" in own_server.get(name)["events"][-1]["message"]
