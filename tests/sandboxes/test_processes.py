"""Processes over the API, in a real sandbox."""

import pytest
from django.test import Client

from sandboxes import dataplane
from sandboxes.models import SandboxEvent
from tests.factories import make_token
from tests.local_blaxel.running import until

LIST = "/api/sandbox/processes"


@pytest.fixture
def program(made):
    raw = make_token(made.owner, "processes")
    return Client(headers={"Authorization": f"Bearer {raw}"})


@pytest.fixture
def start(program):
    def start(command="sleep 1000", **more):
        body = {"command": command, **more}
        return program.post(LIST, body, content_type="application/json")

    return start


def named(response, name):
    found = [each for each in response.json()["processes"] if each["name"] == name]
    return found[0] if found else None


def said_by(sandbox, name):
    listed = {each["name"]: each for each in dataplane.list_processes(sandbox.url)}
    return listed[name]["stdout"]


def actions():
    return list(SandboxEvent.objects.order_by("pk").values_list("action", "detail"))


def test_a_process_is_started_as_it_was_asked_for(start, program, made):
    response = start("echo $A; sleep 1000", name="job", folder="/tmp", env={"A": "b"})

    job = named(response, "job")
    assert response.status_code == 201
    assert (job["status"], job["workingDir"], job["managed"]) == ("running", "/tmp", True)
    until(lambda: said_by(made, "job") == "b\n")
    assert ("process started", "job") in actions()


def test_load_and_memory_are_known_and_mantas_own_is_not_shown(start, program):
    start(name="job")

    until(lambda: named(program.get(LIST), "job")["memory"] is not None)
    assert named(program.get(LIST), "manta-census") is None


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"name": "1234"}, 422, "process_refused"),
        ({"name": "a b"}, 422, "process_refused"),
        ({"name": "manta-x"}, 422, "process_refused"),
        ({"name": "logs"}, 422, "process_refused"),
        ({"folder": "/nowhere"}, 422, "process_refused"),
    ],
)
def test_what_can_not_be_started_is_told(start, asked, status, code):
    response = start(**asked)

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_name_is_taken_while_it_runs(start):
    start(name="job")

    response = start(name="job")

    assert (response.status_code, response.json()["code"]) == (409, "process_exists")


def test_one_is_stopped_and_another_killed(start, program):
    start(name="one")
    start(name="other")

    stopped = program.delete(f"{LIST}/one")
    killed = program.post(f"{LIST}/other/kill")

    assert named(stopped, "one")["status"] == "stopped"
    assert named(killed, "other")["status"] == "killed"
    assert actions()[-2:] == [("process stopped", "one"), ("process killed", "other")]


def test_a_crash_has_its_exit_code(start, program):
    start("exit 3", name="job")

    until(lambda: named(program.get(LIST), "job")["status"] == "failed")

    assert program.get(f"{LIST}/job").json()["exitCode"] == 3


def test_a_restart_runs_the_same_again(start, program):
    first = named(start(name="job", folder="/tmp", restartOnFailure=True), "job")

    again = named(program.post(f"{LIST}/job/restart"), "job")

    assert again["pid"] != first["pid"]
    kept = ("command", "workingDir", "restartOnFailure", "status")
    assert [again[key] for key in kept] == [first[key] for key in kept]


def test_what_nobody_started_over_the_api_is_shown_and_stopped_by_its_number(program, made):
    dataplane.run(made.url, "setsid sleep 4242 >/dev/null 2>&1 &", 5)

    def other():
        listed = program.get(LIST).json()["processes"]
        return next((each for each in listed if each["command"] == "sleep 4242"), None)

    found = until(other)
    assert found["managed"] is False

    assert program.delete(f"{LIST}/{found['name']}").status_code == 200

    until(lambda: other() is None)


@pytest.mark.parametrize(("method", "path"), [("delete", ""), ("post", "/kill"), ("get", "")])
def test_one_that_is_not_there_is_not_found(program, method, path):
    response = getattr(program, method)(f"{LIST}/nobody{path}")

    assert (response.status_code, response.json()["code"]) == (404, "process_not_found")
