"""The SDK's processes, codegen and system calls against a running server."""

import pytest

from tests.local_blaxel.running import until


@pytest.fixture
def box(sdk, name):
    return sdk.get(name)


NOISY = "for n in 1 2 3; do echo out$n; echo err$n >&2; sleep 0.05; done; exit 3"


def test_a_command_is_run_waited_for_and_looked_up(box):
    done = box.process.exec({"command": "echo hi", "wait_for_completion": True})
    slow = box.process.exec({"command": "sleep 0.2", "name": "slow"})

    assert (done.status.value, done.stdout, done.exit_code) == ("completed", "hi\n", 0)
    assert box.process.wait("slow").status.value == "completed"
    assert box.process.get("slow").pid == slow.pid
    assert box.process.logs(done.pid) == "hi\n"
    assert {process.pid for process in box.process.list()} >= {done.pid, slow.pid}


def test_output_is_handed_over_as_it_comes(box):
    out, err = [], []
    request = {"command": NOISY, "wait_for_completion": True}

    done = box.process.exec(request | {"on_stdout": out.append, "on_stderr": err.append})

    assert (done.status.value, done.exit_code) == ("failed", 3)
    assert "".join(out).split() == ["out1", "out2", "out3"]
    assert "".join(err).split() == ["err1", "err2", "err3"]


def test_logs_are_followed_while_the_process_runs(box):
    out, err = [], []
    box.process.exec({"command": NOISY, "name": "noisy"})

    stream = box.process.stream_logs("noisy", {"on_stdout": out.append, "on_stderr": err.append})

    until(lambda: len(out) == 3 and len(err) == 3)
    stream["close"]()
    assert (out, err) == (["out1", "out2", "out3"], ["err1", "err2", "err3"])


def test_standard_input_is_written_and_closed(box):
    box.process.exec({"command": "cat", "name": "cat", "stdin": True})

    box.process.write_stdin("cat", "hello\n")
    box.process.close_stdin("cat")

    assert box.process.wait("cat").status.value == "completed"
    assert box.process.logs("cat") == "hello\n"


def test_processes_are_stopped_and_killed(box):
    box.process.exec({"command": "sleep 60", "name": "one", "keep_alive": True})
    box.process.exec({"command": "sleep 60", "name": "two"})

    box.process.stop("one")
    box.process.kill("two")

    assert box.process.get("one").status.value == "stopped"
    assert box.process.get("two").status.value == "killed"


def test_codegen_says_that_it_is_not_configured_and_an_upgrade_counts(box):
    box.system.upgrade()

    assert box.system.health().upgrade_count == 1
    with pytest.raises(Exception, match="codegen tools are not configured"):
        box.codegen.fastapply("a.py", "x = 1")
    with pytest.raises(Exception, match="codegen tools are not configured"):
        box.codegen.reranking("src", "what")
