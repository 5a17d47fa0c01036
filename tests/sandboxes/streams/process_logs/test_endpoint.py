"""What a process says, through a real web process."""

import json
import re

import httpx
import pytest

from sandboxes import data_plane
from sandboxes.streams.paths import PROCESS_LOGS
from tests.support.factories import make_token
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.data_plane, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ask(web, made):
    raw = make_token(made.owner, "processes")

    def ask(headers=None, **query):
        headers = {"Authorization": f"Bearer {raw}", **(headers or {})}
        url = f"{web.url}{PROCESS_LOGS}"
        return httpx.get(url, params=query, headers=headers, trust_env=False, timeout=60)

    return ask


def run(made, command):
    data_plane.processes.start_process(made.reach, {"name": "job", "command": command})


def test_each_line_says_which_stream_it_was_on(ask, made):
    run(made, "echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three")

    said = ask(name="job", follow="1").text

    assert said.splitlines() == ["stdout:one", "stderr:two", "stdout:three"]


def test_who_comes_back_is_told_only_what_is_new(ask, made):
    run(made, "seq 5")

    assert ask(name="job", follow="1", after="3").text.splitlines() == ["stdout:4", "stdout:5"]


def test_a_file_holds_it_as_it_was_said(ask, made):
    run(made, "printf '<script>\\n'; printf '\\033[31mred\\n'")
    wait_until(lambda: data_plane.processes.list_processes(made.reach)[-1]["status"] == "completed")

    answer = ask(name="job")

    assert answer.text == "<script>\n\x1b[31mred\n"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="job.log"'


def test_a_hundred_thousand_lines_come_in_order(ask, made):
    run(made, "seq 100000")

    lines = ask(name="job", follow="1").text.splitlines()

    assert lines == [f"stdout:{number}" for number in range(1, 100001)]


JSON = {"Accept": "application/x-ndjson"}


def test_an_unfinished_line_is_told_with_its_place(ask, made):
    run(made, "printf 'one\nna'; sleep 0.3; printf 'me? '")

    said = [json.loads(line) for line in ask(JSON, name="job", follow="1").text.splitlines()]
    again = [
        json.loads(line)
        for line in ask(JSON, name="job", follow="1", after=6).text.split("\n")[:-1]
    ]

    told = [each for each in said if each["type"] == "stdout"]
    assert "".join(each["data"] for each in told) == "one\nname? "
    assert told[-1]["position"] == 10
    assert "".join(each.get("data", "") for each in again) == "me? "


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_a_log_that_rotated_goes_on_with_the_oldest_line_kept(ask, made):
    run(
        made,
        "seq 1000; until [ -e /tmp/go ]; do sleep 0.1; done; seq 1001 6000000; touch /tmp/gone",
    )
    wait_until(lambda: data_plane.processes.read_log(made.reach, "job").endswith("1000\n"))
    data_plane.processes.run(
        made.reach, "touch /tmp/go; until [ -e /tmp/gone ]; do sleep 0.1; done", 300
    )

    skipped, *lines = ask(name="job", follow="1", after="1000").text.splitlines()

    count = int(re.fullmatch(r"\[truncated\] (\d+) lines", skipped)[1])
    numbers = [int(line.removeprefix("stdout:")) for line in lines if line != "[keepalive]"]
    assert numbers == list(range(1001 + count, 6_000_001))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["", "nobody", "manta-snapshot", "../x", "..", "."])
def test_what_is_not_there_is_not_found(ask, name):
    assert ask(name=name, follow="1").status_code == 404


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["web/front end", "100%?#", "1234"])
def test_a_log_is_read_whatever_the_processs_name(ask, made, name):
    data_plane.processes.start_process(made.reach, {"name": name, "command": "echo said"})

    assert ask(name=name, follow="1").text.splitlines() == ["stdout:said"]
    assert ask(name=name).text == "said\n"
