import pytest


def test_the_sdk_lists_images_in_pages(generated):
    whole = generated("images.list_images")
    first = generated("images.list_images", limit=1)

    assert whole.meta.total == len(whole.data) > 1
    assert first.meta.has_more


def test_an_image_and_its_tags_are_what_a_create_takes(generated):
    image = generated("images.get_image", "sandbox", "blaxel/prod-base")
    tags = generated("images.list_image_tags", "sandbox", "blaxel/prod-base")

    assert image.spec.tag_count == 1
    assert [tag.name for tag in tags.data] == ["latest"]


def test_the_hub_names_what_a_create_takes(generated):
    listed = {entry.image for entry in generated("sandboxhub.list_sandbox_hub_definitions")}

    assert "blaxel/prod-base:latest" in listed


@pytest.mark.parametrize(
    "path",
    [
        *("sandbox/nobody/nothing", "sandbox/blaxel/prod-base:v9", "agent/blaxel/prod-base"),
        "sandbox/nobody/nothing/tags",
    ],
)
def test_an_unknown_image_is_a_404(server, path):
    answer = server.http.get(f"/v0/images/{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_what_comes_with_the_server_can_not_be_deleted(server):
    image = "/v0/images/sandbox/blaxel%2Fprod-base"

    assert server.http.delete(image).status_code == 403
    assert server.http.delete(f"{image}/tags/latest").status_code == 403
    assert server.http.delete(f"{image}/tags/v9").status_code == 404


def test_an_unknown_tag_is_refused_by_a_create(server):
    body = {"spec": {"runtime": {"image": "blaxel/prod-base:v9"}}}

    refused = server.http.post("/v0/sandboxes", json=body)

    assert (refused.status_code, refused.json()["code"]) == (400, "IMAGE_NOT_FOUND")
    assert "blaxel/prod-base:v9" in refused.json()["message"]


def test_every_place_on_offer_is_one_that_a_create_takes(generated):
    places = [each.region for each in generated("locations.list_locations")]
    configuration = generated("configurations.get_configuration")

    assert places == ["us-pdx-1", "us-was-1", "eu-lon-1", "eu-fra-1"]
    assert [region.name for region in configuration.regions] == places
    assert configuration.detected_region == "us-pdx-1"


def test_no_feature_is_switched_on(server):
    assert server.http.get("/v0/features").json() == {"features": {}}
