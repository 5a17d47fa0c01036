"""Processes over the API, in a real sandbox."""

from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from sandboxes import data_plane, errors
from sandboxes.models import SandboxEvent
from sandboxes.services import processes
from tests.support.factories import make_token
from tests.support.waiting import wait_until

pytestmark = pytest.mark.data_plane

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
    return data_plane.processes.find_process(sandbox.reach, name)["stdout"]


def said_of_processes(sandbox):
    """The end of what its snapshot program says, once that is longer than a list tells."""
    said = data_plane.processes.read_log(sandbox.reach, "manta-snapshot")
    return said if len(said) > 70_000 else ""


def actions():
    return list(SandboxEvent.objects.order_by("pk").values_list("action", "detail"))


def test_a_process_is_started_as_it_was_asked_for(start, program, made):
    response = start("echo $A; sleep 1000", name="job", workingDir="/tmp", env={"A": "b"})

    job = named(response, "job")
    assert response.status_code == 201
    assert (job["status"], job["workingDir"], job["managed"]) == ("running", "/tmp", True)
    wait_until(lambda: said_by(made, "job") == "b\n")
    assert ("process started", "job") in actions()


def test_load_and_memory_are_known_and_mantas_own_is_not_shown(start, program):
    start(name="job")

    wait_until(lambda: named(program.get(LIST), "job")["memory"] is not None)
    assert named(program.get(LIST), "manta-snapshot") is None


def test_load_and_memory_of_very_many_are_known(start, program, made):
    """Their description is longer than the output that comes with a list."""
    start(name="job")
    zeros = "0" * 380
    many = f"for each in $(seq 200); do sleep 1000 {zeros} & done >/dev/null 2>&1"

    program.get(LIST)

    data_plane.processes.run(made.reach, many, 10)
    wait_until(lambda: said_of_processes(made).endswith("\n.\n"))

    assert named(program.get(LIST), "job")["memory"] is not None
    data_plane.processes.run(made.reach, "pkill sleep", 10)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"name": "1234"}, 422, "process_refused"),
        ({"name": "a b"}, 422, "process_refused"),
        ({"name": "manta-x"}, 422, "process_refused"),
        ({"name": "logs"}, 422, "process_refused"),
        ({"workingDir": "/nowhere"}, 422, "process_refused"),
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

    wait_until(lambda: named(program.get(LIST), "job")["status"] == "failed")

    assert program.get(f"{LIST}/job").json()["exitCode"] == 3


def test_a_restart_runs_the_same_again(start, program):
    first = named(start(name="job", workingDir="/tmp", restartOnFailure=True), "job")

    again = named(program.post(f"{LIST}/job/restart"), "job")

    assert again["pid"] != first["pid"]
    kept = ("command", "workingDir", "restartOnFailure", "status")
    assert [again[key] for key in kept] == [first[key] for key in kept]


@pytest.mark.parametrize("gone", ["rm -r /blaxel/w", "chmod 000 /blaxel/w"])
def test_a_process_whose_folder_is_gone_runs_on(start, program, made, gone):
    data_plane.processes.run(made.reach, "mkdir /blaxel/w", 5)
    first = named(start(name="job", workingDir="/blaxel/w"), "job")
    data_plane.processes.run(made.reach, gone, 5)

    refused = program.post(f"{LIST}/job/restart")

    assert refused.status_code == 422
    assert "/blaxel/w" in refused.json()["error"]
    found = program.get(f"{LIST}/job").json()
    assert (found["pid"], found["status"]) == (first["pid"], "running")


def test_what_nobody_started_over_the_api_is_shown_and_stopped_by_its_number(program, made):
    data_plane.processes.run(made.reach, "setsid sleep 4242 >/dev/null 2>&1 &", 5)

    def other():
        listed = program.get(LIST).json()["processes"]
        return next((each for each in listed if each["command"] == "sleep 4242"), None)

    found = wait_until(other)
    assert found["managed"] is False

    assert program.delete(f"{LIST}/{found['name']}").status_code == 200

    wait_until(lambda: other() is None)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("method", "path"), [("delete", ""), ("post", "/kill"), ("get", "")])
def test_one_that_is_not_there_is_not_found(program, method, path):
    response = getattr(program, method)(f"{LIST}/nobody{path}")

    assert (response.status_code, response.json()["code"]) == (404, "process_not_found")


# What an agent may call a process that it starts past Manta.
ODD = ["web/front end", "x/kill", "/a//b/", "100%?#", "a%2Fb", "1234", "žluť 🦈", "logs"]
WORDS = {"stop": "stopped", "kill": "killed", "restart": "restarted"}


@pytest.fixture
def start_past_manta(made, provider):
    def start_past_manta(name, command="sleep 1000"):
        provider.server.run(made.name, command, name=name, waitForCompletion=False)

    return start_past_manta


@pytest.mark.exhaustive
@pytest.mark.parametrize("action", WORDS)
@pytest.mark.parametrize("name", ODD)
def test_the_page_ends_a_process_whatever_its_name(client, made, start_past_manta, name, action):
    client.force_login(made.owner)
    start_past_manta(name)

    response = client.post(reverse("sandboxes:act-on-process", args=[action]), {"name": name})

    listed = data_plane.processes.list_processes(made.reach)
    statuses = [each["status"] for each in listed if each["name"] == name]
    ended = "killed" if action == "kill" else "stopped"
    assert response.status_code == 302
    assert statuses == [ended, *(["running"] if action == "restart" else [])]
    assert actions()[-1] == (f"process {WORDS[action]}", name)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["web/front end", "x/kill", "1234", "žluť 🦈"])
def test_the_api_has_an_address_for_it(program, start_past_manta, name):
    start_past_manta(name)

    killed = program.post(f"{LIST}/{quote(name, safe='')}/kill")

    assert named(killed, name)["status"] == "killed"


def test_a_process_is_also_known_by_its_number(program, start):
    pid = named(start(name="job"), "job")["pid"]

    found = program.get(f"{LIST}/{pid}")
    stopped = program.delete(f"{LIST}/{pid}")

    assert found.json()["name"] == "job"
    assert named(stopped, "job")["status"] == "stopped"


@pytest.mark.parametrize(
    "end", [data_plane.processes.stop_process, data_plane.processes.kill_process]
)
def test_what_the_sandbox_does_not_find_has_not_been_ended(made, end):
    with pytest.raises(errors.ProcessNotFound):
        end(made.reach, "nobody")


def test_a_job_that_is_gone_has_not_been_ended(made):
    with pytest.raises(errors.ProcessNotFound):
        processes._signal(made, "2999999", "TERM")
