"""``/process``, with every field of a request."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from tests.support.waiting import wait_until

SERVE = "python3 -m http.server {port} --bind {address}"


@pytest.fixture
def name(folder):
    """A process name that no other test uses."""
    return folder.removeprefix("/blaxel/")


def test_a_command_that_is_waited_for_answers_with_its_output(agent):
    process = agent.execute("echo test; echo oops >&2", waitForCompletion=True).json()

    assert process["stdout"] == "test\n"
    assert process["stderr"] == "oops\n"
    assert sorted(process["logs"].splitlines()) == ["oops", "test"]
    assert (process["status"], process["exitCode"]) == ("completed", 0)
    assert process["workingDir"] == "/blaxel"
    assert process["completedAt"].endswith(" GMT")
    assert process["pid"].isdigit()
    assert process["name"].startswith("proc-")


def test_a_command_that_is_not_waited_for_answers_at_once(agent):
    process = agent.execute("sleep 30").json()
    agent.delete(f"/process/{process['pid']}/kill")

    assert process["status"] == "running"
    assert process["completedAt"] == ""


@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("kill -9 $$", -1), ("nope", 127)])
def test_a_failing_command_says_how(agent, command, code):
    process = agent.execute(command, waitForCompletion=True).json()

    assert (process["status"], process["exitCode"]) == ("failed", code)


def test_output_is_exactly_what_was_written(agent):
    assert agent.run("printf 'no newline'").output == "no newline"
    assert agent.run("printf 'a\\0b'").output == "a\0b"
    assert agent.run("printf 'a\\377b'").output == "a�b"


def test_environment_and_directory_are_the_ones_asked_for(agent, folder):
    command = "echo $A $CANARY $HOME; pwd"

    ran = agent.run(command, env={"A": "mine"}, workingDir=folder)
    at_home = agent.run("pwd", workingDir="~")

    assert ran.output == f"mine from the spec /blaxel\n{folder}\n"
    assert at_home.output == "/blaxel\n"


def test_the_shell_can_be_chosen(agent):
    env = {"SHELL": "/bin/bash", "SHELL_ARGS": "-e -c"}

    assert agent.run("false; echo $BASH_VERSION", env=env).code == 1


def test_a_missing_directory_is_named(agent):
    answer = agent.execute("ls", workingDir="/nowhere")

    assert answer.status_code == 422
    error = "could not execute command 'ls' because folder '/nowhere' does not exist"
    assert answer.json() == {"error": error, "code": "FOLDER_NOT_FOUND"}


def test_a_name_is_taken_only_while_its_process_runs(agent, name):
    agent.execute("sleep 30", name=name)

    refused = agent.execute("true", name=name)
    agent.delete(f"/process/{name}/kill")
    again = agent.execute("echo second", name=name, waitForCompletion=True)

    assert refused.status_code == 400
    message = f"process with name '{name}' already exists and is running"
    assert refused.json() == {"error": message, "code": "PROCESS_ALREADY_EXISTS"}
    assert again.status_code == 200
    assert agent.get(f"/process/{name}").json()["stdout"] == "second\n"


def test_a_name_asked_for_by_many_at_once_is_given_to_one(agent, name):
    body = {"command": "sleep 30", "name": name}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: agent.post("/process", json=body), range(8)))
    agent.delete(f"/process/{name}/kill")

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


def test_a_timeout_only_bounds_the_wait(agent, name):
    answer = agent.execute("sleep 30", name=name, waitForCompletion=True, timeout=1)
    status = agent.get(f"/process/{name}").json()["status"]
    agent.delete(f"/process/{name}/kill")

    assert answer.status_code == 422
    late = "process timed out after 1 seconds"
    assert answer.json() == {"error": late, "code": "TIMED_OUT"}
    assert status == "running"


def test_a_timeout_with_keep_alive_kills(agent, name):
    agent.execute("sleep 30", name=name, keepAlive=True, timeout=1)

    process = agent.get(f"/process/{name}/wait?timeout=20").json()

    assert (process["status"], process["keepAlive"]) == ("killed", True)


def test_it_waits_for_ports_that_the_outside_can_reach(agent, name):
    command = "sleep 0.3; " + SERVE.format(port=4100, address="0.0.0.0")

    answer = agent.execute(command, name=name, waitForPorts=[4100], timeout=20)
    pid = agent.run("pgrep -f 'http.server 410[0]' | tail -1").output.strip()
    ports = agent.get(f"/network/process/{pid}/ports").json()
    agent.delete(f"/process/{name}/kill")

    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert [(port["localPort"], port["state"]) for port in ports["ports"]] == [(4100, "LISTEN")]


def test_a_port_on_loopback_is_not_waited_out(agent, name):
    command = SERVE.format(port=4200, address="127.0.0.1")

    answer = agent.execute(command, name=name, waitForPorts=[4200], timeout=1)
    agent.delete(f"/process/{name}/kill")

    assert answer.status_code == 422
    late = "process timed out waiting for ports after 1 seconds"
    assert answer.json() == {"error": late, "code": "TIMED_OUT"}


def test_a_process_that_ends_is_not_waited_for_at_a_port(agent):
    answer = agent.execute("exit 4", waitForPorts=[4300], timeout=20)

    assert (answer.status_code, answer.json()["exitCode"]) == (200, 4)


def test_a_failing_command_is_restarted_as_often_as_asked(agent):
    command = "echo try; exit 5"

    process = agent.execute(
        command, waitForCompletion=True, restartOnFailure=True, maxRestarts=1
    ).json()

    note = "[Process failed with exit code 5. Attempting restart 1/1...]"
    assert process["stdout"] == f"try\n{note}\ntry\n"
    assert (process["restartCount"], process["status"]) == (1, "failed")


def test_stopping_ends_the_restarts(agent, name):
    agent.execute("exit 1", name=name, restartOnFailure=True, maxRestarts=-1)

    stopped = agent.delete(f"/process/{name}")

    assert stopped.json() == {"message": "Process stopped successfully"}
    assert agent.get(f"/process/{name}/wait?timeout=20").json()["status"] == "stopped"


@pytest.mark.parametrize(("path", "status"), [("", "stopped"), ("/kill", "killed")])
def test_stop_and_kill_reach_the_children_too(agent, folder, name, path, status):
    agent.execute(f"sh -c 'echo $$ > {folder}/pid; sleep 30'; true", name=name)
    pid = wait_until(lambda: agent.run(f"cat {folder}/pid 2>/dev/null").output.strip())

    answer = agent.delete(f"/process/{name}{path}")

    assert answer.status_code == 200
    assert agent.get(f"/process/{name}").json()["status"] == status
    assert wait_until(lambda: agent.run(f"kill -0 {pid}").code == 1)


def test_a_process_that_ignores_stop_is_still_running(agent, name):
    command = "trap '' TERM; echo ready; while true; do sleep 0.1; done"
    agent.execute(command, name=name)
    wait_until(lambda: agent.get(f"/process/{name}").json()["stdout"])

    agent.delete(f"/process/{name}")
    status = agent.get(f"/process/{name}").json()["status"]
    agent.delete(f"/process/{name}/kill")

    assert status == "running"
    assert agent.get(f"/process/{name}").json()["status"] == "killed"


def test_stopping_what_does_not_run_is_a_404_and_killing_it_is_not(agent, name):
    agent.run("true", name=name)

    assert agent.delete(f"/process/{name}").status_code == 404
    assert agent.delete(f"/process/{name}/kill").status_code == 200
    assert agent.get(f"/process/{name}").json()["status"] == "completed"


@pytest.mark.parametrize("path", ["", "/wait", "/logs", "/logs/stream"])
def test_an_unknown_process_is_a_json_404(agent, path):
    answer = agent.get(f"/process/nobody{path}")

    assert (answer.status_code, answer.json()) == (404, {"error": "process not found"})


def test_the_list_has_running_and_finished_ones(agent, name):
    agent.run("echo done", name=name)
    running = agent.execute("sleep 30").json()["pid"]

    listed = {process["pid"]: process for process in agent.get("/process").json()}
    agent.delete(f"/process/{running}/kill")

    assert listed[running]["status"] == "running"
    assert "done\n" in {process["stdout"] for process in listed.values()}


def test_the_list_holds_the_end_of_long_output_and_logs_all_of_it(agent, name):
    agent.run("seq 200000", name=name)

    short = agent.get(f"/process/{name}").json()["stdout"]
    logs = agent.get(f"/process/{name}/logs").json()

    assert len(short) == 64 * 1024
    assert short.endswith("199999\n200000\n")
    assert logs["stdout"].startswith("1\n2\n")
    assert logs["logs"] == logs["stdout"]


def test_the_log_stream_prefixes_every_line_and_ends_with_the_process(agent, name):
    agent.execute("seq 2; sleep 0.3; echo err >&2; printf tail", name=name)

    with agent.stream("GET", f"/process/{name}/logs/stream") as answer:
        lines = list(answer.iter_lines())

    assert answer.headers["content-type"].startswith("text/plain")
    assert lines == ["stdout:1", "stdout:2", "stderr:err", "stdout:tail"]


def test_the_log_stream_of_a_finished_process_is_its_whole_log(agent, name):
    agent.run("seq 1000", name=name)

    text = agent.get(f"/process/{name}/logs/stream").text

    assert text == "".join(f"stdout:{number}\n" for number in range(1, 1001))


def test_streaming_exec_sends_lines_of_json_and_the_result(agent):
    headers = {"accept": "text/event-stream"}
    body = {"command": "printf 'é1'; sleep 0.3; echo 2; echo e >&2; exit 7"}

    answer = agent.post("/process", json=body | {"waitForCompletion": True}, headers=headers)

    events = [json.loads(line) for line in answer.text.splitlines()]
    output = {"stdout": "", "stderr": ""}
    output |= {
        kind: "".join(event["data"] for event in events if event["type"] == kind) for kind in output
    }
    result = json.loads(events[-1]["data"])
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert output == {"stdout": "é12\n", "stderr": "e\n"}
    assert events[-1]["type"] == "result"
    assert (result["exitCode"], result["stdout"]) == (7, "é12\n")


@pytest.mark.parametrize("command", ["sleep 30", "while sleep 0.01; do echo; done"])
def test_streaming_exec_ends_with_an_error_when_its_time_is_up(agent, name, command):
    headers = {"accept": "text/event-stream"}
    body = {"command": command, "name": name, "timeout": 1}

    answer = agent.post("/process", json=body | {"waitForCompletion": True}, headers=headers)

    event = json.loads(answer.text.splitlines()[-1])
    assert event == {"type": "error", "data": "process timed out after 1 seconds"}
    assert agent.get(f"/process/{name}").json()["status"] == "running"
    agent.delete(f"/process/{name}/kill")


def test_standard_input_is_a_pipe_when_asked_for(agent, name):
    agent.execute("cat", name=name, stdin=True)

    agent.post(f"/process/{name}/stdin", content=b"one ").raise_for_status()
    agent.post(f"/process/{name}/stdin", content=b"two").raise_for_status()
    agent.delete(f"/process/{name}/stdin").raise_for_status()

    assert agent.get(f"/process/{name}/wait").json()["stdout"] == "one two"


def test_standard_input_is_refused_when_there_is_none(agent, name):
    agent.execute("sleep 30", name=name)

    answer = agent.post(f"/process/{name}/stdin", content=b"x")
    agent.delete(f"/process/{name}/kill")

    assert answer.status_code == 409
    assert agent.post("/process/nobody/stdin", content=b"x").status_code == 404


def test_waiting_returns_when_its_time_is_up(agent, name):
    agent.execute("sleep 30", name=name)

    process = agent.get(f"/process/{name}/wait?timeout=1").json()
    agent.delete(f"/process/{name}/kill")

    assert process["status"] == "running"


def test_a_background_child_does_not_hold_up_the_answer(agent):
    # Far longer than the client waits for an answer.
    process = agent.execute("sleep 600 & echo started $!", waitForCompletion=True).json()
    started, child = process["stdout"].split()

    assert started == "started"
    assert agent.run(f"kill {child}").code == 0


def test_a_client_that_leaves_does_not_end_its_process(agent, name):
    body = json.dumps({"command": "sleep 30", "name": name, "waitForCompletion": True})
    head = f"POST /process HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"

    agent.send_raw(f"{head}{body}".encode())

    assert wait_until(lambda: agent.get(f"/process/{name}").status_code == 200)
    assert agent.get(f"/process/{name}").json()["status"] == "running"
    assert agent.delete(f"/process/{name}/kill").status_code == 200


def test_clients_that_leave_streams_leave_nothing_open(agent, name):
    agent.execute("sleep 30", name=name)
    head = f"GET /process/{name}/logs/stream HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    count = "ls /proc/net/unix > /dev/null; grep -c . /proc/net/unix"
    before = int(agent.run(count).output)

    [agent.send_raw(head) for _ in range(50)]

    assert wait_until(lambda: int(agent.run(count).output) <= before + 2)
    assert agent.delete(f"/process/{name}/kill").status_code == 200


@pytest.mark.exhaustive
def test_a_flood_of_output_is_bounded_and_its_end_is_kept(agent, name):
    agent.run("yes 0123456789 | head -c 100000000; echo the end", name=name, timeout=60)

    logs = agent.get(f"/process/{name}/logs").json()
    backlog = len(agent.get(f"/process/{name}/logs/stream").content)

    assert logs["stdout"].endswith("the end\n")
    assert len(logs["stdout"]) == 4 * 2**20
    assert backlog < 64 * 2**20


def test_many_commands_at_once_all_end(agent):
    started = [agent.execute(f"sleep 0.1; echo {number}").json()["pid"] for number in range(50)]

    outputs = [agent.get(f"/process/{pid}/wait").json()["stdout"] for pid in started]

    assert outputs == [f"{number}\n" for number in range(50)]


@pytest.mark.parametrize("name", ["web/front end", "x/kill", "a%2Fb?#", "žluť 🦈", "...", "007"])
def test_any_name_has_an_address(agent, name):
    where = f"/process/{quote(name, safe='')}"
    agent.execute("echo said; sleep 1000", name=name).raise_for_status()

    found = agent.get(where).json()
    logs = wait_until(lambda: agent.get(f"{where}/logs").json()["logs"])
    stopped = agent.delete(where)

    assert (found["name"], found["status"], logs) == (name, "running", "said\n")
    assert stopped.status_code == 200
    assert agent.get(f"{where}/wait?timeout=20").json()["status"] == "stopped"


@pytest.mark.parametrize("name", [".", "..", "a\nb", "a\0b", "a" * 256])
def test_a_name_that_no_address_can_have_is_refused(agent, name):
    answer = agent.execute("true", name=name)

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("name must")
