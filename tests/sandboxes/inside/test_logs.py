"""What a process says, through a real web process."""

import httpx
import pytest

from sandboxes import dataplane
from sandboxes.inside.path import LOGS_PATH
from tests.factories import make_token
from tests.local_blaxel.running import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask(web, made):
    raw = make_token(made.owner, "processes")

    def ask(**query):
        headers = {"Authorization": f"Bearer {raw}"}
        url = f"{web.url}{LOGS_PATH}"
        return httpx.get(url, params=query, headers=headers, trust_env=False, timeout=60)

    return ask


def run(made, command):
    dataplane.start_process(made.url, {"name": "job", "command": command})


def test_each_line_says_which_stream_it_was_on(ask, made):
    run(made, "echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three")

    said = ask(name="job", follow="1").text

    assert said.splitlines() == ["stdout:one", "stderr:two", "stdout:three"]


def test_who_comes_back_is_told_only_what_is_new(ask, made):
    run(made, "seq 5")

    assert ask(name="job", follow="1", after="3").text.splitlines() == ["stdout:4", "stdout:5"]


def test_a_file_holds_it_as_it_was_said(ask, made):
    run(made, "printf '<script>\\n'; printf '\\033[31mred\\n'")
    until(lambda: dataplane.list_processes(made.url)[-1]["status"] == "completed")

    answer = ask(name="job")

    assert answer.text == "<script>\n\x1b[31mred\n"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="job.log"'


def test_a_hundred_thousand_lines_come_in_order(ask, made):
    run(made, "seq 100000")

    lines = ask(name="job", follow="1").text.splitlines()

    assert lines == [f"stdout:{number}" for number in range(1, 100001)]


@pytest.mark.parametrize("name", ["", "nobody", "manta-census", "../x"])
def test_what_is_not_there_is_not_found(ask, name):
    assert ask(name=name, follow="1").status_code == 404
