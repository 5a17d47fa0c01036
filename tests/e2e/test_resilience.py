"""Manta while a part of it is dead, hangs or is locked out."""

import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.manta_process import Parts
from tests.support.person import move_in
from tests.support.redis_server import Redis
from tests.support.visitor import Visitor
from tests.support.waiting import wait_until

VENDOR = Path(__file__).resolve().parents[2] / "static/vendor"
# One line a tenth of a second: who writes it, and how often it has.
COUNTER = (
    "id=$(cat /proc/sys/kernel/random/uuid); i=0; "
    "while :; do i=$((i+1)); echo $id $i > /blaxel/new; mv /blaxel/new /blaxel/count; "
    "sleep 0.1; done"
)
Moment = Callable[[Parts, list[Future[None]]], bool]
NOT_ANSWERING = "provider is not answering"


@pytest.fixture
def resident(parts: Parts) -> Iterator[Visitor]:
    """Somebody whose sandbox was there before anything went wrong."""
    with Visitor(parts.url) as visitor:
        visitor.sign_up()
        visitor.until_ready()
        yield visitor


class Counter:
    """A process inside a sandbox that goes on counting for as long as it isn't killed."""

    def __init__(self, parts: Parts, name: str) -> None:
        self._parts, self._name = parts, name
        parts.blaxel.run(name, COUNTER, waitForCompletion=False, keepAlive=True)
        self._id, self._seen = self._read()

    def goes_on(self) -> bool:
        """Return whether it is the same process, and has counted on since the last question."""
        before, (who, self._seen) = self._seen, self._read()
        return who == self._id and int(self._seen) > int(before)

    def _read(self) -> list[str]:
        """Its line, once there is one: for a moment the file is empty."""

        def words() -> list[str]:
            output: str = self._parts.blaxel.run(self._name, "cat /blaxel/count")["stdout"]
            return output.split()

        found: list[str] = wait_until(words)
        return found


def arrive(visitor: Visitor) -> None:
    with suppress(httpx.TransportError):
        visitor.sign_up()


def come_back(visitor: Visitor) -> str:
    """Sign in, or up where that broke off; the name of the sandbox, once it is ready."""
    visitor.sign_in()
    if "sessionid" not in visitor.http.cookies:
        visitor.sign_up()
    return visitor.until_ready()


def some_have_signed_up(parts: Parts, arrivals: list[Future[None]]) -> bool:
    return any(arrival.done() for arrival in arrivals)


def some_are_being_made(parts: Parts, arrivals: list[Future[None]]) -> bool:
    return len(parts.blaxel.names()) > 1


# Those who arrive together are at different steps then, so that each kill finds several.
@pytest.mark.exhaustive
@pytest.mark.parametrize("moment", [some_have_signed_up, some_are_being_made])
@pytest.mark.parametrize("victim", ["web", "worker", "local_blaxel"])
def test_what_is_killed_during_creates_settles_after_its_restart(
    parts: Parts, resident: Visitor, victim: str, moment: Moment
) -> None:
    counter = Counter(parts, resident.until_ready())
    with ExitStack() as stack, ThreadPoolExecutor(5) as pool:
        visitors = [stack.enter_context(Visitor(parts.url)) for _ in range(5)]

        arrivals = [pool.submit(arrive, visitor) for visitor in visitors]
        wait_until(lambda: moment(parts, arrivals))
        parts.kill(victim)
        wait(arrivals)
        parts.mend()

        names = [come_back(visitor) for visitor in visitors]
        assert len(set(names)) == 5
        assert sorted(parts.blaxel.names()) == sorted({*names, resident.until_ready()})
    assert counter.goes_on()


def seconds_of(action: Any) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def sign_in_seconds(visitor: Visitor) -> float:
    """Return the best of five sign-ins, because a busy machine only ever adds to one."""
    return min(seconds_of(visitor.sign_in) for _ in range(5))


def takes_no_longer(visitor: Visitor, usual: float) -> bool:
    """Return whether a sign-in waits for nothing; again, where the machine is busier by then."""
    return bool(wait_until(lambda: sign_in_seconds(visitor) < 3 * usual + 1, 60))


def says(visitor: Visitor, text: str) -> bool:
    return text in visitor.panel()


@pytest.mark.exhaustive
def test_nothing_waits_for_a_provider_that_hangs(parts: Parts, resident: Visitor) -> None:
    usual = sign_in_seconds(resident)

    parts.signal("local_blaxel", signal.SIGSTOP)
    wait_until(lambda: says(resident, NOT_ANSWERING), 5)
    assert seconds_of(resident.panel) < 5
    assert resident.sandbox()["status"] in ("active", "standby")
    assert takes_no_longer(resident, usual)

    parts.signal("local_blaxel", signal.SIGCONT)
    wait_until(lambda: not says(resident, NOT_ANSWERING), 20)


@pytest.mark.exhaustive
def test_an_open_page_says_so_and_when_it_is_over(
    parts: Parts, resident: Visitor, browser: Browser
) -> None:
    with browser.new_context(base_url=parts.url) as context:
        page = context.new_page()
        trouble = page.locator("#sandbox-panel .callout-warn")

        parts.signal("local_blaxel", signal.SIGSTOP)
        move_in(page, resident)
        expect(trouble).to_contain_text(NOT_ANSWERING)
        expect(page.locator("#sandbox-panel")).to_contain_text("Last checked")

        parts.signal("local_blaxel", signal.SIGCONT)
        expect(trouble).to_have_count(0)


@pytest.mark.exhaustive
def test_somebody_who_signs_up_meanwhile_gets_a_sandbox_later(parts: Parts) -> None:
    parts.signal("local_blaxel", signal.SIGSTOP)
    with Visitor(parts.url) as visitor:
        visitor.sign_up()
        assert visitor.sandbox()["status"] == "provisioning"

        parts.signal("local_blaxel", signal.SIGCONT)
        visitor.until_ready()


@pytest.mark.exhaustive
def test_a_locked_queue_costs_a_sign_in_next_to_nothing(parts: Parts, resident: Visitor) -> None:
    usual = sign_in_seconds(resident)

    with closing(sqlite3.connect(parts.state_dir / "queue.sqlite3")) as queue:
        queue.execute("BEGIN EXCLUSIVE")
        assert takes_no_longer(resident, usual)
        with Visitor(parts.url) as newcomer:
            newcomer.sign_up()
            newcomer.until_ready()


@pytest.fixture
def redis(parts: Parts) -> Iterator[Redis]:
    """Redis, for the web and the worker of this test."""
    with Redis() as redis:
        parts.restart("web", "worker", REDIS_URL=redis.url)
        yield redis
        parts.restart("web", "worker")


@pytest.mark.exhaustive
@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL], ids=["hangs", "is gone"])
def test_a_redis_that_fails_costs_a_sign_in_next_to_nothing(
    parts: Parts, redis: Redis, resident: Visitor, blow: signal.Signals
) -> None:
    usual = sign_in_seconds(resident)

    redis.process.send_signal(blow)
    assert takes_no_longer(resident, usual)
    with Visitor(parts.url) as newcomer:
        newcomer.sign_up()
        newcomer.until_ready()


def hold(parts: Parts, count: int, sent: bytes) -> ExitStack:
    """Connections that have said something, and then neither speak nor read."""
    stack = ExitStack()
    for _ in range(count):
        peer = socket.socket()
        # So that an answer fills it, and whoever sends it has to wait.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stack.enter_context(peer)
        peer.connect(("127.0.0.1", parts.port))
        peer.sendall(sent)
    return stack


@pytest.mark.exhaustive
def test_half_sent_forms_leave_the_page_answering(parts: Parts, resident: Visitor) -> None:
    half = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nlogin="

    with hold(parts, 16, half):
        assert seconds_of(resident.panel) < 5
        assert resident.sign_in().status_code == 302


@pytest.mark.exhaustive
def test_slow_readers_leave_the_page_answering(parts: Parts, resident: Visitor) -> None:
    file = max(VENDOR.iterdir(), key=lambda path: path.stat().st_size)
    large = f"/static/vendor/{file.name}"
    ask = f"GET {large} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    times = 16
    assert len(resident.http.get(large).content) * times > 4 * 10**6

    with hold(parts, 16, ask.encode() * times):
        assert seconds_of(resident.panel) < 5
        assert resident.sign_in().status_code == 302


@pytest.mark.exhaustive
def test_twenty_sign_ins_at_once_make_one_sandbox(parts: Parts) -> None:
    with Visitor(parts.url) as first, ExitStack() as stack, ThreadPoolExecutor(20) as pool:
        parts.stop("worker")
        first.sign_up()
        others = [stack.enter_context(Visitor(parts.url, first.email)) for _ in range(20)]
        parts.start("worker")

        answers = list(pool.map(lambda visitor: visitor.sign_in(), others))

        assert {answer.status_code for answer in answers} == {302}
        assert {visitor.until_ready() for visitor in others} == {first.until_ready()}
        assert parts.blaxel.names().count(first.until_ready()) == 1
