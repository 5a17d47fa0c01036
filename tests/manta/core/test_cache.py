"""The cache with a Redis of the test's own, that is killed and stopped."""

import shutil
import signal
import socket
import subprocess
import time

import pytest

from manta.core.cache import FallbackRedisCache
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def redis(tmp_path):
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    process.url = f"redis://127.0.0.1:{port}"
    wait_until(lambda: is_open(port))
    yield process
    process.kill()
    process.wait()


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def cache(redis):
    options = {"socket_connect_timeout": 0.1, "socket_timeout": 0.1}
    cache = FallbackRedisCache(redis.url, {"OPTIONS": options})
    cache._memory.clear()
    yield cache
    cache._cache.get_client(None, write=True).connection_pool.disconnect()


def test_it_is_redis_while_redis_is_there(cache, redis):
    cache.set("key", "value")

    assert FallbackRedisCache(redis.url, {}).get("key") == "value"
    assert cache.is_up()


def test_without_redis_it_is_this_process_s_memory(cache, redis):
    redis.kill()
    redis.wait()

    assert cache.add("attempts", 1)
    assert cache.incr("attempts") == 2
    assert cache.get("attempts") == 2
    assert not cache.is_up()


def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(cache, redis):
    redis.send_signal(signal.SIGSTOP)
    cache.get("key")

    started = time.monotonic()
    values = [cache.get("key") for _ in range(100)]

    assert values == [None] * 100
    # A hundred time-outs of 0.1 s would be ten seconds.
    assert time.monotonic() - started < 5
    redis.send_signal(signal.SIGCONT)


def test_it_is_redis_again_when_redis_is_back(cache, redis, monkeypatch):
    monkeypatch.setattr("manta.core.cache._REST", 0.05)
    redis.send_signal(signal.SIGSTOP)
    cache.set("key", "in memory")
    redis.send_signal(signal.SIGCONT)

    def stored_in_redis():
        cache.set("key", "in Redis")
        return FallbackRedisCache(redis.url, {}).get("key") == "in Redis"

    wait_until(stored_in_redis)
