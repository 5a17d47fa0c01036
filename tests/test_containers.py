"""What can be said of the Dockerfile and compose.yaml without building them."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests.support.variables import every_variable

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("web", "worker")


def copied() -> set[str]:
    """The files and folders of the project that get into the image."""
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return {name for line in lines for name in line.split()}


def let_through() -> set[str]:
    return set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))


def test_the_image_has_every_app_and_what_starts_them():
    packages = {app.partition(".")[0] for app in settings.INSTALLED_APPS}
    own = {name for name in packages if (ROOT / name).is_dir()}

    assert copied() == own | {"manta", "scripts", "templates", "static", "manage.py"} | {
        "requirements.lock"
    }


def test_nothing_else_is_sent_to_the_builder():
    assert let_through() == copied()
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_packages_are_what_the_lock_says_by_hash():
    assert "--require-hashes -r requirements.lock" in DOCKERFILE


def test_the_last_word_on_who_runs_it_is_an_ordinary_user():
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[-1] == "manta"


@pytest.mark.parametrize("name", OURS)
def test_both_kinds_of_container_are_one_image_and_the_same_command(name):
    service = COMPOSE["services"][name]

    assert service["image"] == "manta"
    assert "command" not in service


@pytest.mark.parametrize("name", OURS)
def test_a_container_is_given_only_variables_that_are_documented(name):
    assert COMPOSE["services"][name]["environment"].keys() <= every_variable()


def test_one_kind_has_web_processes_alone_and_the_other_workers_alone():
    web, worker = (COMPOSE["services"][name]["environment"] for name in OURS)

    assert (web["WORKER_CONCURRENCY"], worker["WEB_CONCURRENCY"]) == ("0", "0")


def test_what_a_container_waits_for_says_when_it_is_there():
    services = COMPOSE["services"]
    awaited = {name for kind in OURS for name in services[kind]["depends_on"]}

    assert awaited == {"postgres", "redis"}
    assert all("test" in services[name]["healthcheck"] for name in awaited)
