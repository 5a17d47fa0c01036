import pytest

from sandboxes import checks


def ids(found):
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("workspace", "key", "missing"),
    [("w", "", "BLAXEL_API_KEY"), ("", "k", "BLAXEL_WORKSPACE_ID")],
)
def test_one_of_the_two_variables_alone_is_an_error_that_names_the_other(
    settings, workspace, key, missing
):
    settings.BLAXEL_WORKSPACE_ID, settings.BLAXEL_API_KEY = workspace, key

    found = checks.provider()

    assert ids(found) == ["sandboxes.E001"]
    assert missing in found[0].msg


def test_neither_of_them_is_a_warning(settings):
    settings.BLAXEL_WORKSPACE_ID = settings.BLAXEL_API_KEY = ""

    assert ids(checks.provider()) == ["sandboxes.W001"]


def test_a_provider_on_loopback_must_be_allowed(settings):
    settings.MANTA_LOCAL = False

    assert ids(checks.provider()) == ["sandboxes.E002"]


def test_the_set_up_of_make_run_has_nothing_to_complain_about(settings):
    assert checks.provider() == checks.starter() == checks.shared_cache() == []


def test_an_unknown_starter_is_an_error_that_lists_the_known_ones(settings):
    settings.SANDBOX_STARTER = "nope"

    found = checks.starter()

    assert ids(found) == ["sandboxes.E003"]
    assert "web" in found[0].hint


def test_several_web_processes_need_a_shared_cache(settings):
    settings.WEB_CONCURRENCY = 2
    assert ids(checks.shared_cache()) == ["sandboxes.E004"]

    settings.REDIS_URL = "redis://127.0.0.1"
    assert checks.shared_cache() == []
