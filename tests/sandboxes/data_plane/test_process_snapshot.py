"""What process_snapshot.sh says, and how it is read: also of odd names, and of what is cut off."""

import socket
import subprocess
from subprocess import PIPE

import pytest

from sandboxes.data_plane import process_snapshot
from sandboxes.data_plane.process_list import build, without_output
from tests.support.growth import BOUND, MORE, growth

HEAD = "@ 100.00 50 7 4096"


def process(pid, parent=7, group=None, *, session=7, terminal=0, ticks=0, name="node"):
    return f"p {pid} {parent} {group or pid} {session} {terminal} {ticks} 900 1024 {name}"


def read(*lines):
    return process_snapshot.parse([HEAD, *lines])


def known(name, pid, status="running", **more):
    return without_output(
        {"name": name, "pid": str(pid), "status": status, "command": name, **more}
    )


@pytest.mark.parametrize("name", ["a b", "a) b (c", "\\n", "<script>", "é", ""])
def test_a_process_may_have_any_name(name):
    assert read(process(9, name=name)).processes[9].name == name


@pytest.mark.parametrize(
    ("line", "address", "is_loopback"),
    [
        ("l 0100007F:0BB8 5", "127.0.0.1", True),
        ("l 00000000:0BB8 5", "0.0.0.0", False),
        ("l 00000000000000000000000001000000:0BB8 5", "::1", True),
        ("l 00000000000000000000000000000000:0BB8 5", "::", False),
        ("l 0000000000000000FFFF00000100007F:0BB8 5", "127.0.0.1", True),
    ],
)
def test_addresses_are_read_as_the_kernel_prints_them(line, address, is_loopback):
    (listener,) = read(line).listeners

    assert (listener.address, listener.port) == (address, 3000)
    assert listener.is_loopback is is_loopback


@pytest.mark.parametrize("line", ["p x", "l 00:1 2", "l z", "f x", "s", "?", "p 1 2 3 4 5 6 7 8"])
def test_a_line_that_makes_no_sense_is_left_out(line):
    assert list(read(line, process(9)).processes) == [9]


def test_only_a_whole_snapshot_is_handed_over():
    reader = process_snapshot.Reader()

    found = [reader.line(line) for line in ("p 9", ".", "stdout:" + HEAD, process(9), ".")]

    assert [bool(each) for each in found] == [False, False, False, False, True]


def test_a_command_of_several_lines_is_one():
    assert read("d 9", "c python -c a", "c b").commands == {9: "python -c a b"}


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\x0c", "\x1e", "\r"])
def test_what_ends_a_line_elsewhere_ends_no_snapshot(end):
    command = f"c {end}.{end}@ 1 2 3 4{end}"

    _, now = process_snapshot.latest("\n".join([HEAD, "d 9", command, process(9), ".", ""]))

    assert list(now.processes) == [9]


@pytest.mark.exhaustive
def test_this_machine_is_read():
    said = ""
    command = ["sh", "-c", process_snapshot.COMMAND]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) as looking:
        for line in looking.stdout:
            said += line
            if line == ".\n":
                break
        looking.kill()
        complaints = looking.stderr.read()

    _, now = process_snapshot.latest(said)

    assert now.processes
    assert complaints == ""


def test_looked_at_once_it_says_what_listens_now():
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = ["sh", "-c", process_snapshot.ONCE_COMMAND]
        said = subprocess.run(command, capture_output=True, text=True, timeout=30)
        port = server.getsockname()[1]

    _, now = process_snapshot.latest(said.stdout)

    # Its parent is the server, of which nothing is told.
    (own,) = [each for each in now.listeners if each.port == port]
    assert now.holders[own.inode] == now.server
    assert port not in [found.port for found in now.listening()]


def test_of_several_addresses_the_one_that_most_can_reach_is_told():
    now = read("l 0100007F:0BB8 5", "l 00000000:0BB8 6", "f 9", "s 5", "s 6", "d 9", "c /a/node b")

    (found,) = now.listening()

    assert (found.address, found.loopback_only, found.process) == ("0.0.0.0", False, "node")


def test_what_a_process_started_is_its_own():
    now = read(
        process(20, ticks=300),
        process(21, 20, 20, ticks=100),
        "l 00000000:0BB8 5",
        "f 21",
        "s 5",
    )
    before = process_snapshot.parse(
        ["@ 90.00 50 7 4096", process(20, ticks=100), process(21, 20, 20, ticks=100)]
    )

    table = build([known("web", 20)], now, before)

    (web,) = table.processes
    assert (web["cpu"], web["memory"], web["ports"]) == (20, 8 * 2**20, [3000])
    assert [(port["port"], port["process"]) for port in table.ports] == [(3000, "web")]


def test_one_that_a_terminal_started_is_shown_by_its_job_and_the_shell_is_not():
    now = read(
        process(30, session=30, terminal=99, name="bash"),
        process(31, 30, session=30, terminal=99, name="npm"),
        process(32, 31, 31, session=30, terminal=99),
        "d 31",
        "c npm run dev",
    )

    (job,) = build([], now).processes

    assert (job["name"], job["command"], job["managed"]) == ("31", "npm run dev", False)


def test_the_sandboxes_own_server_and_mantas_own_are_not_shown():
    now = read(
        process(7, 1, name="server"),
        process(1, 0),
        process(50, name="sh"),
        process(40, name="sh"),
        process(41, 40, 40),
        "l 00000000:1F90 5",
        "f 7",
        "s 5",
    )

    table = build([known("manta-signal", 40)], now)

    assert table.processes == []
    assert table.ports == []


def test_one_that_was_restarted_keeps_its_name():
    now = read(process(61), "d 61", "c sh -c web")

    (web,) = build([known("web", 60, restartCount=1)], now).processes

    assert web["managed"]
    assert web["memory"] == 4 * 2**20


def test_of_each_name_the_latest_is_shown():
    table = build([known("web", 1, "failed", exitCode=3), known("web", 2)], None)

    assert [each["status"] for each in table.processes] == ["running"]


def test_how_busy_they_are_makes_no_other_version():
    quiet = build([known("web", 20)], read(process(20)))
    busy = build([known("web", 20)], read(process(20, ticks=50)), read(process(20)))

    assert quiet.version == busy.version


def chain(length):
    """Each is the parent of the next, with a group and a session of its own."""
    return [process(100 + each, 99 + each) for each in range(length)]


def circle(length):
    return [process(100 + each, 100 + (each + 1) % length) for each in range(length)]


FORGED = {
    "a chain of parents": chain,
    "a circle of parents": circle,
    "one command of many lines": lambda length: ["d 9", *["c x" * 9] * length],
    "many sockets": lambda length: [
        f"l 00000000:{each % 65536:04X} {each}" for each in range(length)
    ],
    "many that were started again": lambda length: [
        line
        for each in chain(length)
        for line in (each, f"d {each.split()[1]}", "c web " + "x" * 99)
    ],
}


@pytest.mark.parametrize("lines", FORGED.values(), ids=FORGED)
def test_what_a_sandbox_forges_costs_no_more_than_its_length(lines):
    def work(size):
        running = [known(f"web{each}", 50_000 + each) for each in range(size)]
        build(running, process_snapshot.parse([HEAD, *lines(size)]))

    assert growth(work, 200, MORE * 200) < BOUND


def test_no_more_processes_are_read_than_a_sandbox_has():
    now = read(*chain(20_000))

    assert len(now.processes) == len(build([], now).processes) == process_snapshot.MAX_PROCESSES


def test_no_more_is_kept_of_one_snapshot_than_it_can_say():
    reader = process_snapshot.Reader()

    for text in ("@ 1 2 3 4096", *["c " + "x" * 60_000] * 1_000):
        reader.line(text)

    assert sum(map(len, reader.line("."))) < 3 * 2**20


@pytest.mark.parametrize(
    "line",
    [
        f"p 9 {'9' * 5_000} 9 7 0 0 900 1024 node",
        f"p 9 7 9 7 0 0 {10**18} 1024 node",
        f"f {'9' * 5_000}",
        f"l 00000000:{'F' * 5_000} 5",
    ],
)
def test_numbers_that_no_kernel_says_are_left_out(line):
    now = read(line, process(10))

    assert list(now.processes) == [10]
    assert build([], now).processes


@pytest.mark.parametrize("head", ["@ nan 50 7 4096", "@ inf 50 7 4096", "@ 1e300 50 7 4096", "@ 1"])
def test_a_snapshot_at_no_moment_is_none(head):
    assert process_snapshot.parse([head, process(9)]) is None


def test_what_happens_between_two_snapshots_of_one_moment_is_no_load():
    (job,) = build([known("web", 9)], read(process(9, ticks=9)), read(process(9))).processes

    assert job["cpu"] is None


@pytest.mark.parametrize("moment", ["Sat, 01 Jan 0001 00:00:00 +2359", "x" * 10**6, {"a": 1}])
def test_a_moment_that_makes_no_sense_is_told_as_it_is(moment):
    assert len(without_output({"startedAt": moment, "pid": "9" * 5_000})["startedAt"]) <= 64


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [("::ffff:127.0.0.1", True), ("::1", True), ("127.0.0.53", True), ("::ffff:10.0.0.1", False)],
)
def test_a_loopback_address_of_either_kind_is_one(address, is_loopback):
    assert process_snapshot.Listener(address, 3000, 1).is_loopback == is_loopback
