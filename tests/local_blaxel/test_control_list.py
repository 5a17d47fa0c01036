import pytest

from tests.support.local_blaxel import new_name


@pytest.fixture(scope="module")
def crew(server):
    """Three sandboxes that only a search for their label finds."""
    names = [f"crew-{letter}-{new_name()}" for letter in "abc"]
    for each in names:
        body = {"metadata": {"name": each, "labels": {"team": "crew-of-the-list-tests"}}}
        server.http.post("/v0/sandboxes", json=body).raise_for_status()
    yield names
    for each in names:
        server.http.delete(f"/v0/sandboxes/{each}")


def listed(server, **params):
    params = {"q": "crew-of-the-list", **params}
    return server.http.get("/v0/sandboxes", params=params)


def names(response):
    return [record["metadata"]["name"] for record in response.json()["data"]]


def test_the_sdk_lists_every_sandbox(sdk, crew):
    assert set(crew) <= {sandbox.metadata.name for sandbox in sdk.list()}


def test_the_newest_comes_first_unless_asked_otherwise(server, crew):
    assert names(listed(server)) == crew[::-1]
    assert names(listed(server, sort="name:asc")) == crew
    assert names(listed(server, sort="createdAt:asc")) == crew


def test_pages_join_without_a_gap(server, crew):
    first = listed(server, limit=2)
    second = listed(server, limit=2, cursor=first.json()["meta"]["nextCursor"])

    assert first.json()["meta"]["hasMore"]
    assert not second.json()["meta"]["hasMore"]
    assert names(first) + names(second) == crew[::-1]


def test_a_page_goes_on_where_it_ended_also_when_sandboxes_have_come_since(server, crew):
    first = listed(server, limit=1, sort="name:asc")
    body = {"metadata": {"name": f"crew-0-{new_name()}", "labels": {"t": "crew-of-the-list"}}}
    server.http.post("/v0/sandboxes", json=body)

    second = listed(server, limit=1, sort="name:asc", cursor=first.json()["meta"]["nextCursor"])

    server.delete(body["metadata"]["name"])
    assert names(second) == crew[1:2]


def test_a_cursor_of_another_query_is_refused(server, crew):
    cursor = listed(server, limit=1).json()["meta"]["nextCursor"]

    assert listed(server, limit=1, sort="name:asc", cursor=cursor).status_code == 400
    assert listed(server, cursor="made-up").status_code == 400


def test_a_status_filter_replaces_show_terminated(server, crew):
    assert names(listed(server, status="DEPLOYED")) == crew[::-1]
    assert names(listed(server, status="failed,BUILDING", showTerminated="true")) == []
    assert listed(server, status="ASLEEP").status_code == 400


@pytest.mark.parametrize("params", [{"limit": "ten"}, {"sort": "size"}, {"q": "x" * 201}])
def test_a_wrong_query_is_a_400(server, params):
    assert server.http.get("/v0/sandboxes", params=params).status_code == 400


def test_an_old_version_gets_a_bare_array(server, crew):
    old = server.http.get("/v0/sandboxes", headers={"Blaxel-Version": "2025-01-01"})

    assert isinstance(old.json(), list)


def test_the_end_of_a_list_is_its_last_page(server, crew):
    last = listed(server, limit=2, anchor="end")

    assert names(last) == crew[:1]
    assert not last.json()["meta"]["hasMore"]
    assert listed(server, anchor="middle").status_code == 400


def test_a_sandbox_is_found_by_the_id_its_owner_gave_it(generated, server):
    external_id = new_name()
    body = {"metadata": {"name": new_name(), "externalId": external_id}}
    server.http.post("/v0/sandboxes", json=body).raise_for_status()

    found = generated("compute.get_sandbox_by_external_id", external_id)
    filtered = server.http.get("/v0/sandboxes", params={"externalId": external_id})

    assert found.metadata.name == body["metadata"]["name"]
    assert names(filtered) == [body["metadata"]["name"]]
    assert generated("compute.get_sandbox_by_external_id", "nobody-has-this").code == 404
