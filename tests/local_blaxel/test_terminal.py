"""``/terminal``: shells on a PTY through the edge, as a browser would use them."""

import re
import time

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect, unix_connect

from tests.support import chromium
from tests.support.local_blaxel import KEY, Server
from tests.support.terminal import Terminal, opened
from tests.support.waiting import wait_until


def test_a_shell_answers_in_its_directory_with_its_size(server, name):
    with opened(server, name, "cols=91&rows=33&shell=bash&workingDir=/tmp") as terminal:
        terminal.type("stty size; pwd; echo $TERM $0; tty\r")

        assert terminal.see(r"33 91\r\n/tmp\r\nxterm-256color \S*bash\r\n/dev/pts/\d")

        terminal.send(type="resize", cols=120, rows=40)
        terminal.type("stty size\r")

        assert terminal.see(r"40 120")


def test_ctrl_c_reaches_the_program_in_front(server, name):
    with opened(server, name) as terminal:
        terminal.type("sh -c 'echo start\"ed\"; exec sleep 100'\r")
        terminal.see("started")
        terminal.type("\x03")
        terminal.type("echo status=$?\r")

        assert terminal.see("status=130")


def test_a_session_goes_on_without_clients_and_replays_its_screen(server, name):
    with opened(server, name) as first:
        first.type("kept=value; echo o''ne\r")
        first.see("one")

    with opened(server, name) as second:
        assert second.see("one")
        second.type("echo $kept-still\r")
        assert second.see("value-still")


def test_clients_of_a_session_share_it_and_other_sessions_are_apart(server, name):
    with (
        opened(server, name, "sessionId=a") as one,
        opened(server, name, "sessionId=a") as two,
        opened(server, name, "sessionId=b") as other,
    ):
        one.type("shared=yes; echo to-bo''th\r")
        other.type('echo "<$shared>"\r')

        assert two.see("to-both")
        assert other.see("<>")


def test_the_end_of_the_shell_closes_the_socket_and_the_next_one_is_new(server, name):
    with opened(server, name) as terminal:
        terminal.type("gone=yes; sleep 300 & exit\r")
        terminal.hear_all()

    with opened(server, name) as terminal:
        terminal.type('echo "<$gone>"\r')
        assert terminal.see("<>")


def test_a_long_output_is_shown_whole_and_replayed_from_its_end(server, name):
    with opened(server, name) as terminal:
        terminal.type("seq 0 60000; echo do''ne\r")
        terminal.see("done")
        # The shell writes a control sequence before the first one.
        numbers = re.findall(r"(?m)^(\d+)\r$", terminal.shown)
        assert numbers == [str(number) for number in range(1, 60001)]

    with opened(server, name) as again:
        again.see("done")
        assert again.shown.startswith("\x1b[0m")
        assert len(again.shown) < 110_000


def test_characters_are_never_cut_in_two(server, name):
    with opened(server, name) as terminal:
        terminal.type("python3 -c 'print(\"€\" * 20000)'; echo do''ne\r")
        terminal.see("done")

    assert terminal.shown.count("€") >= 20000
    assert "\ufffd" not in terminal.shown


@pytest.mark.parametrize(
    ("query", "error"),
    [("shell=nosuchshell", "no shell nosuchshell"), ("workingDir=/nowhere", "does not exist")],
)
def test_a_terminal_that_cannot_be_opened_says_why(server, name, query, error):
    with opened(server, name, query) as terminal:
        terminal.hear_all()

    assert error in terminal.errors[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"type":"input"}', '{"type":"dance"}'])
def test_what_cannot_be_understood_is_ignored(server, name, text):
    with opened(server, name, "cols=none&rows=-4") as terminal:
        terminal.socket.send(text)
        terminal.socket.send(b"\xff\xfe")
        terminal.send(type="resize", cols="many", rows=None)
        terminal.type("stty size\r")

        assert terminal.see("24 80")


def test_a_terminal_can_be_switched_off(server):
    name = server.create(runtime={"envs": [{"name": "DISABLE_TERMINAL", "value": "true"}]})

    page = server.http.get(server.inside(name, "/terminal"))

    assert (page.status_code, page.text) == (404, "404 page not found")
    with pytest.raises(InvalidStatus), opened(server, name):
        pass
    server.delete(name)


@pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium here")
def test_the_page_works_below_a_path_and_asks_for_nothing_else(server, name):
    asked = []
    with chromium.running(chromium.find()) as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}{server.inside(name, '/terminal')}?token={KEY}")
        screen = page.locator(".xterm-rows")
        screen.get_by_text("sandbox").wait_for()

        page.keyboard.type("echo answer=$((6*7))\n")

        screen.get_by_text("answer=42").wait_for()
    assert len(asked) == 1


def test_an_open_terminal_keeps_the_sandbox_awake_and_a_left_one_sleeps_and_wakes(server, name):
    with opened(server, name) as terminal:
        terminal.type("kept=value; echo o''ne\r")
        terminal.see("one")
        assert not server.sleeps(name)

    wait_until(lambda: server.sleeps(name))
    with opened(server, name) as terminal:
        terminal.type("echo $kept-still\r")
        assert terminal.see("value-still")


@pytest.fixture(scope="module")
def impatient_server():
    """One for which a connection is idle after half a second."""
    running = Server(LOCAL_BLAXEL_IDLE_SOCKET_AFTER="0.5")
    yield running
    running.clear_away()


@pytest.mark.exhaustive
def test_an_idle_terminal_sleeps_without_the_shell_noticing_and_a_key_wakes_it(impatient_server):
    name = impatient_server.create()

    with opened(impatient_server, name, "shell=bash") as terminal:
        terminal.type("while sleep 0.05; do echo -n; done\r")
        for _ in range(5):
            wait_until(lambda: impatient_server.sleeps(name))
            terminal.type(" ")
            wait_until(lambda: not impatient_server.sleeps(name))
        terminal.type("\x03")
        terminal.type("echo status=$?\r")

        terminal.see(r"status=\d")
        assert "Stopped" not in terminal.shown


@pytest.mark.exhaustive
def test_a_terminal_goes_on_over_a_kill_of_the_server(own_server):
    name = own_server.create()
    with opened(own_server, name) as terminal:
        terminal.type("kept=value; echo o''ne\r")
        terminal.see("one")
        own_server.kill()

    own_server.start()
    with opened(own_server, name) as terminal:
        assert terminal.see("one")
        terminal.type("echo $kept-still\r")
        assert terminal.see("value-still")


def test_a_session_of_the_sandboxs_own_port_opens_a_terminal(server, name):
    preview = {"metadata": {"name": "api"}, "spec": {"port": 443, "public": False}}
    address = f"/v0/sandboxes/{name}/previews"
    made = server.http.post(address, json=preview).json()
    expires = {"spec": {"expiresAt": "2099-01-01T00:00:00Z"}}
    token = server.http.post(f"{address}/api/tokens", json=expires).json()["spec"]["token"]
    url = made["spec"]["url"].replace("http", "ws", 1)

    with connect(f"{url}/terminal/ws?bl_preview_token={token}", proxy=None) as socket:
        terminal = Terminal(socket)
        terminal.type("echo o''ne\r")
        assert terminal.see("one")

    with pytest.raises(InvalidStatus), connect(f"{url}/terminal/ws", proxy=None):
        pass


def freeze_often(host, instance):
    for _ in range(20):
        host.call("freeze", instance)
        host.call("thaw", instance)


def test_no_freeze_ever_shows_the_shell_a_stopped_job(host):
    """By the cgroup freezer where there is one, else by signals in the right order."""
    instance = host.call("start", "frozen")
    path = host.call("agent_socket", instance)

    with unix_connect(path, "ws://sandbox/terminal/ws?shell=bash") as socket:
        terminal = Terminal(socket)
        terminal.type("while sleep 0.01; do echo -n .; done\r")
        terminal.see(r"\.\.\.")
        freeze_often(host, instance)
        # One that comes between two commands of the loop meets no process.
        for _ in range(5):
            terminal.type("\x03")
            time.sleep(0.1)
        terminal.type("echo status=$?\r")

        terminal.see(r"status=\d")
        assert "Stopped" not in terminal.shown
    host.call("stop", instance)
