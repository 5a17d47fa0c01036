"""One sandbox's share of the threads, and its breaker."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sandboxes import data_plane, errors
from sandboxes.data_plane import client as clients
from sandboxes.data_plane import shares as module
from sandboxes.data_plane.shares import MAX_IN_FLIGHT, Shares, key_of
from sandboxes.models.reach import Reach
from tests.support.waiting import wait_until

ONE = "https://one.example/process"


@pytest.fixture
def impatient(monkeypatch):
    """A sandbox that does not answer is noticed at once."""
    monkeypatch.setattr(clients.client(), "timeout", httpx.Timeout(0.2))
    monkeypatch.setattr(module, "_WAIT", 0.05)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/process", "https://a.example/filesystem/x", True),
        ("https://a.example/process", "https://b.example/process", False),
        ("http://h:1/manta/sandboxes/a/process", "http://h:1/manta/sandboxes/a/mcp", True),
        ("http://h:1/manta/sandboxes/a/process", "http://h:1/manta/sandboxes/b/process", False),
        ("ws://h:1/manta/sandboxes/a/terminal/ws?x", "http://h:1/manta/sandboxes/a", True),
    ],
)
def test_a_share_is_one_sandboxs(one, other, same):
    assert (key_of(one) == key_of(other)) is same


def test_no_more_requests_are_under_way_than_a_share(hostile, impatient):
    hostile.answer = hostile.never

    with ThreadPoolExecutor(20) as threads:
        asked = [
            threads.submit(data_plane.processes.list_processes, hostile.reach) for _ in range(20)
        ]
        refused = [each.exception() for each in asked]

    assert all(isinstance(each, errors.ProviderUnavailable) for each in refused)
    assert len(hostile.asked) <= 2 * MAX_IN_FLIGHT


def test_who_waits_goes_on_when_a_place_is_free():
    shares = Shares()
    held = [shares.take(ONE) for _ in range(MAX_IN_FLIGHT)]

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(shares.take, ONE)
        wait_until(lambda: shares._shares[key_of(ONE)].waiting)
        held[0].end()
        waiting.result().end()

    for each in held:
        each.end()
        each.end()
    assert shares._shares == {}


def test_a_full_share_is_nothing_to_another_sandbox():
    shares = Shares()
    for _ in range(MAX_IN_FLIGHT):
        shares.take(ONE)

    with shares.place(Reach("https://two.example/process")):
        pass


def test_one_that_does_not_answer_is_not_waited_for_again(hostile, impatient):
    hostile.answer = hostile.never
    for _ in range(2):
        with pytest.raises(errors.ProviderUnavailable):
            data_plane.processes.list_processes(hostile.reach)

    with pytest.raises(errors.ProviderUnavailable):
        data_plane.processes.list_processes(hostile.reach)

    assert len(hostile.asked) == 2


def test_it_is_asked_again_by_one_request_and_then_by_all(hostile, impatient, monkeypatch):
    monkeypatch.setattr(module, "_FIRST_REST", 0.0)
    hostile.answer = hostile.never
    for _ in range(2):
        with pytest.raises(errors.ProviderUnavailable):
            data_plane.processes.list_processes(hostile.reach)
    tried = module.shares.take(hostile.url)

    with pytest.raises(errors.ProviderUnavailable):
        data_plane.processes.list_processes(hostile.reach)
    tried.end()
    hostile.answer = hostile.say(b"[]")

    assert data_plane.processes.list_processes(hostile.reach) == []
    assert len(hostile.asked) == 3


def test_an_answer_in_drops_ends_and_gives_its_place_back(hostile, impatient, monkeypatch):
    monkeypatch.setattr("sandboxes.data_plane.bounded._WHOLE_WITHIN", 0.1)

    def drop(handler):
        hostile.say(b"[")(handler)
        while not hostile.over.wait(0.02):
            handler.wfile.write(b" ")

    hostile.answer = drop

    with pytest.raises(errors.ProviderUnavailable):
        data_plane.processes.list_processes(hostile.reach)
    with pytest.raises(errors.ProviderUnavailable):
        data_plane.files.read_file(hostile.reach, "/x")

    assert module.shares._shares[key_of(hostile.url)].in_flight == 0
    assert module.shares._shares[key_of(hostile.url)].failures == 2


def test_a_head_in_drops_ends_and_counts_as_no_answer(hostile, impatient):
    dropped = []

    def drop(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not hostile.over.wait(0.02):
            handler.wfile.write(b"a: b\r\n")
            dropped.append(1)

    hostile.answer = drop

    with pytest.raises(errors.ProviderUnavailable):
        data_plane.processes.list_processes(hostile.reach)

    assert len(dropped) < 1_000
    assert module.shares._shares[key_of(hostile.url)].failures == 1
    hostile.answer = hostile.say(b"[]")
    assert data_plane.processes.list_processes(hostile.reach) == []


def test_places_are_given_back_whatever_happens(hostile):
    hostile.answer = hostile.say(b"7")
    barrier = threading.Barrier(6)

    def ask(_):
        barrier.wait(30)
        with pytest.raises(errors.SandboxError):
            data_plane.files.read_file(hostile.reach, "/x")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(ask, range(6)))

    assert module.shares._shares == {}


def test_what_waits_between_requests_holds_one_place(hostile, impatient):
    hostile.answer = hostile.say(b"already exists")  # says that another one looks, again and again
    shares = module.shares

    with shares.place(hostile.reach), shares.place(hostile.reach):
        with pytest.raises(errors.SandboxError):
            data_plane.files.read_file(hostile.reach, "/x")
        assert shares._shares[key_of(hostile.url)].in_flight == 1

    assert shares._shares == {}


def test_one_that_never_says_what_listens_holds_no_more_than_its_share(
    hostile, impatient, monkeypatch
):
    monkeypatch.setattr("sandboxes.data_plane.listening._TIMEOUT", 2.0)

    hostile.answer = hostile.say(b'{"error": "", "code": "PROCESS_ALREADY_EXISTS"}', status=400)

    with ThreadPoolExecutor(12) as threads:
        asked = [
            threads.submit(data_plane.listening.list_listening, hostile.reach) for _ in range(12)
        ]
        refused = [each.exception() for each in asked]

    assert sum(isinstance(each, errors.ProviderBusy) for each in refused) == 9
