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
    assert checks.provider() == checks.starter() == []
    assert checks.shared_database() == []


def test_an_unknown_starter_is_an_error_that_lists_the_known_ones(settings):
    settings.SANDBOX_STARTER = "nope"

    found = checks.starter()

    assert ids(found) == ["sandboxes.E003"]
    assert "web" in found[0].hint


def test_several_workers_need_a_database_for_several(settings, monkeypatch):
    settings.WORKER_CONCURRENCY = 2
    database = settings.DATABASES["default"]
    monkeypatch.setitem(database, "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.shared_database()) == ["sandboxes.E005"]

    monkeypatch.setitem(database, "ENGINE", "django.db.backends.postgresql")
    assert checks.shared_database() == []


def test_on_the_internet_the_names_that_people_type_must_be_known(settings):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    assert ids(checks.names_and_proxies()) == ["sandboxes.E006"]

    settings.ALLOWED_HOSTS = ["localhost", "manta.example"]
    assert checks.names_and_proxies() == []


def test_https_without_a_trusted_proxy_is_warned_of(settings):
    settings.ALLOWED_HOSTS = ["manta.example"]
    settings.SECURE_SSL_REDIRECT = True
    assert ids(checks.names_and_proxies()) == ["sandboxes.W002"]

    settings.TRUSTED_PROXY_COUNT = 1
    assert checks.names_and_proxies() == []


def test_messages_that_go_to_the_log_are_told_of(settings):
    settings.EMAIL_HOST = ""
    assert ids(checks.mail()) == ["sandboxes.I001"]

    settings.EMAIL_HOST = "smtp.example"
    assert checks.mail() == []
